"""The range of a driftless Gaussian walk: its mean, exactly, and its distribution, by seeded simulation (M9)."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

SEED = 20250214
PATHS = 20_000


def kappa(closes: int) -> float:
    """Returns E[ln(max/min)] / sigma over `closes` daily closes of a driftless walk.

    Spitzer's identity gives the mean of the maximum after m steps as the sum of E[S_k+]/k for k up to m; a Gaussian
    step has E[S_k+] = sigma sqrt(k / 2 pi), and by symmetry the range is twice the maximum. Dimensionless.
    """
    return math.sqrt(2 / math.pi) * math.fsum(k**-0.5 for k in range(1, closes))


@lru_cache(maxsize=8)
def _ranges(closes: int, paths: int, seed: int) -> np.ndarray:
    """Returns the running range of each simulated path: `paths` x `closes`, in units of sigma."""
    steps = np.random.default_rng(seed).standard_normal((paths, closes - 1), dtype=np.float32)
    walk = np.concatenate([np.zeros((paths, 1), np.float32), np.cumsum(steps, axis=1)], axis=1)
    return np.maximum.accumulate(walk, axis=1) - np.minimum.accumulate(walk, axis=1)


def _horizon(closes: int) -> int:
    """Returns a round number of closes to simulate, so that windows of similar length share one simulation."""
    return -(-closes // 64) * 64


def narrower(log_range: float, sigma: float, closes: int, *, paths: int = PATHS, seed: int = SEED) -> float:
    """Returns the simulated probability that a driftless walk stays within `log_range` over one window of `closes`."""
    return float(np.mean(_ranges(_horizon(closes), paths, seed)[:, closes - 1] <= log_range / sigma))


def lasts(closes: int, longest: int, ratio: float, *, paths: int = PATHS, seed: int = SEED) -> float:
    """Returns the probability that any window of `closes` to `longest` closes, all ending today, is that flat.

    Flat means range <= ratio x its mean. This is the p-value that belongs to searching for the longest window.
    """
    ranges = _ranges(_horizon(longest), paths, seed)[:, closes - 1 : longest]
    limits = np.array([ratio * kappa(n) for n in range(closes, longest + 1)], dtype=np.float32)
    return float(np.mean((ranges <= limits).any(axis=1)))
