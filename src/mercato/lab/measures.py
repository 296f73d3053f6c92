"""Formulas of the metrics, one function each. Money and tokens come in as whole numbers, measures go out as floats.

Nothing here decides what happens in a venue: these numbers are only looked at. `None` is a measure that has no value,
such as the inequality of no prices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

BPS = 10_000


def gini(values: Sequence[int]) -> float | None:
    """Returns the Gini coefficient of positive values, 0 (all equal) to 1: sum of (2i - n - 1) x_i over n sum of x_i.

    i counts the values from the smallest, from 1. The sum is taken in whole numbers.
    """
    total, count = sum(values), len(values)
    if not total:
        return None
    ordered = sorted(values)
    return sum((2 * place - count - 1) * value for place, value in enumerate(ordered, 1)) / (count * total)


def theil(values: Sequence[int]) -> float | None:
    """Returns Theil's T of positive values, 0 where all are equal: the mean of (x / mean) ln(x / mean)."""
    total, count = sum(values), len(values)
    if not total:
        return None
    shares = [value * count / total for value in values]
    return math.fsum(share * math.log(share) for share in shares if share > 0) / count


def spread(values: Sequence[int]) -> float | None:
    """Returns the 90th percentile over the 10th of positive values, both by the nearest rank."""
    if not values:
        return None
    ordered = sorted(values)
    low, high = ordered[_rank(len(ordered), 1000)], ordered[_rank(len(ordered), 9000)]
    return high / low if low else None


def largest(holdings: Sequence[int], count: int = 10) -> float | None:
    """Returns the share of the largest holders in all that is held."""
    total = sum(holdings)
    return sum(sorted(holdings)[-count:]) / total if total else None


def impact(quote: int, spend: int) -> float | None:
    """Returns how much dearer than the marginal price a purchase is on average, its fee left out.

    Of a pool of constant product with `quote` in it: spending s gives tokens s Y / (X + s), so s over them is
    (X + s) / Y, and X / Y is the price before: s / X.
    """
    return spend / quote if quote else None


def depth(quote: int, move_bps: int = 200) -> float | None:
    """Returns what it takes to move the price of a pool of constant product up and down by a part, added up.

    Up, X grows by the root of 1 + m; down, it falls by the root of 1 - m: X (sqrt(1 + m) - sqrt(1 - m)). Fees are left
    out. In base units of the quote.
    """
    part = move_bps / BPS
    return quote * (math.sqrt(1 + part) - math.sqrt(1 - part)) if quote else None


def apart(price: int, other: int) -> float | None:
    """Returns how far apart two prices are: the size of the logarithm of their ratio."""
    return abs(math.log(price / other)) if price > 0 and other > 0 else None


def part(of: int, whole: int) -> float | None:
    """Returns a part of a whole; None of nothing."""
    return of / whole if whole else None


def _rank(count: int, share_bps: int) -> int:
    """Returns the place, from 0, of the nearest rank of a share of so many values."""
    return max(0, -(-count * share_bps // BPS) - 1)
