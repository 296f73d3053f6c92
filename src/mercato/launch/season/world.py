"""The world of a season: its plan carried out on a chain, moment by moment, before and after the season's end.

`advance` does everything that is due up to a moment. During the season the clock is moved from event to event; what
happens while Mercato is off is lived through the same way at the next start, and afterwards the clock is the
computer's and `advance` is called every second. A moment is done wholly or not at all, so that a world that is opened
again goes on from the time of the chain's newest block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Protocol

from mercato.chains import Address, Call, Receipt
from mercato.chains.evm.kept import KeptChain
from mercato.launch.season.acts import Stage, bids, claims
from mercato.launch.season.agents import Agent
from mercato.launch.season.bidding import Move
from mercato.launch.season.clock import SeasonClock
from mercato.launch.season.plan import APPLY, CLAIM, DAY, HOUR, NOTICE, REVEAL, REVIEW, SETTLE, Plan
from mercato.launch.season.street import Shop, Street
from mercato.launch.season.trading import SUPPLY

GRANTS = 100  # in one block
MINUTE = 60
AWAY = 30 * DAY


@dataclass(frozen=True, slots=True)
class Pace:
    """How busy the street is: seconds between rounds, thousandths of a trade that a round expects at each pool, and
    the middle trade in base units of the dollar.
    """

    step: int
    trades: int
    lot: int


class Office(Protocol):
    """What the world asks of the launch room: the same steps that a team, reviewers and a curator take."""

    def apply(self, agent: Agent) -> None:
        """Pays the deposit, hands in the application and sends it to review."""

    def seal(self, agent: Agent) -> None:
        """Lets the panel seal its cards."""

    def reveal(self, agent: Agent) -> None:
        """Lets the panel open its cards."""

    def schedule(self, agent: Agent, opens: int) -> None:
        """Puts an approved launch on the chain."""

    def settle(self) -> None:
        """Clears and graduates what is due, and brings every launch up to date with the chain."""

    def stage(self, agent: Agent) -> Stage | None:
        """Returns an agent's contracts; None while it has none."""

    def dollars(self, grants: Sequence[tuple[Address, int]]) -> list[Call]:
        """Returns the transactions that give people their dollars."""

    def credential(self, auction: Address, bidder: Address) -> bytes:
        """Returns the proof of identity of a simulated person."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens at a moment, and the words for it. What returns transactions gets a block for them."""

    at: int
    doing: str
    run: Callable[[], Sequence[Call] | None]


