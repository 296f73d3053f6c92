"""The level clearing auction as it is on chain, with switches for what is left out or tried.

Source: this house; `mercato.launch.clearing` settles and `mercato.contracts.auction` is the contract, whose rules on
window, lock, soft close and least bids are followed to the second. A run of the unchanged auction, replayed on the
contract, agrees to the wei.

`indicative` finds the same price as `clearing.clear`, from sums that are kept while bids come in.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, replace

from mercato.lab.mechanisms.book import Left, Settled
from mercato.launch.clearing import BPS, LEVELS, Q96, RETAIL, Clearing, Demand, Terms, clear, grid, settle

HOUR = 3_600  # seconds
EXTENSION, LARGE_BPS, LONGEST = 600, 100, 7_200  # seconds, of all demand, seconds
STEP_BPS = 200


@dataclass(frozen=True, slots=True)
class Rules:
    """An auction's terms: tokens, quote, floor price in Q96, seconds since it opened; `each` is the most quote that one
    identity may hold in the retail tranche of `retail_cap` tokens."""

    sale: int
    floor: int
    retail_cap: int
    each: int
    raise_min: int = 1
    least: int = 5 * 10**6
    locks: int = 18 * HOUR
    closes: int = 24 * HOUR
    soft_close: bool = True

    @property
    def terms(self) -> Terms:
        """The terms for the model."""
        return Terms(self.sale, self.retail_cap, self.raise_min, grid(self.floor, STEP_BPS))


@dataclass(slots=True)
class _Bid:
    who: int
    level: int
    amount: int


class Levels:
    """The bids of a level clearing auction, by who and level as the contract keeps them."""

    def __init__(self, rules: Rules) -> None:
        self.rules, self.terms = rules, rules.terms
        self._end = rules.closes
        self.held: defaultdict[tuple[int, int], int] = defaultdict(int)
        self._bids: list[_Bid] = []
        self.above = Sums(LEVELS)
        self.retail = self.total = 0
        self.costs = [-(-rules.sale * price // Q96) for price in self.terms.prices]
        self.takes = [rules.retail_cap * price // Q96 for price in self.terms.prices]

    @property
    def closes(self) -> int:
        """When bids end as it stands, in milliseconds."""
        return self._end * 1_000

    def bid(self, at: int, who: int, amount: int, limit: int | None, retail: bool) -> int | None:
        """Places a bid on the highest level at or below its limit, or into the retail tranche."""
        level = RETAIL if retail and self.terms.retail_cap else self.level_at(limit)
        return None if level is None else self.place(at // 1_000, who, level, amount)

    def raise_bid(self, at: int, ticket: int, amount: int, limit: int | None) -> bool:
        """Moves a bid to a higher level, and adds to it there."""
        bid, second = self._bids[ticket], at // 1_000
        level, rest = bid.level, self.held[bid.who, bid.level] - bid.amount
        if level != RETAIL and limit is not None:
            level = max(self.level_at(limit) or 0, level)
        if not bid.amount or not 0 <= second < self._end or (level == bid.level and not amount):
            return False
        if level == RETAIL and self.held[bid.who, RETAIL] + amount > self.rules.each:
            return False
        if level != bid.level:
            if 0 < rest < self.rules.least:
                return False
            self._extend(second, bid.amount)
            self.held[bid.who, bid.level] = rest
            self.held[bid.who, level] += bid.amount
            self.above.add(bid.level, -bid.amount)
            self.above.add(level, bid.amount)
            bid.level = level
        if amount and self._enter(second, bid.who, level, amount):
            bid.amount += amount
        return True

    def cancel(self, at: int, ticket: int) -> Left | None:
        """Takes a bid back whole, until the lock."""
        bid = self._bids[ticket]
        rest = self.held[bid.who, bid.level] - bid.amount
        if bid.amount == 0 or at // 1_000 >= self.rules.locks or 0 < rest < self.rules.least:
            return None
        self.held[bid.who, bid.level] = rest
        self.count(bid.level, -bid.amount)
        amount, bid.amount = bid.amount, 0
        return Left(bid.who, amount, 0, 0)

    def whose(self, ticket: int) -> int | None:
        """Returns who placed a bid that is still in."""
        return self._bids[ticket].who if 0 <= ticket < len(self._bids) and self._bids[ticket].amount else None

    def level_of(self, ticket: int) -> int:
        """Returns where a bid stands; `RETAIL` in the tranche."""
        return self._bids[ticket].level

    def amount_of(self, ticket: int) -> int:
        """Returns the quote of a bid; 0 once it was taken back."""
        return self._bids[ticket].amount

    def indicative(self, at: int) -> tuple[int, int]:
        """Returns price and raise of the bids so far."""
        found = self.found()
        return found.raised * Q96 // found.sold if found.sold else self.terms.prices[0], found.raised

    def found(self) -> Clearing:
        """Returns how the bids so far clear, from two levels: the highest that demand buys, and all above it as one."""
        k = bisect_left(range(1, LEVELS), True, key=self._short)
        above = self.above.from_level(k + 1)
        demand = Demand((self.above.from_level(k) - above, above), self.retail)
        found = self.near(k, demand if k + 1 < LEVELS else replace(demand, levels=demand.levels[:1]))
        return replace(found, k=found.k + k) if found.sold else found

    def near(self, k: int, demand: Demand) -> Clearing:
        """Returns how demand at level k and above, of which level k decides, clears; the level counts from k."""
        return clear(demand, replace(self.terms, prices=self.terms.prices[k : k + 2]))

    def settle(self) -> Settled:
        """Returns what every bidder is given at every level, as the contract's claims do."""
        found = self.final()
        lefts = (self.left(who, level, amount, found) for (who, level), amount in self.held.items() if amount)
        return Settled(found.raised, found.sold, tuple(lefts))

    def final(self) -> Clearing:
        """Returns how the auction cleared, from all levels."""
        return clear(Demand(self.above.each(), self.retail), self.terms)

    def left(self, who: int, level: int, amount: int, found: Clearing) -> Left:
        """Returns what one bidder ends with at one level."""
        fill = settle(level, amount, found)
        return Left(who, amount, fill.charge, fill.tokens)

    def _short(self, level: int) -> bool:
        """Returns whether demand from `level` up, with retail, does not buy the sale there."""
        return self.above.from_level(level) + min(self.retail, self.takes[level]) < self.costs[level]

    def level_at(self, limit: int | None) -> int | None:
        """Returns the highest level at or below a limit; None below the floor."""
        level = LEVELS - 1 if limit is None else bisect_right(self.terms.prices, limit) - 1
        return None if level < 0 else level

    def place(self, second: int, who: int, level: int, amount: int) -> int | None:
        """Returns the ticket of a new bid; None where it is refused."""
        if not self._enter(second, who, level, amount):
            return None
        self._bids.append(_Bid(who, level, amount))
        return len(self._bids) - 1

    def _enter(self, second: int, who: int, level: int, amount: int) -> bool:
        held = self.held[who, level] + amount
        if not 0 <= second < self._end or amount <= 0 or held < self.rules.least:
            return False
        if level == RETAIL and held > self.rules.each:
            return False
        self._extend(second, amount)
        self.held[who, level] = held
        self.count(level, amount)
        return True

    def _extend(self, second: int, amount: int) -> None:
        """Moves the end where a large bid comes late."""
        late = self._end - second <= EXTENSION and amount * BPS > self.total * LARGE_BPS
        if late and self.rules.soft_close:
            self._end = max(self._end, min(self._end + EXTENSION, self.rules.closes + LONGEST))

    def count(self, level: int, amount: int) -> None:
        """Adds to the sums of a level."""
        self.total += amount
        if level == RETAIL:
            self.retail += amount
        else:
            self.above.add(level, amount)


class Sums:
    """Numbers by level, whose sum from a level up costs a few steps (a binary indexed tree)."""

    __slots__ = ("_count", "_numbers", "_tree")

    def __init__(self, count: int) -> None:
        self._count = count
        self._numbers = [0] * count
        self._tree = [0] * (count + 1)

    def add(self, level: int, amount: int) -> None:
        """Adds to one level."""
        self._numbers[level] += amount
        place = self._count - level
        while place <= self._count:
            self._tree[place] += amount
            place += place & -place

    def from_level(self, level: int) -> int:
        """Returns the sum of this level and all above."""
        place, total = self._count - level, 0
        while place > 0:
            total += self._tree[place]
            place -= place & -place
        return total

    def each(self) -> tuple[int, ...]:
        """Returns the numbers."""
        return tuple(self._numbers)
