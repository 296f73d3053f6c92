"""How honest people use a launch: the same tape everywhere, the use as each kind of sale is meant to be used.

- In an auction somebody bids once, the whole budget: up to the own belief, or at any price (market orders). Where a
  part of the sale is kept for people, market orders with a proven identity go there first, up to what it allows; so do
  others with one where such a bid keeps its limit.
- In trades somebody buys while the price, fees in, is below the own belief: all, or a quarter where all is too much.
- A market order is sent after a look, lands a human delay later, and bears a quarter less tokens than were seen;
  nobody pays more than three times the own belief.
- Who holds and sees five quarters of the own belief sells half; who needs the money sells all.
- Who follows momentum believes more after a rise within the last hour, by a part of it.
"""

from __future__ import annotations

from functools import lru_cache

from mercato.lab.mechanisms.port import Venue
from mercato.lab.model import BPS, DOLLAR, Q96, Tape

ACT, LOOK, EXIT, SAMPLE = range(4)
KIND_BITS, PERSON_BITS, SPREAD_BITS = 2, 24, 30
LEAST = 2 * DOLLAR
FEAR, GREED_QUARTERS, BORNE_QUARTERS = 3, 5, 3
HOUR_OF_SAMPLES = 6


@lru_cache(maxsize=64)
def limits(tape: Tape) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Returns the most that each person pays per token, Q96, and the price from which each sells."""
    supply = tape.economy.supply
    believed = [value * Q96 // supply for value in tape.values]
    most = tuple(price * FEAR if anyhow else price for price, anyhow in zip(believed, tape.market, strict=True))
    return most, tuple(price * GREED_QUARTERS // 4 for price in believed)


@lru_cache(maxsize=128)
def schedule(tape: Tape, block_ms: int, every_ms: int) -> tuple[int, ...]:
    """Returns what people do when, as sorted numbers: block time, time within it, person, kind (see `landing`).

    The price is sampled every `every_ms`, before anything else that lands then.
    """
    horizon = tape.economy.horizon_ms
    events = [landing(at, 1, 0, SAMPLE) for at in range(0, horizon, every_ms)]
    for person, (arrives, delay, market) in enumerate(zip(tape.arrives, tape.delays, tape.market, strict=True)):
        for look in (arrives, *tape.checks[person]):
            if look + delay < horizon:
                events.append(landing(look + delay, block_ms, person, ACT))
                if market:
                    events.append(landing(look, block_ms, person, LOOK))
        if tape.exits[person] >= 0:
            events.append(landing(tape.exits[person], block_ms, person, EXIT))
    return tuple(sorted(event for event in events if event >> (SPREAD_BITS + PERSON_BITS + KIND_BITS) < horizon))


def landing(at: int, block_ms: int, person: int, kind: int) -> int:
    """Returns an event as one number that sorts by the block that it lands in, then by time, person and kind."""
    block = -(-at // block_ms) * block_ms
    return (((block << SPREAD_BITS | (at if kind != SAMPLE else 0)) << PERSON_BITS | person) << KIND_BITS) | kind


class Crowd:
    """All people of a tape in one venue. `path` is the price every ten minutes so far, which the world extends."""

    __slots__ = ("_bid", "_exits", "_gone", "_left", "_most", "_seen", "_tape", "_venue", "actions", "path")

    def __init__(self, tape: Tape, venue: Venue) -> None:
        self._tape, self._venue = tape, venue
        self._most, self._exits = limits(tape)
        self._left = list(tape.budgets)
        self._seen = [0] * len(tape)
        self._bid = [False] * len(tape)
        self._gone = [False] * len(tape)
        self.path: list[int] = []
        self.actions = {"buy": 0, "sell": 0, "bid": 0, "claim": 0}

    def act(self, person: int) -> None:
        """Bids while an auction takes bids, and trades otherwise."""
        venue = self._venue
        if venue.kind == "auction" and venue.phase() != "pool":
            self._offer(person)
            return
        if self._bid[person]:
            self._bid[person] = False
            self._left[person] = self._tape.budgets[person] - venue.ledger.charged[person]
            self.actions["claim"] += 1
        if self._gone[person]:
            self.leave(person)
            return
        price, most = venue.price(), self._most[person]
        if self._tape.momentum[person]:
            most += self._follow(person, price)
        if self._left[person] >= LEAST and 0 < price < most:
            self._buy(person, most)
        elif price > self._exits[person] and (holds := venue.ledger.tokens[person]):
            self.actions["sell"] += venue.sell(person, holds // 2) > 0

    def look(self, person: int) -> None:
        """Remembers what a market order would give now."""
        if self._left[person] >= LEAST and not self._gone[person]:
            self._seen[person] = self._venue.quote(self._left[person])

    def leave(self, person: int) -> None:
        """Sells all, at the next look again what cannot be sold yet, and buys no more."""
        self._gone[person] = True
        if holds := self._venue.ledger.tokens[person]:
            self.actions["sell"] += self._venue.sell(person, holds) > 0

    def _offer(self, person: int) -> None:
        if self._bid[person] or self._gone[person] or self._left[person] < self._tape.economy.bid_least:
            return
        venue, rest, anyhow = self._venue, self._left[person], self._tape.market[person]
        limit, taken = None if anyhow else self._most[person], False
        if (anyhow or venue.retail_limited) and venue.retail_most and self._tape.verified[person]:
            part = min(rest, venue.retail_most)
            taken = venue.bid(person, part, limit, True) is not None
            rest -= part * taken
            self.actions["bid"] += taken
        if rest >= self._tape.economy.bid_least and venue.bid(person, rest, limit) is not None:
            taken = True
            self.actions["bid"] += 1
        if taken:
            self._bid[person], self._left[person] = True, 0

    def _buy(self, person: int, most: int) -> None:
        venue, spend = self._venue, self._left[person]
        if self._tape.market[person]:
            least = max(self._seen[person] * BORNE_QUARTERS // 4, spend * Q96 // most)
            if not self._seen[person]:
                return
        else:
            least = spend * Q96 // most
            if venue.quote(spend) < least:
                spend >>= 2
                least >>= 2
        before = venue.ledger.charged[person]
        if venue.buy(person, spend, least + 1):
            self._left[person] -= venue.ledger.charged[person] - before
            self.actions["buy"] += 1

    def _follow(self, person: int, price: int) -> int:
        """Returns by how much the last hour's rise, of at most twice the price, lifts what somebody would pay."""
        before = self.path[-HOUR_OF_SAMPLES] if len(self.path) >= HOUR_OF_SAMPLES else 0
        if not before or price <= before:
            return 0
        rise = min(price - before, before) * BPS // before
        return self._most[person] * rise // BPS * self._tape.momentum[person] // BPS
