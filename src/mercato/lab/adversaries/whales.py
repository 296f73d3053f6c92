"""Adversaries with much money and patience: one looks last, one bids less than it wants."""

from __future__ import annotations

from mercato.lab.adversaries.hand import Hand, bidding, selling_from, size
from mercato.lab.model import BPS, HOUR, Q96
from mercato.lab.world import World

ENTER, LEAVE = 0, 1
LOOKS = 4


class LastLook:
    """Acts in the last block of the window on everything that it saw, and sells `hold_minutes` after the close.

    It gets in where the price is below `limit_bps` of the middle of the announced range. Where the auction's end
    moves, it looks again, four times at most.
    """

    rivals = 1

    def __init__(self, limit_bps: int, size_bps: int, hold_minutes: int) -> None:
        """Keeps the plan."""
        self._limit_bps, self._size_bps, self._hold = limit_bps, size_bps, hold_minutes
        self._hand, self._looks, self._in = Hand(), LOOKS, False

    def begin(self, world: World) -> None:
        """Waits for the last block."""
        world.wake(self._last(world), ENTER)

    def wake(self, world: World, why: int) -> None:
        """Looks and gets in, or sells."""
        if why == LEAVE:
            self._hand.leave(world)
        elif not self._in and world.now < self._last(world) and self._looks:
            self._looks -= 1
            world.wake(self._last(world), ENTER)
        elif not self._in:
            self._enter(world)

    def _enter(self, world: World) -> None:
        economy = world.economy
        limit = (economy.low + economy.high) // 2 * Q96 // economy.supply * self._limit_bps // BPS
        if world.venue.price() <= limit:
            self._in = self._hand.enter(world, size(world, self._size_bps), limit) > 0
        world.wake(selling_from(world, self._hold), LEAVE)

    def _last(self, world: World) -> int:
        closes = world.venue.closes
        end = world.economy.window_ms if closes is None else closes
        return end - 2 * world.venue.block_ms


class Shade:
    """Wants much and asks for it at `limit_bps` of the floor, so as not to raise the price that it pays.

    In an auction it bids so at once. In trades it buys a twelfth every two hours while the price is below its limit.
    It sells in four pieces from an hour after the window on.
    """

    rivals = 1

    def __init__(self, limit_bps: int, size_bps: int) -> None:
        """Keeps the plan."""
        self._limit_bps, self._size_bps = limit_bps, size_bps
        self._hand, self._pieces, self._parts = Hand(), 4, 12

    def begin(self, world: World) -> None:
        """Begins in the first block."""
        world.wake(world.venue.block_ms, ENTER)
        world.wake(world.economy.window_ms + 3 * HOUR, LEAVE)

    def wake(self, world: World, why: int) -> None:
        """Bids or buys the next part, or sells the next piece."""
        if why == LEAVE:
            self._hand.leave(world, self._pieces)
            self._pieces -= 1
            if self._pieces:
                world.wake(world.now + HOUR, LEAVE)
            return
        limit = world.economy.floor_q96 * self._limit_bps // BPS
        spend = size(world, self._size_bps)
        if bidding(world):
            self._hand.enter(world, spend, limit)
        elif self._parts:
            self._parts -= 1
            self._hand.enter(world, spend // 12, limit)
            world.wake(world.now + 2 * HOUR, ENTER)
