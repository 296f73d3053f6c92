"""The launch's charts: SVG drawn on the server in whole numbers, with words for whoever cannot see it."""

from mercato.launch.charts.book import curves, demand
from mercato.launch.charts.candles import Candle, candles
from mercato.launch.charts.plot import Plot
from mercato.launch.charts.supply import Part, allocation, unlocks

__all__ = ["Candle", "Part", "Plot", "allocation", "candles", "curves", "demand", "unlocks"]
