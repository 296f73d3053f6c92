"""What a small position can realise and how small it should be: exit through a pool, Kelly, joint loss (M14)."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: How many pseudo-observations at the pooled rate a base rate is shrunk with.
SHRINK = 100.0
#: Part of full Kelly that is ever considered: estimates are poor and Kelly punishes overstating.
FRACTION = 0.25
#: A position above this part of the pool's depth moves the price by more than the estimate can bear.
POOL_PART = 0.01


def realised(value_usd: float, pool_usd: float) -> float:
    """Returns the part of a position's marked value that a sale into one constant-product pool realises.

    `value_usd` is the mark; `pool_usd` is the whole pool at that mark, both sides, half of it quote. Selling dx into
    reserves X, Y pays Y dx / (X + dx), so the part is (pool/2) / (pool/2 + value). Fees are not counted.
    """
    half = pool_usd / 2
    return half / (half + value_usd) if half > 0 else 0.0


def shrunken(hits: int, starts: int, pooled: float, weight: float = SHRINK) -> float:
    """Returns the rate hits/starts pulled towards `pooled` with the weight of that many observations."""
    return (hits + weight * pooled) / (starts + weight)


def kelly(chance: float, gain: float, loss: float = 1.0) -> float:
    """Returns the part of wealth that maximises log growth for winning `gain` per unit or losing `loss`; at least 0."""
    if gain <= 0:
        return 0.0
    return max(0.0, chance / loss - (1 - chance) / gain)


@dataclass(frozen=True, slots=True)
class Size:
    """A position size in whole cents and which bound set it."""

    cents: int
    bound: str


def size(budget_cents: int, part: float, max_loss: float, pool_usd: float | None) -> Size:
    """Returns the smallest of fractional Kelly, the maximum loss per idea and 1 % of the pool, in whole cents."""
    bounds = {"kelly": budget_cents * FRACTION * part, "max_loss": budget_cents * max_loss}
    if pool_usd is not None:
        bounds["pool_depth"] = pool_usd * 100 * POOL_PART
    name = min(bounds, key=lambda key: (bounds[key], key))
    return Size(math.floor(bounds[name]), name)


def joint_loss(beta: float, sector_fall: float) -> float:
    """Returns the part lost when the sector falls by `sector_fall` and the token follows with `beta`; within 0..1.

    In log terms, so that a beta above 1 can never lose more than everything.
    """
    return 1 - math.pow(1 - sector_fall, max(beta, 0.0))
