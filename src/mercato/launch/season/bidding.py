"""What a crowd does in one auction: who bids when, how high and how much. Whole numbers only.

People value the whole supply around a common value, each with an error of their own; retail mostly takes the clearing
price, whales split over levels, bots come in the first seconds and once more at the end, where speed gains nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from mercato.launch.clearing import grid
from mercato.launch.season.agents import Agent
from mercato.launch.season.draws import chance, lognormal, stream
from mercato.launch.season.people import Person

Act = Literal["bid", "retail", "improve", "cancel"]
HOUR = 3600
CENT = 10_000  # base units of the test dollar, which has six decimals
LEAST = 10_000_000  # base units: ten dollars, twice the least bid
DISAGREE = {"retail": 450, "regular": 280, "whale": 180, "bot": 220}  # deviation of the private value, in milli-logs


@dataclass(frozen=True, slots=True)
class Move:
    """One act of one person: `at` seconds after opening, at a level, with so many base units of the dollar.

    `to` is the higher level of an improvement.
    """

    at: int
    person: Person
    act: Act
    level: int
    amount: int
    to: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """What bidders know of an auction: seconds of its phases, the grid's step and how many levels it has."""

    open_seconds: int
    lock_seconds: int
    step_bps: int = 200
    levels: int = 256
    retail_cap: int = 2**255

    @property
    def seconds(self) -> int:
        """Returns the length of the window."""
        return self.open_seconds + self.lock_seconds

    def costs(self, floor: int) -> tuple[int, ...]:
        """Returns what the whole supply costs at each level, in base units of the dollar, from a floor in dollars."""
        return grid(floor * 100 * CENT, self.step_bps, self.levels)


def moves(agent: Agent, people: Sequence[Person], seed: int, terms: Terms) -> tuple[Move, ...]:
    """Returns everything that the crowd does in an agent's auction, by time."""
    takers = [who for who in people if chance(stream(seed, agent.symbol, "comes", who.number), 620)]
    weights = [lognormal(stream(seed, agent.symbol, "keen", who.number), who.means * 100, 400) for who in takers]
    money, total = agent.interest * 100 * CENT, max(1, sum(weights))
    costs = terms.costs(agent.floor)
    found: list[Move] = []
    for who, weight in zip(takers, weights, strict=True):
        draw = stream(seed, agent.symbol, "bids", who.number)
        amount = money * weight // total // CENT * CENT
        if amount >= LEAST:
            found += _of(who, draw, amount, agent, costs, terms)
    return tuple(sorted(found, key=lambda move: (move.at, move.person.number, move.act)))


def level_of(value: int, costs: Sequence[int]) -> int | None:
    """Returns the highest level that costs at most `value`; None where even the floor costs more."""
    below = [level for level, cost in enumerate(costs) if cost <= value]
    return below[-1] if below else None


def _of(who: Person, draw: Random, amount: int, agent: Agent, costs: Sequence[int], terms: Terms) -> list[Move]:
    """Returns the acts of one person."""
    at = _when(who, draw, terms)
    if who.kind == "retail" and who.identified and chance(draw, 650):
        return [Move(at, who, "retail", 0, min(amount, terms.retail_cap))]
    value = lognormal(draw, agent.worth * 100 * CENT, DISAGREE[who.kind])
    level = level_of(value, costs)
    if level is None:
        return []
    if who.kind == "whale":
        third = amount // 3
        places = [max(0, level - 6), max(0, level - 3), level]
        return [Move(min(at + 60 * n, terms.seconds - 1), who, "bid", place, third) for n, place in enumerate(places)]
    first = Move(at, who, "bid", level, amount)
    return [first, *_second_thoughts(first, draw, costs, terms)]


def _second_thoughts(first: Move, draw: Random, costs: Sequence[int], terms: Terms) -> list[Move]:
    """Returns what some do later: take it back while that is allowed, or go higher."""
    who = first.person
    if first.at + HOUR // 2 < terms.open_seconds and chance(draw, 30):
        return [Move(draw.randrange(first.at + 60, terms.open_seconds), who, "cancel", first.level, first.amount)]
    if first.at + 120 < terms.seconds and first.level + 4 < len(costs) and chance(draw, 90):
        later = draw.randrange(first.at + 60, terms.seconds)
        return [Move(later, who, "improve", first.level, first.amount, first.level + draw.randrange(1, 5))]
    return []


def _when(who: Person, draw: Random, terms: Terms) -> int:
    """Returns when a person bids: a rush after opening, a long middle, and a rush before the end."""
    if who.kind == "bot":
        return draw.randrange(5) if chance(draw, 600) else terms.seconds - 1 - draw.randrange(30)
    place = draw.randrange(1000)
    if place < 350:
        return min(30 + lognormal(draw, max(1, terms.seconds // 48), 1000), terms.seconds - 1)
    if place < 780:
        return draw.randrange(30, terms.seconds - 60)
    return terms.seconds - 1 - draw.randrange(30, terms.seconds // 12)
