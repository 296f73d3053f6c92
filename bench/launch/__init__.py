"""The launch room's benchmark: settling auctions by the model and by the contract."""

from __future__ import annotations


def suite(*, quick: bool) -> bool:
    """Runs the whole suite and prints its tables; returns whether model and contract agreed."""
    from bench.launch.settlement import report

    return report(quick=quick)
