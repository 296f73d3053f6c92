"""The market room's benchmark: 48 million hourly prices, every panel metric, three engines; then pages and start-up."""

from __future__ import annotations


def suite(*, quick: bool) -> bool:
    """Runs the whole suite and prints its tables; returns whether all results were equal."""
    from bench.market.engines import report as engines
    from bench.market.pages import report as pages

    equal = engines(quick=quick)
    pages(quick=quick)
    return equal
