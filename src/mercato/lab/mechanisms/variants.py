"""Level clearing auctions that differ from the one on chain: what the lab tries. None of them is a contract.

`EqualShare` divides the retail tranche from the smallest bid up: everybody gets the same until their bid is used up, so
that one price serves as many people as it can. With `w` the greatest number for which sum(min(b, w)) <= R_nc, a retail
bid b buys for min(b, w) and is charged min(b, w + 1), which covers R_nc.

`Elastic` sells more where the price is higher: S_i = S * (1 + min(i, 50) / 200) at level i, a quarter more at most,
with retail's part and the pool's reserve in proportion. An upward sloping supply makes low prices by agreement
unprofitable (LiCalzi and Pavan 2005, Games and Economic Behavior 50). The level is the highest that demand buys at its
own sale; between levels the sale of the lower one holds, and where that would lift the price to the level
above, just as much is sold as keeps it there.
"""

from __future__ import annotations

from dataclasses import replace

from mercato.lab.mechanisms.book import Left, Settled
from mercato.lab.mechanisms.lca import Levels, Rules
from mercato.launch.clearing import LEVELS, Q96, RETAIL, Clearing, Demand, clear

STEEPEST, PARTS = 50, 200


class EqualShare(Levels):
    """Divides what the retail tranche buys by equal share instead of pro rata."""

    _water = 0

    def settle(self) -> Settled:
        """Returns every bid's end; those of the retail tranche by equal share."""
        retail = sorted(amount for (_, level), amount in self.held.items() if level == RETAIL)
        self._water = water(retail, self.final().r_nc)
        return super().settle()

    def left(self, who: int, level: int, amount: int, found: Clearing) -> Left:
        """Returns what one bidder ends with at one level."""
        if level != RETAIL or not found.r_nc:
            return super().left(who, level, amount, found)
        tokens = min(amount, self._water) * found.sold // found.raised
        return Left(who, amount, min(amount, self._water + 1), tokens)


class Elastic(Levels):
    """Sells more the higher the price is."""

    def __init__(self, rules: Rules) -> None:
        super().__init__(rules)
        self._sales = [rules.sale * (PARTS + min(level, STEEPEST)) // PARTS for level in range(LEVELS)]
        self._caps = [rules.retail_cap * sale // rules.sale for sale in self._sales]
        prices = self.terms.prices
        self.costs = [-(-sale * price // Q96) for sale, price in zip(self._sales, prices, strict=True)]
        self.takes = [cap * price // Q96 for cap, price in zip(self._caps, prices, strict=True)]

    def final(self) -> Clearing:
        """Returns the same as `found`: two levels decide."""
        return self.found()

    def near(self, k: int, demand: Demand) -> Clearing:
        """Returns how demand at level k and above clears, at the sale of level k or where that ends."""
        prices = self.terms.prices[k : k + 2]
        found = clear(demand, replace(self.terms, prices=prices, sale=self._sales[k], retail_cap=self._caps[k]))
        if len(prices) == 1 or found.raised * Q96 <= found.sold * prices[1]:
            return found
        taken = min(demand.retail, self.takes[k + 1])
        raised = demand.levels[1] + taken
        return Clearing(1, raised, raised * Q96 // prices[1], 0, 0, taken, demand.retail)


def water(amounts: list[int], total: int) -> int:
    """Returns the greatest w for which the amounts, each cut at w, add up to `total` at most."""
    rest, left = total, len(amounts)
    for amount in amounts:
        if amount * left > rest:
            return rest // left
        rest, left = rest - amount, left - 1
    return amounts[-1] if amounts else 0
