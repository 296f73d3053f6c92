"""A level clearing auction that sells cheaper to identities, as far as it costs a bot more to buy one. No contract.

Retail bids carry a limit here. Their price is `off` below that of the highest level which the clearing price reaches,
so that people take part who believe a little less than the market. What an identity can gain by selling at the price
that it opens at is `each * (0.99 / (1 - off) - 1)`, as the pool's fee is 1 % from half an hour on: $16.50 for $100 at
15 % off, $18.75 for $50 at 28 % off, where the study lets an identity cost $20.

P_i price of level i, S sale, S_nc retail's cap, C_i competitive escrow at level i and above, A_i that of retail whose
limit is at least Q_i = P_i * (1 - off):
(1) q_i = min(S_nc, A_i / Q_i): what retail buys if level i is reached
(2) k = the highest level where C_k >= cost(S - q_k, P_k); the floor where none is
(3) S - q_k tokens clear among the competitive bids as on chain; but where that leads above level k + 1, everybody from
    there up buys at its price, and retail q_{k+1}
(4) retail pays Q_k, all of it whole, or by equal share where its cap is short
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, replace

from mercato.lab.mechanisms.book import Left, Settled
from mercato.lab.mechanisms.lca import Levels, Rules, Sums
from mercato.lab.mechanisms.variants import water
from mercato.launch.clearing import AMOUNT_LIMIT, BPS, LEVELS, Q96, Clearing, Demand, clear

PEOPLE = 1_000  # added to the level of a retail bid
OFF_BPS = 1_500


@dataclass(frozen=True, slots=True)
class Split:
    """How both parts clear: the competitive bids, with how they are cut off at `level`; retail's tokens and price, what
    it pays, and the most that one bid of it spends."""

    found: Clearing
    level: int
    tokens: int
    price: int
    paid: int
    most: int


class Discounted(Levels):
    """The auction; the rules' `each` and `retail_cap` bind retail as on chain."""

    def __init__(self, rules: Rules, off_bps: int = OFF_BPS) -> None:
        super().__init__(replace(rules, retail_cap=0))
        self._cap, self._keep = rules.retail_cap, BPS - off_bps
        self._cheap = [price * self._keep // BPS for price in self.terms.prices]
        self._people = Sums(LEVELS)
        self._bid_by: defaultdict[int, int] = defaultdict(int)

    def bid(self, at: int, who: int, amount: int, limit: int | None, retail: bool) -> int | None:
        """Places a bid; a retail one on the highest level whose cheaper price is at or below its limit."""
        if not retail:
            return super().bid(at, who, amount, limit, retail=False)
        level = LEVELS - 1 if limit is None else bisect_right(self._cheap, limit) - 1
        if level < 0 or self._bid_by[who] + amount > self.rules.each:
            return None
        ticket = self.place(at // 1_000, who, PEOPLE + level, amount)
        self._bid_by[who] += 0 if ticket is None else amount
        return ticket

    def raise_bid(self, at: int, ticket: int, amount: int, limit: int | None) -> bool:
        """Moves and adds to a competitive bid; a retail one stays as it is."""
        return self.level_of(ticket) < PEOPLE and super().raise_bid(at, ticket, amount, limit)

    def cancel(self, at: int, ticket: int) -> Left | None:
        """Takes a bid back whole, until the lock."""
        left = super().cancel(at, ticket)
        if left is not None and self.level_of(ticket) >= PEOPLE:
            self._bid_by[left.who] -= left.escrow
        return left

    def count(self, level: int, amount: int) -> None:
        """Adds to the sums of a level; those of retail are apart."""
        if level < PEOPLE:
            super().count(level, amount)
        else:
            self._people.add(level - PEOPLE, amount)
            self.total += amount

    def indicative(self, at: int) -> tuple[int, int]:
        """Returns the competitive price and the whole raise of the bids so far."""
        split = self._split()
        found, least = split.found, self.terms.prices[0]
        return found.raised * Q96 // found.sold if found.sold else least, found.raised + split.paid

    def settle(self) -> Settled:
        """Returns what every bidder is given."""
        split = self._split()
        lefts = tuple(self._ends(who, level, held, split) for (who, level), held in self.held.items() if held)
        price, raised = self.indicative(0)
        return Settled(raised, split.found.sold + split.tokens, lefts, price)

    def _ends(self, who: int, level: int, amount: int, split: Split) -> Left:
        if level < PEOPLE:
            return self.left(who, level, amount, split.found)
        if level - PEOPLE < split.level:
            return Left(who, amount, 0, 0)
        spent = min(amount, split.most)
        return Left(who, amount, min(amount, split.most + 1), spent * Q96 // split.price)

    def _split(self) -> Split:
        k = bisect_left(range(1, LEVELS), True, key=self._too_dear)
        prices, above = self.terms.prices, self.above.from_level(k + 1)
        levels = (self.above.from_level(k) - above, above)[: LEVELS - k]
        sale = self.terms.sale - self._bought(k)
        if k + 1 < LEVELS and above > 0 and above >= _up(sale * prices[k + 1], Q96):  # (3), where retail leaves a gap
            return self._with(Clearing(k + 1, above, above * Q96 // prices[k + 1], 0, 0, 0, 0), k + 1)
        found = clear(Demand(levels), replace(self.terms, prices=prices[k : k + 2], sale=sale, raise_min=0))
        return self._with(replace(found, k=found.k + k), k)

    def _with(self, found: Clearing, level: int) -> Split:
        """Returns how retail clears beside the competitive bids, at a level (4)."""
        tokens, price = self._bought(level), self._cheap[level]
        whole = self._people.from_level(level)
        if whole * Q96 <= self._cap * price:
            return Split(found, level, tokens, price, whole, AMOUNT_LIMIT)
        paid = tokens * price // Q96
        bids = (held for (_, at), held in self.held.items() if at >= PEOPLE + level)
        return Split(found, level, tokens, price, paid, water(sorted(bids), paid))

    def _bought(self, level: int) -> int:
        """Returns the tokens that retail buys where a level is reached (1)."""
        return min(self._cap, self._people.from_level(level) * Q96 // self._cheap[level])

    def _too_dear(self, level: int) -> bool:
        """Returns whether competitive demand from `level` up does not buy what retail leaves (2)."""
        cost = _up((self.terms.sale - self._bought(level)) * self.terms.prices[level], Q96)
        return self.above.from_level(level) < cost


def _up(number: int, by: int) -> int:
    return -(-number // by)
