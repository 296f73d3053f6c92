"""The numbers that routing goes by, in one frozen value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """What routing goes by. Times are in seconds.

    second: what a second is worth to a user, as a share of the price of a good answer.
    harm: what a bad or a cut answer costs a user, in prices of a good one.
    steepness: shares fall with this power of the score.
    explore: the share of requests by which each provider is tried that has yet to prove itself, explore_most the share
    for all of them together; those on probation get no other, and all of their answers are audited.
    explore_price: trials cost at most so many times what the cheapest active provider costs.
    proven: served requests after which an active provider is no longer tried for its own sake.
    half_life: time after which what was lived with a provider counts half.
    trips: failures in a row that open the breaker; pause and longest_pause bound how long it stays open.
    cooling: how long a provider that refused our key or our credit is left alone, at first.
    load_cap: how far above the mean load of all a conversation may push its own provider.
    """

    second: float = 0.10
    harm: float = 10.0
    steepness: float = 4.0
    explore: float = 0.005
    explore_most: float = 0.2
    explore_price: float = 3.0
    proven: int = 20
    half_life: float = 600.0
    trips: int = 5
    pause: float = 1.0
    longest_pause: float = 60.0
    cooling: float = 300.0
    longest_cooling: float = 3600.0
    load_cap: float = 1.5
    first_seconds: float = 1.0  # assumed before anything was measured
    token_seconds: float = 0.02  # assumed likewise
    typical_tokens: int = 256  # of an answer that states no bound of its own
