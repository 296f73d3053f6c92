"""Runs one launch from its opening to the horizon: people's schedule, an adversary's wakes, and the measurements.

Actions land at block boundaries of the venue's chain. Within a block an adversary that paid for it comes first, people
follow in the order in which they sent, an adversary's other actions come last, and measurements see the block's end.
"""

from __future__ import annotations

from dataclasses import replace
from heapq import heappop, heappush
from typing import Protocol

from mercato.lab.mechanisms.port import Venue
from mercato.lab.model import ADVERSARY, BPS, HOUR, MINUTE, Outcome, Reserves, Tape
from mercato.lab.players import ACT, EXIT, KIND_BITS, LOOK, PERSON_BITS, SPREAD_BITS, Crowd, schedule

SAMPLE_MS = 10 * MINUTE
SHIFT = SPREAD_BITS + PERSON_BITS + KIND_BITS
PERSON = (1 << PERSON_BITS) - 1
KIND = (1 << KIND_BITS) - 1
#: After every person of a block.
LAST = (1 << SHIFT) - 1
IMPACT_BPS = (50, 100)


class Adversary(Protocol):
    """Attacks one launch. It sees what a chain shows, the announced range, and nothing of the tape.

    `rivals` is how many race for its place, itself included: all but one part in `rivals` of a profit goes to builders.
    """

    rivals: int

    def begin(self, world: World) -> None:
        """Plans its first wakes."""

    def wake(self, world: World, why: int) -> None:
        """Acts now, for the reason that it gave when it asked to be woken."""


class World:
    """One launch under one adversary. `costs` is what the adversary books beside its trades."""

    def __init__(self, venue: Venue, tape: Tape, adversary: Adversary) -> None:
        """Opens nothing yet: `run` does."""
        self.venue, self.economy = venue, tape.economy
        self.now = 0
        self.costs = 0
        self.actions: dict[str, int] = {}
        self._tape, self._adversary = tape, adversary
        self._crowd = Crowd(tape, venue)
        self._wakes: list[tuple[int, int, int]] = []
        self._asked = 0
        self._watched: int | None = None
        self._depths: list[Reserves] = []
        self._impacts: tuple[tuple[int, int], ...] = ()

    @property
    def path(self) -> list[int]:
        """The price every ten minutes so far; anybody can record it."""
        return self._crowd.path

    def wake(self, at: int, why: int = 0, first: bool = False) -> None:
        """Wakes the adversary in the block of `at`, before everybody else where it pays for that."""
        block = self.venue.block_ms
        landed = max(-(-at // block) * block, self.now)
        if landed < self.economy.horizon_ms:
            self._asked += 1
            heappush(self._wakes, (landed << SHIFT | (0 if first else LAST), self._asked, why))

    def watch(self, why: int) -> None:
        """Wakes the adversary first in the block after a pool has begun to trade, once."""
        self._watched = why

    def did(self, kind: str, done: object) -> None:
        """Counts a transaction of the adversary for gas, a refused one too."""
        name = f"adversary-{kind}" if done else "adversary-refused"
        self.actions[name] = self.actions.get(name, 0) + 1

    def run(self, names: tuple[str, str]) -> Outcome:
        """Returns how the launch came out; `names` are those of mechanism and adversary."""
        self._adversary.begin(self)
        self._measure_at(self.economy.window_ms)
        wakes = self._wakes
        for event in schedule(self._tape, self.venue.block_ms, SAMPLE_MS):
            while wakes and wakes[0][0] < event:
                self._woken()
            self._step(event)
            if self._watched is not None and self.venue.phase() == "pool":
                self.wake(self.now + 1, self._watched, first=True)
                self._watched = None
        while wakes:
            self._woken()
        return self._close(names)

    def _step(self, event: int) -> None:
        self.now = at = event >> SHIFT
        self.venue.advance(at)
        kind, person = event & KIND, event >> KIND_BITS & PERSON
        if kind == ACT:
            self._crowd.act(person)
        elif kind == LOOK:
            self._crowd.look(person)
        elif kind == EXIT:
            self._crowd.leave(person)
        else:
            self._crowd.path.append(self.venue.price())

    def _woken(self) -> None:
        key, _, why = heappop(self._wakes)
        self.now = key >> SHIFT
        self.venue.advance(self.now)
        if why >= 0:
            self._adversary.wake(self, why)
        else:
            self._measure()

    def _measure_at(self, at: int) -> None:
        self._asked += 1
        heappush(self._wakes, (at << SHIFT | LAST, self._asked, -1))

    def _measure(self) -> None:
        """Measures at T, T + 1 h and T + 24 h, where T is the window's end or an auction's later close."""
        closes = self.venue.closes
        if not self._depths and closes is not None and closes > self.now:
            self._measure_at(closes)
            return
        quote, tokens = self.venue.reserves() or (0, 0)
        self._depths.append(Reserves(self.now, quote, tokens))
        if len(self._depths) == 1:
            self._measure_at(self.now + HOUR)
        elif len(self._depths) == 2:
            spends = [self.venue.raised * bps // BPS for bps in IMPACT_BPS]
            self._impacts = tuple((spend, self.venue.quote(spend)) for spend in spends)
            self._measure_at(self.now + 23 * HOUR)

    def _close(self, names: tuple[str, str]) -> Outcome:
        """Sells what the adversary still has, so that its profit is money, and returns the books."""
        venue, books = self.venue, self.venue.ledger
        self.now = self.economy.horizon_ms
        venue.advance(self.now)
        for account in sorted(who for who in books.tokens if who >= ADVERSARY):
            venue.leave(account)
            if books.tokens[account]:
                self.did("sell", venue.sell(account, books.tokens[account]))
        first, hour, day = self._depths
        outcome = Outcome(
            *names,
            self._tape.seed,
            tuple(books.entries),
            tuple(books.exits),
            tuple(self.path),
            opened=0,
            closed=first.at,
            depths=(first, hour, day),
            impacts=self._impacts,
            tokens={who: held for who, held in books.tokens.items() if held},
            charged=dict(books.charged),
            received=dict(books.received),
            fees=dict(books.fees),
            raised=venue.raised,
            failed=venue.phase() == "failed",
            refunds=dict(books.refunds),
            refund_error=books.unpaid,
            costs=self.costs,
            actions=self._crowd.actions | self.actions,
        )
        rivals = self._adversary.rivals
        return replace(outcome, rent=max(outcome.profit, 0) * (rivals - 1) // rivals)
