"""What was lived with one provider: success, quality, speed, load, and whether it should be left alone for a while.

Pure: the moment is handed in, in seconds of any clock that only goes forward. Counts fade with a half-life, so that a
provider which was down yesterday is asked again today.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from mercato.compute.model import Attempt, End, Usage
from mercato.compute.routing.rules import Rules

OURS = frozenset({"400", "413", "422"})  # the request was at fault, not the provider
CREDIT = frozenset({"401", "402"})  # our key or our credit was refused
ONE = frozenset({"403", "404"})  # one prompt, or one model: no reason to leave the others alone
BUSY = "429"
MOST = 4096.0  # requests at once that we send to anyone
SMOOTH = 0.1  # the weight of the newest value in running means
SPREAD = 1.28  # standard deviations up to the 90 % quantile of a normal distribution
PRIOR = (1.8, 0.2)  # successes and failures assumed before the first request
TRUST = (9.5, 0.5)  # good and bad answers assumed before the first audit


def wilson(good: float, bad: float, z: float = SPREAD) -> float:
    """Returns the lower end of Wilson's interval for a share, of counts that may be fractions (E. B. Wilson, 1927)."""
    n = good + bad
    share, square = good / n, z * z
    half = z * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    return (share + square / (2 * n) - half) / (1 + square / n)


@dataclass(slots=True)
class Running:
    """A running mean and variance in which old values fade."""

    mean: float
    variance: float = 0.0
    seen: bool = False
    high: float = 0.0  # an estimate of the 90 % quantile

    def __post_init__(self) -> None:
        self.high = self.mean

    def add(self, value: float) -> None:
        """Takes one more value in; the first replaces what was assumed."""
        step = SMOOTH if self.seen else 1.0
        gap = value - self.mean
        self.mean += step * gap
        self.variance = (1 - step) * (self.variance + step * gap * gap)
        self.high = self.mean + SPREAD * math.sqrt(self.variance)
        self.seen = True


@dataclass(slots=True)
class Breaker:
    """Open after failures in a row; half-open when its pause is over: then one request may try."""

    failures: int = 0
    pause: float = 0.0
    until: float = 0.0
    probing: bool = False

    def state(self, now: float) -> str:
        """Returns `closed`, `open` or `half-open`."""
        if not self.pause:
            return "closed"
        return "open" if now < self.until or self.probing else "half-open"

    def failed(self, now: float, rules: Rules) -> None:
        """Counts a failure; one more while half-open doubles the pause."""
        self.failures += 1
        self.probing = False
        if self.pause or self.failures >= rules.trips:
            self.pause = min(self.pause * 2 or rules.pause, rules.longest_pause)
            self.until = now + self.pause

    def passed(self) -> None:
        """Closes it: the provider works."""
        self.failures, self.pause, self.until, self.probing = 0, 0.0, 0.0, False


class Health:
    """What one worker of the gateway lived with one provider."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.good = self.bad = 0.0  # requests that went well, or not; faded
        self.sound = self.flawed = 0.0  # audited answers that were right, or not; never faded
        self.heard = (0.0, 0.0, 0.0, 0.0)  # the same four of all other workers
        self.served = 0
        self.at = 0.0
        self.first, self.token = Running(rules.first_seconds), Running(rules.token_seconds)
        self.breaker = Breaker()
        self.cold, self.cold_until = 0.0, 0.0
        self.inflight, self.limit = 0, MOST  # the offer's own limit binds until a 429 lowers this one
        self._success = wilson(*PRIOR)

    def began(self, now: float) -> None:
        """A request was sent to it."""
        self.inflight += 1
        if self.breaker.state(now) == "half-open":
            self.breaker.probing = True

    def ended(self, attempt: Attempt, usage: Usage | None, now: float) -> None:
        """Takes in how a request ended. What the client or our own request caused says nothing about the provider."""
        self.inflight = max(0, self.inflight - 1)
        if attempt.error in OURS or attempt.end is End.CLIENT_GONE:
            self.breaker.probing = False
            return
        self._fade(now)
        if attempt.error in CREDIT:
            self._cool(now)
        elif attempt.error == BUSY:
            self._busy(now)
        elif attempt.error in ONE:
            self.bad += 1
            self.breaker.probing = False
        elif attempt.error or attempt.end is not End.DONE:
            self.bad += 1
            self.breaker.failed(now, self.rules)
        else:
            self._went_well(attempt, usage)
        self._weigh()

    def judged(self, good: bool) -> None:
        """Takes in what an audit found of one answer."""
        self.sound += good
        self.flawed += not good

    def hear(self, counts: tuple[float, float, float, float]) -> None:
        """Replaces what is known of all other workers' counts: good, bad, sound, flawed."""
        self.heard = counts
        self._weigh()

    def success(self) -> float:
        """Returns a lower bound of the chance that a request is served, at 90 %."""
        return self._success

    def quality(self) -> float:
        """Returns the expected share of right answers."""
        sound, flawed = self.sound + self.heard[2] + TRUST[0], self.flawed + self.heard[3] + TRUST[1]
        return sound / (sound + flawed)

    def seconds(self, tokens: int) -> float:
        """Returns how long an answer of so many tokens takes, with the first byte at its 90 % quantile."""
        return self.first.high + tokens * self.token.mean

    def _fade(self, now: float) -> None:
        left: float = 0.5 ** (max(0.0, now - self.at) / self.rules.half_life)
        self.good, self.bad, self.at = self.good * left, self.bad * left, now

    def _cool(self, now: float) -> None:
        self.cold = min(self.cold * 2 or self.rules.cooling, self.rules.longest_cooling)
        self.cold_until = now + self.cold
        self.breaker.probing = False

    def _busy(self, now: float) -> None:
        """Halves how much it is asked at once, of what it was asked; where it took not even one, that is a failure."""
        self.bad += 1
        if self.limit <= 1:
            self.breaker.failed(now, self.rules)
        self.limit = max(1.0, min(self.limit, self.inflight + 1.0) / 2)
        self.breaker.probing = False

    def _went_well(self, attempt: Attempt, usage: Usage | None) -> None:
        self.good += 1
        self.served += 1
        self.cold = self.cold_until = 0.0
        self.limit = min(self.limit + 1 / self.limit, MOST)
        self.breaker.passed()
        if attempt.first_ms is not None:
            self.first.add(attempt.first_ms / 1000)
            if usage and usage.completion > 1:
                self.token.add(max(0, attempt.whole_ms - attempt.first_ms) / 1000 / usage.completion)

    def _weigh(self) -> None:
        self._success = wilson(self.good + self.heard[0] + PRIOR[0], self.bad + self.heard[1] + PRIOR[1])
