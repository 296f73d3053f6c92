"""Requests through a simulated fleet by one policy, and what came of it. Everything here is simulated."""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from mercato.compute.fleet import audited
from mercato.compute.fleet.market import HONEST, Member, fleet
from mercato.compute.fleet.policies import POLICIES, TRIES, Policy
from mercato.compute.model import End

RATE = 20.0  # requests in a second
VERDICT = 2.0  # seconds from an answer's end to its audit's verdict
REFUSED = 0.2  # seconds that an attempt costs which fails


@dataclass(slots=True)
class Outcome:
    """What a policy did with its requests; `ejected` says after how many served requests each of them was found."""

    requests: int = 0
    cheaters: int = 0
    bad: int = 0
    truncated: int = 0
    unserved: int = 0
    audits: int = 0
    cost: float = 0.0
    audit_cost: float = 0.0
    seconds: list[float] = field(default_factory=list)
    ejected: dict[str, list[int]] = field(default_factory=dict)

    @property
    def false_bans(self) -> int:
        """How many honest providers were ejected."""
        return sum(len(counts) for kind, counts in self.ejected.items() if kind in HONESTS)

    @property
    def cheaters_found(self) -> int:
        """How many cheating providers were ejected."""
        return sum(len(counts) for counts in self.ejected.values()) - self.false_bans

    def row(self) -> dict[str, float | int]:
        """Returns the shares and means that are shown."""
        served = max(1, self.requests - self.unserved)
        return {
            "bad": self.bad / served,
            "truncated": self.truncated / served,
            "cost": self.cost / served,
            "p95": float(np.quantile(self.seconds, 0.95)) if self.seconds else 0.0,
            "audits": self.audits / served,
            "audit_cost": self.audit_cost / served,
            "unserved": self.unserved,
            "cheaters": self.cheaters,
            "ejected": self.cheaters_found,
            "false_bans": self.false_bans,
        }


HONESTS = frozenset({HONEST, "slow", "cutting", "flaky"})
Event = tuple[float, int, int, End, float, float]


class Run:
    """One policy over one fleet. Luck is drawn beforehand, so that every policy meets the same."""

    def __init__(self, members: Sequence[Member], policy: Policy, requests: int, seed: int) -> None:
        rng = np.random.default_rng((seed, 2))
        self.members, self.policy = members, policy
        self.arrivals = np.cumsum(rng.exponential(1 / RATE, requests)).tolist()
        self.cheat, self.cut = rng.random((2, requests)).tolist()
        self.waits = np.exp(rng.normal(0, 0.25, requests)).tolist()
        self.deal = rng.integers(0, audited.ANSWERS, requests).tolist()
        self.served = [0] * len(members)
        self.queue: list[Event] = []
        self.verdicts: list[tuple[float, int, int]] = []
        self.outcome = Outcome(requests, sum(member.cheats > 0 for member in members))

    def play(self) -> Outcome:
        """Returns what came of all requests."""
        for number, now in enumerate(self.arrivals):
            self._catch_up(now)
            self._ask(number, now)
        self._catch_up(float("inf"))
        return self.outcome

    def _catch_up(self, now: float) -> None:
        while self.queue and self.queue[0][0] <= now:
            at, _, place, end, first, whole = heapq.heappop(self.queue)
            self.policy.ended(place, end, first, whole, at)
        while self.verdicts and self.verdicts[0][0] <= now:
            _, place, same = heapq.heappop(self.verdicts)
            if self.policy.judged(place, same):
                self.outcome.ejected.setdefault(self.members[place].kind, []).append(self.served[place])

    def _ask(self, number: int, now: float) -> None:
        waited = 0.0
        for place in self.policy.order(now)[:TRIES]:
            self.policy.began(place, now + waited)
            if not self.members[place].down(now):
                self._serve(number, place, now, waited)
                return
            waited += REFUSED
            heapq.heappush(self.queue, (now + waited, number, place, End.UPSTREAM_ERROR, -1.0, REFUSED))
        self.outcome.unserved += 1

    def _serve(self, number: int, place: int, now: float, waited: float) -> None:
        member, outcome = self.members[place], self.outcome
        cheats = self.served[place] >= member.patience and self.cheat[number] < member.cheats
        cut = self.cut[number] < member.cuts
        first = member.first * self.waits[number]
        whole = first + member.pace * self.waits[number] * audited.TOKENS
        self.served[place] += 1
        outcome.bad += cheats
        outcome.truncated += cut
        outcome.cost += member.price
        outcome.seconds.append(waited + whole)
        end = now + waited + whole
        heapq.heappush(self.queue, (end, number, place, End.TRUNCATED if cut else End.DONE, first, whole))
        if self.policy.audits(place, number):
            outcome.audits += 1
            outcome.audit_cost += 1.0
            same = audited.pool(member.serves if cheats else HONEST)[self.deal[number]]
            heapq.heappush(self.verdicts, (end + VERDICT, place, int(same)))


def play(name: str, requests: int, seed: int, size: int = 30) -> Outcome:
    """Returns what a policy, by its name in POLICIES, does with so many requests to a fleet of this seed."""
    members = fleet(seed, size)
    return Run(members, POLICIES[name](members, random.Random(seed)), requests, seed).play()


def mean(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Returns the mean of what is shown over several runs; counts of providers are summed."""
    rows = [outcome.row() for outcome in outcomes]
    summed = {"cheaters", "ejected", "false_bans", "unserved"}
    return {name: sum(row[name] for row in rows) / (1 if name in summed else len(rows)) for name in rows[0]}
