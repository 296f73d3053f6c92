"""The market room's benchmark: 48 million hourly prices, every panel metric, three engines."""