class World:
    """Carries a plan out. Not safe for threads: one thread advances it."""

    def __init__(self, plan: Plan, chain: KeptChain, clock: SeasonClock, office: Office) -> None:
        self._plan, self._chain, self._clock, self._office = plan, chain, clock, office
        self._street = Street(plan.seed, plan.began, plan.people, plan.maker.address)
        self._shops: dict[str, Shop] = {}
        self._stages: dict[str, Stage] = {}
        self._looked = False
        self._due: list[Event] = []
        self.refused: list[Receipt] = []
        self.now = chain.time()

    def begin(self) -> None:
        """Gives people their dollars; the first thing in a season."""
        self._clock.stand(self._plan.began)
        grants = sorted((person.address, amount) for person, amount in self._plan.grants().items())
        for start in range(0, len(grants), GRANTS):
            self._send(self._office.dollars(grants[start : start + GRANTS]))
        self.now = self._plan.began

    def advance(self, until: int, pace: Pace, tell: Callable[[Event], None], *, live: bool = False) -> None:
        """Does everything that is due after `now` and up to `until`, event by event, with rounds of trading between.

        The clock is moved to each event; `live` leaves it alone, because it is the computer's then. After a long time
        away only its last weeks are traded through.
        """
        first = max(self.now, until - AWAY) // pace.step + 1
        rounds = range(first * pace.step, until + 1, pace.step)
        every = [Event(at, "trading", partial(self._trade, at, pace)) for at in rounds]
        planned = [event for event in self._planned() if self.now < event.at <= until]
        for event in sorted([*planned, *every], key=lambda event: event.at):
            tell(event)
            if not live:
                self._clock.stand(event.at)
            if calls := event.run():
                self._send(calls)
            self.now = event.at
        if not live:
            self._clock.stand(until)
        self.now = max(self.now, until)

    def settle(self) -> None:
        """Clears what is due and brings every launch up to date with the chain."""
        self._settle()

    def _planned(self) -> Sequence[Event]:
        """Returns the events that the plan names, by time."""
        if not self._due:
            self._due = sorted(self._events(), key=lambda event: event.at)
        return self._due

    def _events(self) -> Iterator[Event]:
        plan, office = self._plan, self._office
        for place, agent in enumerate(plan.agents):
            began = plan.began + place * MINUTE
            yield _act(began + APPLY, f"{agent.name} applies", office.apply, agent)
            yield _act(began + REVIEW, f"reviewers of {agent.name} seal their cards", office.seal, agent)
            yield _act(began + REVEAL, f"reviewers of {agent.name} open their cards", office.reveal, agent)
            if (opens := plan.opens(agent)) is not None:
                schedule = partial(office.schedule, agent, opens)
                yield Event(opens - NOTICE, f"{agent.name} is scheduled", schedule)
                yield from self._auction(agent, opens)

    def _auction(self, agent: Agent, opens: int) -> Iterator[Event]:
        moves, closes = self._plan.moves(agent), self._plan.closes(agent)
        for at, some in groupby(moves, key=lambda move: opens + move.at // MINUTE * MINUTE + MINUTE - 1):
            yield Event(min(at, closes - 1), f"bids on {agent.name}", partial(self._bid, agent, tuple(some)))
        for wait in (SETTLE, SETTLE + 1200, SETTLE + 2 * HOUR):  # large late bids put the end off
            yield Event(closes + wait, f"{agent.name} is cleared", self._settle)
        yield Event(closes + 2 * HOUR + CLAIM, f"bidders of {agent.name} claim", partial(self._claim, agent, moves))

    def _settle(self) -> None:
        self._send(())  # an empty block: contracts know the time of the newest block only
        self._office.settle()
        self._looked = False

    def _bid(self, agent: Agent, moves: Sequence[Move]) -> list[Call]:
        stage = self._stage(agent)
        return bids(moves, stage, self._office.credential) if stage else []

    def _claim(self, agent: Agent, moves: Sequence[Move]) -> list[Call]:
        stage = self._stage(agent)
        return claims(moves, stage) if stage else []

    def _stage(self, agent: Agent) -> Stage | None:
        """Returns an agent's auction and token, which never change once they are there."""
        if agent.symbol not in self._stages and (found := self._office.stage(agent)):
            self._stages[agent.symbol] = found
        return self._stages.get(agent.symbol)

    def _trade(self, now: int, pace: Pace) -> list[Call]:
        shops = self._open_shops(now)
        return [call for shop in shops for call in self._street.round(shop, now, pace.trades, pace.lot)]

    def _open_shops(self, now: int) -> list[Shop]:
        """Returns the pools; they are looked for anew after each settlement."""
        if self._looked:
            return list(self._shops.values())
        self._looked = True
        for agent in self._plan.agents:
            stage = None if agent.symbol in self._shops else self._office.stage(agent)
            if stage and stage.pool:
                token, quote = stage.pool.read("reserves")
                born = (now - self._plan.began) // HOUR
                self._shops[agent.symbol] = Shop(stage, born, quote * SUPPLY // token)
        return list(self._shops.values())

    def _send(self, calls: Sequence[Call]) -> None:
        self.refused += [receipt for receipt in self._chain.batch(calls) if not receipt.succeeded]


def _act(at: int, doing: str, act: Callable[[Agent], None], agent: Agent) -> Event:
    return Event(at, doing, partial(act, agent))
