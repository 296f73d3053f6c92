"""The street: traders come and go at the pools, one round after another, each round drawn from the seed and its time.

Nothing is remembered between rounds but approvals, so that the street goes on after a restart as it would have.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from mercato.chains import Address, Call
from mercato.launch.season.acts import Stage, Wallets
from mercato.launch.season.draws import chance, count, stream
from mercato.launch.season.people import Person
from mercato.launch.season.tide import Tide
from mercato.launch.season.trading import Order, Reserves, correction, order

HOUR = 3600
WHALE = 9  # lots
RUSH_HOURS, RUSH = 24, 3  # so long after a pool opens there are so many times as many traders


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

    def round(self, shop: Shop, now: int, mean_milli: int, lot: int) -> list[Call]:
        """Returns what traders send to a pool at a moment: so many thousandths of a trade are expected.

        `lot` is the middle trade in base units of the dollar; whales put in more.
        """
        assert shop.stage.pool is not None
        symbol = shop.stage.symbol
        draw = stream(self._seed, "street", symbol, now)
        token, quote = shop.stage.pool.read("reserves")
        pool = Reserves(token, quote)
        hour = max(shop.born, (now - self._began) // HOUR)
        worth = self._tide.worth(symbol, shop.worth, shop.born, hour)
        mean_milli *= RUSH if hour < shop.born + RUSH_HOURS else 1
        calls: list[Call] = []
        for who, wanted in self._orders(draw, pool, worth, mean_milli, lot):
            calls += self._wallets.trade(who, wanted, shop.stage, now)
        return calls

    def _orders(
        self, draw: Random, pool: Reserves, worth: int, mean_milli: int, lot: int
    ) -> Iterator[tuple[Address, Order]]:
        """Yields who wants what, one after another, each seeing what those before did; nobody comes twice."""
        if chance(draw, min(1000, mean_milli)) and (fix := correction(pool, worth)):
            pool = pool.after(fix)
            yield self._maker, fix
        for who in dict.fromkeys(
            self._people[draw.randrange(len(self._people))] for _ in range(count(draw, mean_milli))
        ):
            wanted = order(draw, pool, worth, lot * (WHALE if who.kind == "whale" else 1))
            if wanted:
                pool = pool.after(wanted)
                yield who.address, wanted
