"""Adversaries that do not simply buy and sell: the seller's own bids, wash trades, passing liquidity, plain harm."""

from __future__ import annotations

from mercato.lab.adversaries.hand import Hand, bidding, selling_from, size
from mercato.lab.model import HOUR, MINUTE
from mercato.lab.world import World

ENTER, LEAVE = 0, 1


class Shill:
    """The seller bids or buys in its own sale at any price, to lift what others pay, and sells an hour after the close.

    What it gains by being the seller is counted by `mercato.lab.run`, against the same launch without it.
    """

    rivals = 1

    def __init__(self, size_bps: int, at_minutes: int) -> None:
        """Keeps the plan."""
        self._size_bps, self._at = size_bps, at_minutes * MINUTE
        self._hand = Hand(4)

    def begin(self, world: World) -> None:
        """Waits for its time."""
        world.wake(self._at, ENTER)

    def wake(self, world: World, why: int) -> None:
        """Gets in or out; out again where an auction's end has moved."""
        if why == ENTER:
            self._hand.enter(world, size(world, self._size_bps))
        if why == ENTER or bidding(world):
            world.wake(selling_from(world, 60), LEAVE)
        else:
            self._hand.leave(world)


class Wash:
    """Buys in six purchases ten minutes apart, sells all when followers of the rise have come, and begins again."""

    rivals = 1
    PURCHASES = 6

    def __init__(self, size_bps: int, cycles: int, wait_minutes: int) -> None:
        """Keeps the plan."""
        self._size_bps, self._cycles, self._wait = size_bps, cycles, wait_minutes * MINUTE
        self._hand, self._done = Hand(2), 0

    def begin(self, world: World) -> None:
        """Begins as soon as anything trades, in an auction with the pool."""
        closes = world.venue.closes
        world.wake(world.venue.block_ms if closes is None else closes + 10 * MINUTE, ENTER)

    def wake(self, world: World, why: int) -> None:
        """Buys the next part or sells what it has."""
        if bidding(world):
            world.wake(selling_from(world, 10), ENTER)
        elif why == LEAVE:
            self._hand.leave(world)
            self._cycles, self._done = self._cycles - 1, 0
            if self._cycles:
                world.wake(world.now + HOUR, ENTER)
        else:
            self._hand.enter(world, size(world, self._size_bps) // self.PURCHASES)
            self._done += 1
            ended = self._done == self.PURCHASES
            world.wake(world.now + (self._wait if ended else 10 * MINUTE), LEAVE if ended else ENTER)


class PassingLiquidity:
    """Puts liquidity into the pool when it opens, takes the fees of the busiest time, and takes it out again.

    Half of its money buys the tokens that go beside the other half. Where nobody may add liquidity it sells again.
    """

    rivals = 1

    def __init__(self, size_bps: int, stay_minutes: int) -> None:
        """Keeps the plan."""
        self._size_bps, self._stay = size_bps, stay_minutes * MINUTE
        self._hand = Hand()

    def begin(self, world: World) -> None:
        """Watches for the pool."""
        world.watch(ENTER)

    def wake(self, world: World, why: int) -> None:
        """Joins or leaves."""
        who = self._hand.accounts[0]
        if why == LEAVE:
            world.did("leave", world.venue.leave(who))
            self._hand.leave(world)
            return
        half = size(world, self._size_bps) // 2
        joined = self._hand.enter(world, half) > 0 and world.venue.join(who, half)
        world.did("join", joined)
        world.wake(world.now + (self._stay if joined else world.venue.block_ms), LEAVE)


class Grief:
    """Harms at its own cost. In auctions it shows demand early and takes it back while it may; else it buys and dumps.

    `times` is how often it repeats within the window.
    """

    rivals = 1

    def __init__(self, size_bps: int, times: int) -> None:
        """Keeps the plan."""
        self._size_bps, self._times, self._left = size_bps, times, times
        self._hand = Hand()

    def begin(self, world: World) -> None:
        """Begins in the first block."""
        world.wake(world.venue.block_ms, ENTER)

    def wake(self, world: World, why: int) -> None:
        """Shows demand or buys; takes back or dumps a while later."""
        pause = world.economy.window_ms // (2 * self._times + 1)
        if why == ENTER:
            self._left -= 1
            self._hand.enter(world, size(world, self._size_bps))
            world.wake(world.now + pause, LEAVE)
            return
        for ticket in self._hand.tickets:
            world.did("cancel", world.venue.cancel(ticket))
        self._hand.tickets.clear()
        if not bidding(world):
            self._hand.leave(world)
        if self._left:
            world.wake(world.now + pause, ENTER)
