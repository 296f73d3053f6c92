"""What attacks are made of: the accounts of one adversary, how they get in, how they get out."""

from __future__ import annotations

from collections.abc import Sequence

from mercato.lab.model import ADVERSARY, BPS, MINUTE
from mercato.lab.world import World

#: The most that a polled condition is looked at late: a sixteenth of the launch's age.
PATIENCE = 16
#: The part of a purchase that is offered for a place in the block, where places are sold.
TIP = 50


class Hand:
    """Several accounts of one adversary. `spent` is what it put in at most, bids included."""

    def __init__(self, accounts: int = 1, verified: bool = False) -> None:
        """Names the accounts; `verified` bids into what is kept for people, one identity each."""
        self.accounts = range(ADVERSARY, ADVERSARY + accounts)
        self.tickets: list[int] = []
        self._verified = verified

    def enter(self, world: World, spend: int, limit: int | None = None) -> int:
        """Bids or buys for `spend`, split over the accounts; returns how many did. `limit` binds trades as well."""
        return len(self.accounts) - len(self.refused(world, spend, self.accounts, limit))

    def refused(self, world: World, spend: int, accounts: Sequence[int], limit: int | None = None) -> list[int]:
        """Lets some accounts bid or buy for their part of `spend`, and returns those that were refused."""
        part = spend // len(self.accounts)
        return [who for who in accounts if not self._enter(world, who, part, limit)]

    def leave(self, world: World, part: int = 1) -> None:
        """Sells one part in `part` of what each account holds."""
        tokens = world.venue.ledger.tokens
        for who in self.accounts:
            if holds := tokens.get(who, 0) // part:
                world.did("sell", world.venue.sell(who, holds))

    def _enter(self, world: World, who: int, spend: int, limit: int | None) -> bool:
        if bidding(world):
            kept = self._verified and world.venue.retail_most
            ticket = world.venue.bid(who, min(spend, kept) if kept else spend, limit, bool(kept))
            world.did("bid", ticket is not None)
            if ticket is not None:
                self.tickets.append(ticket)
            return ticket is not None
        if limit is not None and world.venue.price() > limit:
            return False
        world.venue.tip(who, spend // TIP)
        bought = world.venue.buy(who, spend)
        world.did("buy", bought)
        return bought > 0


def bidding(world: World) -> bool:
    """Returns whether the launch is an auction that is not closed."""
    return world.venue.kind == "auction" and world.venue.phase() in ("before", "primary")


def size(world: World, size_bps: int) -> int:
    """Returns a part of the raise target, quote."""
    return world.economy.raise_target * size_bps // BPS


def selling_from(world: World, hold_minutes: int) -> int:
    """Returns when to sell what was entered now: a while after it is held, which in an auction is from its close."""
    closes = world.venue.closes
    return (closes if bidding(world) and closes is not None else world.now) + hold_minutes * MINUTE


def later(world: World) -> int:
    """Returns when to look again: the next block, later and later as the launch ages."""
    return world.now + max(world.venue.block_ms, world.now // PATIENCE)
