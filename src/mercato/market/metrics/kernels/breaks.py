"""Breaks in the mean of a series by PELT over a grid of penalties; only those that survive the grid count (M10)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

#: Penalties as multiples of variance x ln(n): from one that sees many breaks to one that sees few.
GRID = tuple(float(round(value, 6)) for value in np.geomspace(0.25, 4.0, 12))
SHORTEST = 7  # closes in a regime
NEAR = 3  # positions within which two breaks are the same
STABLE = 0.75  # part of the grid on which a break must appear
STILL = 1e-15  # a variance below this is rounding
WALKS, SEED = 40, 20250214

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Break:
    """The place at which a new regime begins, and the part of the penalty grid that sees it."""

    at: int
    stability: float


def pelt(values: Floats, penalty: float) -> list[int]:
    """Returns the places at which the mean of `values` changes under one penalty (exact, squared error)."""
    import ruptures

    if len(values) < 2 * SHORTEST:
        return []
    found = ruptures.KernelCPD(kernel="linear", min_size=SHORTEST).fit(values.reshape(-1, 1)).predict(pen=penalty)
    return [int(at) for at in found[:-1]]


def over_grid(values: Sequence[float], grid: Sequence[float] = GRID) -> list[list[int]]:
    """Returns the breaks of ln(values) under each penalty of the grid."""
    logs = np.log(np.asarray(values, dtype=np.float64))
    scale = float(np.var(logs)) * math.log(max(len(logs), 2))
    return [pelt(logs, factor * scale) for factor in grid] if scale > STILL else [[] for _ in grid]


def breaks(values: Sequence[float], grid: Sequence[float] = GRID) -> list[Break]:
    """Returns every break that any penalty sees, in order, with its stability; near ones are one break.

    The place of a group is the one that most penalties agree on, the earlier on a tie.
    """
    found = over_grid(values, grid)
    votes = Counter(at for places in found for at in places)
    answer: list[Break] = []
    for at, _ in sorted(votes.items(), key=lambda item: (-item[1], item[0])):
        if all(abs(at - other.at) > NEAR for other in answer):
            seen = sum(any(abs(at - place) <= NEAR for place in places) for places in found)
            answer.append(Break(at, seen / len(found)))
    return sorted(answer, key=lambda item: item.at)


def stable(found: Sequence[Break]) -> list[Break]:
    """Returns the breaks that at least three quarters of the grid see."""
    return [item for item in found if round(item.stability, 9) >= STABLE]


@lru_cache(maxsize=64)
def in_walks(closes: int, *, walks: int = WALKS, seed: int = SEED) -> float:
    """Returns how many stable breaks a driftless walk of that length shows on average, where there is none to find.

    The penalty scales with the variance, so the walk's own volatility does not matter.
    """
    rng = np.random.default_rng(seed)
    paths = np.exp(np.cumsum(rng.standard_normal((walks, closes)) * 0.02, axis=1))
    return sum(len(stable(breaks(path.tolist()))) for path in paths) / walks
