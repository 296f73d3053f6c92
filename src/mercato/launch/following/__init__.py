"""Follows the pools of live launches into the market, on any chain: as a job every hour."""

__all__: list[str] = []
