"""The street: traders come and go at the pools, one round after another, each round drawn from the seed and its time.

Nothing is remembered between rounds but approvals, so that the street goes on after a restart as it would have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mercato.chains import Address, Call
from mercato.launch.season.acts import Stage, Wallets
from mercato.launch.season.draws import chance, count, stream
from mercato.launch.season.people import Person
from mercato.launch.season.tide import Tide
from mercato.launch.season.trading import Reserves, correction, order

HOUR = 3600


@dataclass(frozen=True)
class Shop:
    """A live pool on the street: since when (hours of the season), and what the whole supply cost at opening."""

    stage: Stage
    born: int
    worth: int


class Street:
    """Traders at every pool. `began` is when the season began, in seconds; `maker` keeps prices near their worth."""

    def __init__(self, seed: int, began: int, people: Sequence[Person], maker: Address) -> None:
        self._seed, self._began, self._people, self._maker = seed, began, people, maker
        self._tide, self._wallets = Tide(seed), Wallets()

    def round(self, shop: Shop, now: int, mean_milli: int) -> list[Call]:
        """Returns what traders send to a pool at a moment: so many thousandths of a trade are expected."""
        assert shop.stage.pool is not None
        symbol = shop.stage.symbol
        draw = stream(self._seed, "street", symbol, now)
        token, quote = shop.stage.pool.read("reserves")
        pool = Reserves(token, quote)
        worth = self._tide.worth(symbol, shop.worth, shop.born, max(shop.born, (now - self._began) // HOUR))
        calls: list[Call] = []
        if chance(draw, min(1000, mean_milli)) and (fix := correction(pool, worth)):
            calls += self._wallets.trade(self._maker, fix, shop.stage, now)
            pool = pool.after(fix) if calls else pool
        for _ in range(count(draw, mean_milli)):
            who = self._people[draw.randrange(len(self._people))]
            wanted = order(draw, pool, worth, whale=who.kind == "whale")
            if wanted and (sent := self._wallets.trade(who.address, wanted, shop.stage, now)):
                calls += sent
                pool = pool.after(wanted)
        return calls
