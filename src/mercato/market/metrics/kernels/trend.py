"""Is a short series rising? Mann-Kendall says whether, Theil-Sen says how much (M13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

LEVEL = 0.05
Verdict = Literal["up", "down", "no trend shown", "too short"]


@dataclass(frozen=True, slots=True)
class Trend:
    """The answer: `slope` per step (Theil-Sen), `p` two-sided (Mann-Kendall), `falls` steps that went down."""

    slope: float | None
    p: float | None
    tau: float | None
    steps: int
    falls: int
    verdict: Verdict


def trend(values: Sequence[float], *, positions: Sequence[float] | None = None, shortest: int = 5) -> Trend:
    """Returns the trend of a series at `positions` (default 0, 1, 2, ...).

    Mann-Kendall is Kendall's tau against time: exact for short series without ties, corrected for ties otherwise. It
    asks only for order, so one hackathon month cannot make or break it, unlike a fitted line.
    """
    from scipy import stats

    at = list(positions) if positions is not None else [float(i) for i in range(len(values))]
    falls = sum(later < earlier for earlier, later in pairwise(values))
    if len(values) < shortest:
        return Trend(None, None, None, len(values), falls, "too short")
    slope = float(stats.theilslopes(values, at).slope)
    if len(set(values)) == 1:
        return Trend(slope, 1.0, 0.0, len(values), falls, "no trend shown")
    found = stats.kendalltau(at, values)
    tau, p = float(found.statistic), float(found.pvalue)
    verdict: Verdict = "no trend shown" if p >= LEVEL else ("up" if tau > 0 else "down")
    return Trend(slope, p, tau, len(values), falls, verdict)
