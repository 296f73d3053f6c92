"""Benjamini-Hochberg: looking at many entities at once, how many findings may be chance."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal


def discoveries(p_values: Mapping[str, Decimal], rate: Decimal) -> frozenset[str]:
    """Returns the keys whose p-value is small enough that at most `rate` of them are expected to be chance.

    Benjamini and Hochberg (1995): with m tests, find the largest k whose k-th smallest p is at most k/m * rate, and
    accept all p up to that one. Valid under independence or positive dependence, which market entities have.
    """
    ranked = sorted(p_values.items(), key=lambda item: (item[1], item[0]))
    m = len(ranked)
    cut = max((p for k, (_, p) in enumerate(ranked, 1) if p * m <= rate * k), default=None)
    return frozenset(key for key, p in ranked if cut is not None and p <= cut)
