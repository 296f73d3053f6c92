"""Random trades for venues, and what has to hold after each of them."""

from __future__ import annotations

import random

from mercato.lab.mechanisms.port import Venue
from mercato.lab.model import DOLLAR, HOUR, Economy

ECONOMY = Economy(10**6 * DOLLAR, 3 * 10**6 * DOLLAR)


def moments(seed: int, count: int, spread_ms: int) -> list[tuple[int, int, bool, int]]:
    """Returns actions in time: when, who, whether to buy, and a size in base units."""
    draw = random.Random(seed)
    at, found = 0, []
    for _ in range(count):
        at += draw.randrange(2 * spread_ms)
        found.append((at, draw.randrange(20), draw.random() < 0.7, draw.randrange(1, 9_000 * DOLLAR)))
    return found


def play(venue: Venue, action: tuple[int, int, bool, int]) -> tuple[int, int]:
    """Returns what the venue promised for an action and what it gave."""
    at, who, buys, size = action
    venue.advance(at)
    if buys:
        return venue.quote(size), venue.buy(who, size)
    tokens = venue.ledger.tokens[who] * size // (9_000 * DOLLAR)
    return venue.worth(tokens), venue.sell(who, tokens)


def balance(venue: Venue, economy: Economy) -> tuple[int, int]:
    """Returns by how much quote and tokens do not add up: (0, 0) in a sound venue."""
    books, (quote, tokens) = venue.ledger, venue.held()
    paid = sum(books.charged.values()) + sum(books.escrow.values())
    gone = sum(books.received.values()) + sum(books.fees.values())
    return paid - gone - quote, economy.supply - sum(books.tokens.values()) - tokens


HORIZON = 50 * HOUR
