"""How a provider draws tokens where it promises that others can draw the same: the feature `seed_gumbel_1` of an offer.

At a temperature t it takes, of all tokens, the one whose logarithm of probability / t + g is the largest, where
g = -ln(-ln u) and u, between 0 and 1, is a hash of the request's seed, the token's place in the answer, and the token.
That is a fair draw (E. J. Gumbel's maximum), and it is the same on every machine that agrees on the probabilities. So a
reference that only tells probabilities is enough to say which token an honest provider would have drawn: the idea is
that of Token-DiFR (arXiv 2511.20621) with a seed, on a hash that stands here and not in an engine's generator.

    u(seed, place, token) = ((mix(mix(mix(seed) ^ place) ^ token) >> 12) + 1/2) / 2^52, all in 64 bits
    mix: splitmix64's finaliser (G. Steele and others, 2014), after adding 0x9E3779B97F4A7C15
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

FEATURE = "seed_gumbel_1"
BITS = (1 << 64) - 1
SLIPS = (0, -1, 1, -2, 2)  # places by which the rest of an answer may stand elsewhere than it was drawn


def mix(value: int) -> int:
    """Returns a hashed 64-bit value."""
    value = value + 0x9E3779B97F4A7C15 & BITS
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & BITS
    value = (value ^ value >> 27) * 0x94D049BB133111EB & BITS
    return value ^ value >> 31


def noise(seed: int, place: int, token: int) -> float:
    """Returns g of a token at a place, counted from 0; a negative seed counts by its two's complement."""
    hashed = mix(mix(mix(seed & BITS) ^ place) ^ token)
    return -math.log(-math.log(((hashed >> 12) + 0.5) / (1 << 52)))


def drawn(scores: Mapping[int, float], seed: int, place: int, heat: float) -> int:
    """Returns the token that is drawn of those whose logarithms of probability are given, at a temperature."""
    return max(scores, key=lambda token: scores[token] / heat + noise(seed, place, token))


def matching(answer: Sequence[tuple[int, Mapping[int, float]]], seed: int, heat: float) -> int:
    """Returns how many tokens of an answer are those that would have been drawn.

    Each comes with the scores of the likeliest tokens there, itself among them. A text may be cut into tokens otherwise
    than it was written: then all that follow stand one place or two off, and the best of these is taken.
    """
    wrong = next((at for at, (token, scores) in enumerate(answer) if drawn(scores, seed, at, heat) != token), None)
    if wrong is None:
        return len(answer)
    rest = list(enumerate(answer))[wrong + 1 :]
    tails = [sum(drawn(scores, seed, at + slip, heat) == token for at, (token, scores) in rest) for slip in SLIPS]
    return wrong + max(tails)
