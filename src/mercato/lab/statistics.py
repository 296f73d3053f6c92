"""What many runs say together: mean, median and a bootstrap interval, always the same for the same numbers.

Numbers are plain floats without a unit of their own. An unknown number (None) is left out, and `n` tells how many were
known. The interval is the percentile bootstrap of Efron: resample the runs with replacement, take the mean of each
sample, and cut 2.5 % off both ends. Resamples depend on `SEED` and on how many runs there are, on nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SEED = 20_240_607
RESAMPLES = 2000
LEVEL = 0.95
_DIGITS = 10  # that count in what is written; sums of floats are not exact beyond some fifteen


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured number over runs: `low` to `high` holds its mean with 95 %. All None where nothing was known."""

    mean: float | None
    median: float | None
    low: float | None
    high: float | None
    n: int

    def body(self) -> dict[str, object]:
        """Returns the estimate as JSON values."""
        return {"mean": self.mean, "median": self.median, "ci95": [self.low, self.high], "n": self.n}


NOTHING = Estimate(None, None, None, None, 0)


def estimate(values: Iterable[float | None]) -> Estimate:
    """Returns the estimate of a number from its value in each run."""
    known = _known(values)
    if not len(known):
        return NOTHING
    low, high = _interval(known[_resamples(len(known))].mean(axis=1))
    return Estimate(_tidy(known.mean()), _tidy(np.median(known)), low, high, len(known))


def ratio(parts: Sequence[float | None], wholes: Sequence[float | None]) -> Estimate:
    """Returns the ratio of two means over the same runs, resampled in pairs; `median` is that of the runs' own ratios.

    Runs where either number is unknown are left out. None throughout where the wholes add up to nothing.
    """
    pairs = [(a, b) for a, b in zip(parts, wholes, strict=True) if a is not None and b is not None]
    top, bottom = _known(a for a, _ in pairs), _known(b for _, b in pairs)
    if not len(top) or not bottom.sum():
        return Estimate(None, None, None, None, len(top))
    drawn = _resamples(len(top))
    tops, bottoms = top[drawn].mean(axis=1), bottom[drawn].mean(axis=1)
    low, high = _interval(tops[bottoms != 0] / bottoms[bottoms != 0])
    each = top[bottom != 0] / bottom[bottom != 0]
    return Estimate(_tidy(top.mean() / bottom.mean()), _tidy(np.median(each)), low, high, len(top))


def quantiles(values: Iterable[float | None], at: Sequence[float]) -> list[float | None]:
    """Returns the quantiles at shares from 0 to 1, between neighbours linearly; None each where nothing was known."""
    known = _known(values)
    return [_tidy(np.quantile(known, share)) if len(known) else None for share in at]


def _known(values: Iterable[float | None]) -> NDArray[np.float64]:
    return np.array([value for value in values if value is not None], dtype=np.float64)


@lru_cache(maxsize=16)
def _resamples(count: int) -> NDArray[np.intp]:
    """Returns which runs make up each resample: RESAMPLES rows of as many places as there are runs."""
    return np.random.default_rng((SEED, count)).integers(0, count, size=(RESAMPLES, count), dtype=np.intp)


def _interval(means: NDArray[np.float64]) -> tuple[float, float]:
    tail = (1 - LEVEL) / 2
    return _tidy(np.quantile(means, tail)), _tidy(np.quantile(means, 1 - tail))


def _tidy(value: float | np.floating) -> float:
    return float(f"{float(value):.{_DIGITS}g}")
