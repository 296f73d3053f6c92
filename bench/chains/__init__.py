"""The chains room's benchmark: bids in a real auction beside Foundry's node in the same run, and then the indexer."""

from __future__ import annotations


def suite(*, quick: bool) -> bool:
    """Runs the whole suite and prints its tables; returns whether every chain and every store ended with the same."""
    from bench.chains.bids import report as bids
    from bench.chains.index import report as index

    same = bids(quick=quick)
    return index(quick=quick) and same
