"""The chains room's benchmark: bids in a real auction on the embedded chain, beside Foundry's node in the same run."""

from __future__ import annotations


def suite(*, quick: bool) -> bool:
    """Runs the whole suite and prints its table; returns whether every chain ended with the same books."""
    from bench.chains.bids import report

    return report(quick=quick)
