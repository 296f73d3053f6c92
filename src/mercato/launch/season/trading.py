"""What traders do in one pool in one round: pure, from the pool's reserves and what the supply seems worth.

Prices are what the whole supply costs, in base units of the test dollar, so that they stay whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isqrt
from random import Random
from typing import Literal

from mercato.launch.season.draws import bell, chance, grown, lognormal

Side = Literal["buy", "sell"]
SUPPLY = 10**27  # a billion tokens of eighteen decimals
DOLLAR = 10**6
NOISE = 45  # thousandths by which a trader's opinion is off
BAND = 25  # thousandths between price and opinion that a trader does not bother about


@dataclass(frozen=True, slots=True)
class Reserves:
    """What a pool holds: token units and dollar units."""

    token: int
    quote: int

    @property
    def price(self) -> int:
        """Returns what the whole supply costs at the margin."""
        return self.quote * SUPPLY // self.token

    def after(self, order: Order) -> Reserves:
        """Returns the reserves after an order, fees aside: near enough for the next trader of the same block."""
        k = self.token * self.quote
        if order.side == "buy":
            quote = self.quote + order.amount
            return replace(self, quote=quote, token=k // quote)
        token = self.token + order.amount
        return replace(self, token=token, quote=k // token)


@dataclass(frozen=True, slots=True)
class Order:
    """Buy for so many dollar units, or sell so many token units."""

    side: Side
    amount: int


def order(draw: Random, now: Reserves, worth: int, lot: int) -> Order | None:
    """Returns what one trader does; None where the price is about right and there is no other reason.

    `lot` is what the middle trader puts in, in base units of the dollar.
    """
    opinion = grown(worth, bell(draw) * NOISE // 1000)
    size = lognormal(draw, lot, 800)
    if opinion * 1000 > now.price * (1000 + BAND):
        return Order("buy", max(DOLLAR, min(size, _towards(now, opinion))))
    if opinion * 1000 < now.price * (1000 - BAND):
        return _sale(now, min(size, _towards(now, opinion)))
    if chance(draw, 350):  # money needed elsewhere, or just found
        return Order("buy", max(DOLLAR, size // 2)) if chance(draw, 500) else _sale(now, size // 2)
    return None


def correction(now: Reserves, worth: int) -> Order | None:
    """Returns what a market maker does against a price that is far off: it goes half of the way."""
    if abs(worth - now.price) * 1000 < now.price * 30:
        return None
    size = _towards(now, worth) // 2
    return Order("buy", max(DOLLAR, size)) if worth > now.price else _sale(now, size)


def _towards(now: Reserves, price: int) -> int:
    """Returns the dollars that move the pool to a price: quote x |sqrt(price / now) - 1|."""
    target = isqrt(price * 10**18 // now.price)
    return now.quote * abs(target - 10**9) // 10**9


def _sale(now: Reserves, dollars: int) -> Order:
    """Returns a sale of tokens worth so many dollars at the margin."""
    return Order("sell", max(1, max(DOLLAR, dollars) * now.token // now.quote))
