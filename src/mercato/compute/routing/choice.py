"""Choosing by lot: shares fall steeply with the score, yet nobody gets everything, so that workers do not herd.

Weights are the score to a negative power, scaled by the best score. Both ways to choose are monotone: a higher score
never makes a choice likelier, whatever the other scores are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import blake2b
from random import Random

TOP = float(1 << 64)


def weights(scores: Sequence[float], steepness: float) -> list[float]:
    """Returns a weight for each score; the best one has 1."""
    best = min(scores)
    return [(best / each) ** steepness for each in scores]


def two(rng: Random, weight: Sequence[float], load: Sequence[float]) -> int:
    """Draws two by weight, with replacement, and returns the less loaded one; of equals, the weightier.

    With replacement, since then the chance of each rises with its own weight alone (M. Mitzenmacher's two choices).
    """
    first, second = rng.choices(range(len(weight)), weight, k=2)
    return min(first, second, key=lambda each: (load[each], -weight[each]))


def own(prefix: str, names: Sequence[str], weight: Sequence[float], load: Sequence[float], cap: float) -> int:
    """Returns a conversation's own provider: rendezvous hashing by weight, past those which are loaded over the cap.

    A provider wins a share of prefixes that is its share of weights; when weights change, only as many conversations
    move as must. `load` is the share of each provider's capacity in use; the cap is relative to the mean.
    """
    mean = sum(load) / len(load)
    pairs = zip(names, weight, strict=True)
    ranks = [(-math.log(_uniform(prefix, name)) / each, place) for place, (name, each) in enumerate(pairs)]
    ranked = [place for _, place in sorted(ranks)]
    return next((place for place in ranked if load[place] <= cap * max(mean, 1 / 8)), ranked[0])


def _uniform(prefix: str, name: str) -> float:
    digest = blake2b(f"{prefix}\0{name}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest) + 0.5) / TOP
