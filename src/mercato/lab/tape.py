"""Draws one launch's order flow from a seed: who comes when, believes what, brings how much, looks again when.

Arrivals are a Hawkes process in its cluster form: people who come by themselves (some wait for the opening, some in
the spike after the announcement, the rest evenly), each of whom draws others along, who draw others along. The common
value is lognormal; the announced range and each person's belief are noisy readings of it. Floats end here: the tape
that leaves this module is whole numbers.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, log
from random import Random

from mercato.lab.model import DOLLAR, HOUR, MINUTE, Economy, Tape
from mercato.lab.study import People, Value

SECOND = 1_000


@dataclass(frozen=True, slots=True)
class _Crowd:
    """What all people of one launch have in common."""

    value: float
    market: float
    delay_ms: float


def draw(seed: int, people: People, value: Value) -> Tape:
    """Returns the tape of a seed: the same for the same seed and settings, whatever was drawn before."""
    dice = Random(f"mercato lab tape {seed}")
    common = value.median * exp(dice.gauss(0, value.sigma))
    announced = common * exp(dice.gauss(0, value.announced_sigma))
    economy = Economy(
        low=int(announced / value.announced_span) * DOLLAR, high=int(announced * value.announced_span) * DOLLAR
    )
    crowd = _Crowd(common, dice.uniform(*people.market), dice.uniform(*people.delay_seconds) * SECOND)
    came = _arrivals(dice, people, people.immigrants * (common / value.median) ** people.crowd, economy.horizon_ms)
    rows = [_person(dice, people, value, crowd, at, economy.horizon_ms) for at in came]
    columns = zip(*rows, strict=True) if rows else ((),) * 9
    return Tape(seed, int(common) * DOLLAR, economy, *columns)


def _arrivals(dice: Random, people: People, expected: float, horizon: int) -> list[int]:
    came: list[int] = []
    waiting = [_comes(dice, people, horizon) for _ in range(_poisson(dice, expected))]
    while waiting:
        at = waiting.pop()
        if at < horizon:
            insort(came, at)
            waiting += (at + int(dice.expovariate(1 / (people.child_minutes * MINUTE))) for _ in _drawn(dice, people))
    return came


def _comes(dice: Random, people: People, horizon: int) -> int:
    kind = dice.random()
    if kind < people.waiting:
        return 0
    if kind < people.waiting + people.spike:
        return int(dice.expovariate(1 / (people.spike_hours * HOUR)))
    return int(dice.random() * horizon)


def _drawn(dice: Random, people: People) -> Iterator[int]:
    return iter(range(_poisson(dice, people.children)))


def _poisson(dice: Random, mean: float) -> int:
    """Returns a Poisson draw: how many exponential gaps fit into `mean`."""
    count, age = 0, dice.expovariate(1.0)
    while age < mean:
        count, age = count + 1, age + dice.expovariate(1.0)
    return count


def _person(dice: Random, people: People, value: Value, crowd: _Crowd, at: int, horizon: int) -> tuple[object, ...]:
    believes = int(crowd.value * exp(dice.gauss(0, value.private_sigma))) * DOLLAR
    budget = max(int(people.budget * exp(dice.gauss(0, people.budget_sigma)) * 100), 1_000) * DOLLAR // 100
    delay = int(exp(dice.gauss(log(crowd.delay_ms), people.delay_sigma)))
    market, verified = dice.random() < crowd.market, dice.random() < people.verified
    gone = at + delay + int(dice.expovariate(1 / (people.exit_hours * HOUR)))
    leaves = gone if dice.random() < people.exits and gone < horizon else -1
    follows = int(dice.random() * people.momentum_bps) if dice.random() < people.momentum else 0
    return at, believes, budget, delay, _checks(dice, people, at, horizon), market, verified, leaves, follows


def _checks(dice: Random, people: People, at: int, horizon: int) -> tuple[int, ...]:
    looks: list[int] = []
    for hours in people.check_hours:
        at += int(hours * HOUR * exp(dice.gauss(0, people.check_sigma)))
        if at < horizon:
            looks.append(at)
    return tuple(looks)
