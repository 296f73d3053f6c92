"""EasyAuction-like batch: limit orders until the end, then one price for all, and one order that is filled in part.

Source: github.com/gnosis/ido-contracts, `contracts/EasyAuction.sol`, `contracts/libraries/IterableOrderedOrderSet.sol`
and the defaults of `src/tasks/initiate_new_auction.ts`, at its commit of 13 March 2023, read 22 November 2026.
Its defaults are kept: no cancelling (their date of its end is 0), no minimal funding, no last order in the settling
transaction, fee 0 of 1000. Its makers offer 100 hours; the study gives every auction the same window.

An order sells `amount` of quote for `wanted` tokens at least; its price is amount / wanted.
(1) Orders stand from the highest price down; of equal ones the one that wants less first, then whoever came first.
(2) They are added up until sum * wanted >= sale * amount of the last one, or none is left.
(3) uncovered = sum - sale * amount / wanted of the last one. Where it has that much, everybody pays its price, and it
    is filled by amount - uncovered; else the price is (sum - amount) / sale.
(4) Where none was left the price is sum / sale, at least the initial one; at that one tokens stay unsold.
All divisions round down.
"""

from __future__ import annotations

from bisect import insort

from mercato.lab.mechanisms.book import Left, Settled
from mercato.lab.model import Q96

Order = tuple[int, int, int, int, int]
"""Price turned over, to sort by; tokens wanted; number of the user; quote; ticket."""


class Batch:
    """The order book. `floor` is the initial price, Q96; an order's limit lies above it, its amount above `least`."""

    def __init__(self, sale: int, floor: int, least: int, closes: int) -> None:
        self.closes = closes
        self._sale = sale
        self._least_raise = sale * floor // Q96
        self._least = least
        self._orders: list[Order] = []
        self._placed: set[tuple[int, ...]] = set()
        self._users: dict[int, int] = {}
        self._owners: list[int] = []
        self._taken = self._sum = 0  # of the orders in their sequence, those that (2) has added up

    def bid(self, at: int, who: int, amount: int, limit: int | None, retail: bool) -> int | None:
        """Places an order; one that takes any price wants a single wei of tokens."""
        wanted = 1 if limit is None else -(-amount * Q96 // max(limit, 1))
        above = wanted * self._least_raise < self._sale * amount
        if at >= self.closes or amount <= self._least or not above:
            return None
        user = self._users.setdefault(who, len(self._users))
        order = ((wanted << 192) // amount, wanted, user, amount)  # exact for amounts below 2**96
        if order in self._placed:
            return None
        self._placed.add(order)
        ticket = len(self._owners)
        self._owners.append(who)
        insort(self._orders, (*order, ticket))
        if self._taken and (*order, ticket) < self._orders[self._taken]:
            self._taken, self._sum = self._taken + 1, self._sum + amount
        self._add_up()
        return ticket

    def raise_bid(self, at: int, ticket: int, amount: int, limit: int | None) -> bool:
        """Refuses: whoever wants more places another order."""
        return False

    def cancel(self, at: int, ticket: int) -> Left | None:
        """Refuses: orders are firm from the start."""
        return None

    def whose(self, ticket: int) -> int | None:
        """Returns who placed an order."""
        return self._owners[ticket] if 0 <= ticket < len(self._owners) else None

    def indicative(self, at: int) -> tuple[int, int]:
        """Returns price and raise of the orders so far."""
        wanted, paid, _, raised, _ = self._clear()
        return paid * Q96 // wanted, raised

    def settle(self) -> Settled:
        """Returns (3) or (4) and what every order gets, rounded down; its quote is never given back in part but for
        the one at the margin."""
        wanted, paid, margin, raised, sold = self._clear()
        lefts = []
        for place, (_, _, _, amount, ticket) in enumerate(self._orders):
            spent = amount if place < self._taken else 0
            if place == self._taken - 1 and margin is not None:
                spent = margin
            lefts.append(Left(self._owners[ticket], amount, spent, spent * wanted // paid))
        return Settled(raised, sold, tuple(lefts))

    def _add_up(self) -> None:
        """Moves (2) on by the newest order: more are added up until it holds, fewer where it holds without them."""
        while self._taken < len(self._orders) and not self._enough(self._taken, self._sum):
            self._sum += self._orders[self._taken][3]
            self._taken += 1
        while self._taken > 1 and self._enough(self._taken - 1, before := self._sum - self._orders[self._taken - 1][3]):
            self._sum = before
            self._taken -= 1

    def _enough(self, taken: int, total: int) -> bool:
        """Returns whether (2) ends with this many orders, which add up to `total`."""
        if not taken:
            return False
        _, wanted, _, amount, _ = self._orders[taken - 1]
        return total * wanted >= self._sale * amount

    def _clear(self) -> tuple[int, int, int | None, int, int]:
        """Returns the price as tokens and quote, the fill of the last order where it is in part, raise and tokens."""
        if self._enough(self._taken, self._sum):
            _, wanted, _, amount, _ = self._orders[self._taken - 1]
            uncovered = self._sum - self._sale * amount // wanted
            if amount >= uncovered:
                return wanted, amount, amount - uncovered, self._sum - uncovered, self._sale
            return self._sale, self._sum - amount, 0, self._sum - amount, self._sale
        if self._sum > self._least_raise:
            return self._sale, self._sum, None, self._sum, self._sale
        sold = self._sum * self._sale // self._least_raise
        return self._sale, self._least_raise, None, sold * self._least_raise // self._sale, sold
