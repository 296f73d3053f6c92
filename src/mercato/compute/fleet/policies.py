"""Policies of routing side by side: what others do, and ours. Each sees only what a gateway can see."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from mercato.compute.fleet import audited
from mercato.compute.fleet.market import Member
from mercato.compute.model import (
    Attempt,
    End,
    Need,
    Offer,
    Price,
    Provider,
    ProviderId,
    Standing,
    Surface,
    Usage,
)  # fmt: skip
from mercato.compute.routing import Candidate, Router
from mercato.compute.verify.match import Match
from mercato.compute.verify.record import Record
from mercato.compute.verify.sampling import Secret, chosen

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
NEED = Need(Surface.CHAT, "toy", prompt=200, completion=audited.TOKENS)
SCALE = 1_000_000  # micro-dollars for a million tokens at a price of 1
TRIES = 3
FILTER = 30.0  # seconds for which others leave a provider alone that failed


class Policy(Protocol):
    """How a gateway chooses, and what it learns."""

    def order(self, now: float) -> Sequence[int]:
        """Returns whom to ask, by place in the fleet, the first one first."""
        ...

    def began(self, place: int, now: float) -> None:
        """A request was sent."""
        ...

    def ended(self, place: int, end: End, first: float, whole: float, now: float) -> None:
        """It ended; times are in seconds, and `first` is below 0 where nothing came."""
        ...

    def audits(self, place: int, number: int) -> bool:
        """Whether the answer is audited."""
        ...

    def judged(self, place: int, same: int) -> bool:
        """Takes in an audit; returns whether the provider is ejected by it."""
        ...


class Plain:
    """A policy that audits nothing and learns nothing, as round robin and the cheapest first."""

    def __init__(self, fleet: Sequence[Member], rng: random.Random) -> None:
        self.fleet, self.rng = fleet, rng
        self.places = range(len(fleet))

    def order(self, now: float) -> Sequence[int]:
        """Each in turn."""
        raise NotImplementedError

    def began(self, place: int, now: float) -> None:
        """Nothing is counted."""

    def ended(self, place: int, end: End, first: float, whole: float, now: float) -> None:
        """Nothing is learnt."""

    def audits(self, place: int, number: int) -> bool:
        """Nothing is audited."""
        return False

    def judged(self, place: int, same: int) -> bool:
        """Nobody is ejected."""
        return False


class RoundRobin(Plain):
    """One after the other."""

    turn = 0

    def order(self, now: float) -> Sequence[int]:
        """The next ones in turn."""
        self.turn += 1
        return [(self.turn + step) % len(self.fleet) for step in range(TRIES)]


class Cheapest(Plain):
    """The lowest price first."""

    def order(self, now: float) -> Sequence[int]:
        """By price."""
        return sorted(self.places, key=lambda place: self.fleet[place].price)[:TRIES]


class InverseSquare(Plain):
    """By lot, with the inverse square of the price as weight, past those that failed in the last half minute."""

    def __init__(self, fleet: Sequence[Member], rng: random.Random) -> None:
        super().__init__(fleet, rng)
        self.failed = [float("-inf")] * len(fleet)

    def weight(self, place: int) -> float:
        """The weight of one provider."""
        return float(self.fleet[place].price ** -2)

    def order(self, now: float) -> Sequence[int]:
        """By lot, without repetition."""
        able = [place for place in self.places if now - self.failed[place] > FILTER] or list(self.places)
        weights = [self.weight(place) for place in able]
        drawn: list[int] = []
        while len(drawn) < min(TRIES, len(able)):
            place = self.rng.choices(able, weights)[0]
            if place not in drawn:
                drawn.append(place)
        return drawn

    def ended(self, place: int, end: End, first: float, whole: float, now: float) -> None:
        """Remembers failures; an answer that was cut is none to this rule."""
        if first < 0:
            self.failed[place] = now


class Score(InverseSquare):
    """By lot, with the inverse cube of price times latency over success as weight."""

    def __init__(self, fleet: Sequence[Member], rng: random.Random) -> None:
        super().__init__(fleet, rng)
        self.seconds, self.good, self.all = [1.0] * len(fleet), [1.0] * len(fleet), [1.0] * len(fleet)

    def weight(self, place: int) -> float:
        """The weight of one provider."""
        success = self.good[place] / self.all[place]
        return float((self.fleet[place].price * self.seconds[place] / success) ** -3)

    def ended(self, place: int, end: End, first: float, whole: float, now: float) -> None:
        """Remembers failures, success and latency."""
        super().ended(place, end, first, whole, now)
        self.all[place] += 1
        if end is End.DONE:
            self.good[place] += 1
            self.seconds[place] += 0.1 * (whole - self.seconds[place])


class Ours(Plain):
    """The gateway's own router and judge."""

    def __init__(self, fleet: Sequence[Member], rng: random.Random) -> None:
        super().__init__(fleet, rng)
        self.router = Router(rng=rng)
        self.judge = audited.judge()
        self.secret = Secret.draw(0, rng.randbytes)
        self.records = [Record() for _ in fleet]
        self.candidates = [_candidate(place, member) for place, member in enumerate(fleet)]

    def order(self, now: float) -> Sequence[int]:
        """As the gateway orders."""
        return [int(each.provider.name) for each in self.router.order(NEED, self.candidates, now, EPOCH)[:TRIES]]

    def began(self, place: int, now: float) -> None:
        """Tells the router."""
        self.router.began(self.candidates[place].provider.id, now)

    def ended(self, place: int, end: End, first: float, whole: float, now: float) -> None:
        """Tells the router."""
        name = self.candidates[place].provider.id
        error = "connect" if first < 0 else ""
        attempt = Attempt(name, EPOCH, None if first < 0 else int(first * 1000), int(whole * 1000), 200, end, error)
        self.router.ended(name, attempt, Usage(NEED.prompt, audited.TOKENS), now)

    def audits(self, place: int, number: int) -> bool:
        """By the epoch's secret."""
        share = self.judge.share(self.records[place])
        return share >= 1 or chosen(self.secret, f"{number:064x}", share)

    def judged(self, place: int, same: int) -> bool:
        """Keeps the record, and tells the router."""
        before, match = self.records[place], Match(audited.TOKENS, same)
        record, _ = self.judge.after(before, match)
        self.records[place] = record
        self.router.judged(self.candidates[place].provider.id, not self.judge.cut.fails(match))
        if record.standing is not before.standing:
            each = self.candidates[place]
            self.candidates[place] = Candidate(replace(each.provider, standing=record.standing), each.offer)
        return before.standing is not Standing.EJECTED and record.standing is Standing.EJECTED


def _candidate(place: int, member: Member) -> Candidate:
    """On probation, as every provider of whom nothing is known."""
    provider = Provider(ProviderId(member.name), str(place), Standing.PROBATION)
    price = round(member.price * SCALE)
    return Candidate(provider, Offer(provider.id, "toy", Price(price, price), context=8192, concurrency=256))


POLICIES: dict[str, type[Plain]] = {
    "round robin": RoundRobin,
    "cheapest": Cheapest,
    "inverse square + outage filter": InverseSquare,
    "score": Score,
    "ours": Ours,
}
