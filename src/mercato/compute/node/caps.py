"""What a node's owner allows per node: at once, in a minute, and in a day. Pure; the gateway cannot raise any of it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from mercato.compute.model import Price, Usage
from mercato.core.money import Round

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Caps:
    """Limits; None where there is none. `tokens` and `worth` (micro-dollars at the offered prices) are for a day in
    UTC: the second bounds what is lost where a gateway never pays."""

    concurrency: int = 16
    minute: int | None = None
    tokens: int | None = None
    worth: int | None = None


@dataclass(frozen=True, slots=True)
class Used:
    """What a day has taken so far."""

    day: date
    requests: int = 0
    tokens: int = 0
    worth: int = 0


def worth(price: Price, usage: Usage) -> int:
    """Returns what an answer earns at most, in micro-dollars."""
    return price.of(usage, round=Round.DOWN)


class Meter:
    """Counts against the caps. What is under way counts as one request, and by its tokens once it ended, so a day may
    exceed its caps by what was under way when they were reached."""

    def __init__(self, caps: Caps, used: Used) -> None:
        self.caps, self.used = caps, used
        self.underway = 0
        self._starts: deque[datetime] = deque()

    def begin(self, now: datetime) -> str:
        """Takes a request in and returns "", or returns which cap it exceeds: at once, minute, tokens or worth."""
        self._turn(now)
        while self._starts and self._starts[0] <= now - MINUTE:
            self._starts.popleft()
        reached = (
            ("at once", self.underway, self.caps.concurrency),
            ("minute", len(self._starts), self.caps.minute),
            ("tokens", self.used.tokens, self.caps.tokens),
            ("worth", self.used.worth, self.caps.worth),
        )
        for name, count, most in reached:
            if most is not None and count >= most:
                return name
        self.underway += 1
        if self.caps.minute is not None:
            self._starts.append(now)
        return ""

    def end(self, now: datetime, usage: Usage, price: Price) -> int:
        """Counts what a request took that `begin` let in; returns what it is worth, in micro-dollars."""
        self._turn(now)
        self.underway -= 1
        earned, was = worth(price, usage), self.used
        self.used = Used(was.day, was.requests + 1, was.tokens + usage.prompt + usage.completion, was.worth + earned)
        return earned

    def _turn(self, now: datetime) -> None:
        if now.date() > self.used.day:
            self.used = Used(now.date())
