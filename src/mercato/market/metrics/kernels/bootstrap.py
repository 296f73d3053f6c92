"""Shares of narratives with intervals: authors are resampled, because posts of one author are not independent (M11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SEED, DRAWS, LEVEL = 20250214, 400, 0.90
SMOOTHING = 0.001  # added to both shares before their ratio, so that a new narrative cannot grow without bound

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ledger:
    """What each author of one source contributed in one period: `parts` authors x narratives, `whole` authors."""

    parts: Floats
    whole: Floats

    def shares(self, weight: Floats) -> Floats:
        """Returns the share of each narrative when author i counts `weight[i]` times; 0 where nothing counts."""
        total = float(weight @ self.whole)
        found: Floats = weight @ self.parts
        return found / total if total > 0 else np.zeros_like(found)


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with the bounds of its 90 % interval."""

    value: float
    low: float
    high: float


Periods = tuple[Ledger, Ledger]  # this period, the one before; the same authors in the same order


def combined(sources: Mapping[str, Periods], weights: Mapping[str, float], period: int) -> Floats:
    """Returns the shares of a period over all sources by their weights."""
    return _combine([(weights[name], pair[period], np.ones(len(pair[period].whole))) for name, pair in sources.items()])


def _combine(parts: list[tuple[float, Ledger, Floats]]) -> Floats:
    present = [(weight, ledger, counts) for weight, ledger, counts in parts if float(counts @ ledger.whole) > 0]
    total = sum(weight for weight, _, _ in present)
    if total <= 0:
        return np.zeros(parts[0][1].parts.shape[1])
    return np.sum([weight / total * ledger.shares(counts) for weight, ledger, counts in present], axis=0)  # type: ignore[no-any-return] # numpy's sum of a list is Any


def log_change(now: Floats, before: Floats) -> Floats:
    """Returns ln((now + a) / (before + a)) with additive smoothing a."""
    return np.log((now + SMOOTHING) / (before + SMOOTHING))


def intervals(
    sources: Mapping[str, Periods], weights: Mapping[str, float], *, draws: int = DRAWS, seed: int = SEED
) -> tuple[list[Interval], list[Interval]]:
    """Returns per narrative the share and its log change, each with its 90 % interval.

    Each draw resamples the authors of every source with replacement, the same draw for both periods.
    """
    rng = np.random.default_rng(seed)
    now, before = (combined(sources, weights, period) for period in (0, 1))
    drawn: list[Floats] = []
    changed: list[Floats] = []
    for _ in range(draws):
        counts = {name: _resample(rng, len(pair[0].whole)) for name, pair in sources.items()}
        here, there = (
            _combine([(weights[name], pair[period], counts[name]) for name, pair in sources.items()])
            for period in (0, 1)
        )
        drawn.append(here)
        changed.append(log_change(here, there))
    return _bounds(now, drawn), _bounds(log_change(now, before), changed)


def _resample(rng: np.random.Generator, size: int) -> Floats:
    return np.bincount(rng.integers(0, size, size), minlength=size).astype(np.float64) if size else np.zeros(0)


def _bounds(values: Floats, drawn: list[Floats]) -> list[Interval]:
    edge = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(np.array(drawn), [edge, 100 - edge], axis=0)
    return [Interval(float(v), float(a), float(b)) for v, a, b in zip(values, low, high, strict=True)]


def effective_authors(contributions: Floats) -> float | None:
    """Returns 1 / sum of squared shares: how many equal authors would be as concentrated; None where nothing counts."""
    total = float(contributions.sum())
    if total <= 0:
        return None
    return float(1 / np.sum((contributions / total) ** 2))
