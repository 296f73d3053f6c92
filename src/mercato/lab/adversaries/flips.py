"""Adversaries that get in at a moment that they choose and sell to those who come later."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from mercato.lab.adversaries.hand import Hand, bidding, later, selling_from, size
from mercato.lab.model import BPS, DOLLAR, HOUR, MINUTE, Q96
from mercato.lab.world import World

ENTER, LEAVE = 0, 1
#: How many blocks in a row a refused purchase is sent again.
TRIES = 8
#: How many race where everybody knows the moment.
RIVALS = 5


class Flip:
    """Gets in at `at` before everybody else in the block, sells in equal pieces from `hold_minutes` later on.

    Accounts that are refused try the next blocks.
    Sales after the first piece are an eighth of the holding time apart. `rivals` race for the same place.
    """

    def __init__(self, size_bps: int, hold_minutes: int, at: int, hand: Hand, pieces: int = 1, rivals: int = 1) -> None:
        """Keeps the plan; sizes are bps of the raise target."""
        self.rivals = rivals
        self.hand = hand
        self._size_bps, self._hold, self._at = size_bps, hold_minutes, at
        self._pieces, self._tries = pieces, TRIES
        self._out: Sequence[int] = hand.accounts

    def begin(self, world: World) -> None:
        """Waits for the moment."""
        world.wake(self._at, ENTER, first=True)

    def wake(self, world: World, why: int) -> None:
        """Gets in, or sells the next piece."""
        if why == ENTER:
            self._enter(world)
        elif bidding(world):
            world.wake(selling_from(world, self._hold), LEAVE)
        elif self._pieces:
            self.hand.leave(world, self._pieces)
            self._pieces -= 1
            world.wake(world.now + max(self._hold * MINUTE // 8, world.venue.block_ms), LEAVE)

    def _enter(self, world: World) -> None:
        refused = self.hand.refused(world, size(world, self._size_bps), self._out)
        if len(refused) < len(self._out) == len(self.hand.accounts):
            world.wake(selling_from(world, self._hold), LEAVE, first=True)
        self._out = refused
        if refused and self._tries:
            self._tries -= 1
            world.wake(world.now + world.venue.block_ms, ENTER, first=True)


class EdgeFlip(Flip):
    """Gets in once fees and taxes of its purchase have fallen to `edge_bps`, or once an auction takes bids."""

    def __init__(self, edge_bps: int, hold_minutes: int, size_bps: int) -> None:
        """Keeps the edge."""
        super().__init__(size_bps, hold_minutes, 0, Hand(), rivals=RIVALS)
        self._edge_bps = edge_bps

    def _enter(self, world: World) -> None:
        spend = size(world, self._size_bps)
        got = world.venue.quote(spend) * world.venue.price() // Q96
        if bidding(world) or got * BPS >= spend * (BPS - self._edge_bps):
            super()._enter(world)
        else:
            world.wake(later(world), ENTER, first=True)


class OpeningFlip(Flip):
    """Gets in first in the block after a pool has opened."""

    def __init__(self, size_bps: int, hold_minutes: int) -> None:
        """Keeps the plan."""
        super().__init__(size_bps, hold_minutes, 0, Hand(), rivals=RIVALS)

    def begin(self, world: World) -> None:
        """Watches for the pool."""
        world.watch(ENTER)


def latency_sniper(size_bps: int, hold_minutes: int, block_ms: int) -> Flip:
    """Returns a bot that wins the race for the first block after the launch's own, against four rivals."""
    return Flip(size_bps, hold_minutes, block_ms, Hand(), rivals=RIVALS)


def insider(size_bps: int, hold_minutes: int) -> Flip:
    """Returns one who knows of the launch and buys in its own block from eight accounts, then sells in eight pieces."""
    return Flip(size_bps, hold_minutes, 0, Hand(8), pieces=8)


class Sybil(Flip):
    """Many accounts, each with an identity bought for `identity` quote where identities count, all one entity."""

    def __init__(self, accounts: int, size_bps: int, identity: int, block_ms: int) -> None:
        """Keeps the plan; holds for an hour."""
        super().__init__(size_bps, 60, block_ms, Hand(accounts, verified=True))
        self._identity = identity

    def begin(self, world: World) -> None:
        """Waits for the moment, and buys the identities that bids will need."""
        super().begin(world)
        world.costs += self._identity * len(self.hand.accounts) * (world.venue.kind == "auction")


def placebo(seed: int) -> Flip:
    """Returns a bot that buys and sells at random, up to a fifth of the raise target and within a day."""
    dice = Random(f"mercato lab placebo {seed}")
    hold, at = dice.randrange(1, 24 * 60), dice.randrange(20 * HOUR)
    return Flip(dice.randrange(50, 2_000), hold, at, Hand())


class Probe:
    """Spends $200 once, at a given time, and keeps what it gets until the end: what is the moment worth?"""

    rivals = 1
    SPEND = 200 * DOLLAR

    def __init__(self, at: int) -> None:
        """Keeps the time."""
        self._at = at

    def begin(self, world: World) -> None:
        """Waits for it."""
        world.wake(self._at, ENTER, first=True)

    def wake(self, world: World, why: int) -> None:
        """Buys, or bids at any price."""
        Hand().enter(world, self.SPEND)


class Nobody:
    """No adversary at all."""

    rivals = 1

    def begin(self, world: World) -> None:
        """Plans nothing."""

    def wake(self, world: World, why: int) -> None:
        """Is never woken."""
