"""CCA-like continuous auction: every bid is spent evenly over what is left of a schedule, each block at one price.

Source: github.com/Uniswap/continuous-clearing-auction, `src/ContinuousClearingAuction.sol` and its libraries, at its
commit of 5 December 2025; schedules and tick spacing from docs.uniswap.org (liquidity-launchpad, supply schedule) and
the defaults of github.com/Uniswap/uniswap-ai (plugin uniswap-cca: 12 steps of equal size, curve t**1.2, 30 % in the
last block; ticks 1 % of the floor; no least raise), all read 22 November 2026.

Shares of the sale are counted in ten-millionths (mps), demand and quote in Q96, sums of both in Q96 * 10**7.
(1) A bid of b that arrives when `done` mps are sold counts as demand b * 10**7 / (10**7 - done).
(2) The price is the demand strictly above it / sale, rounded up; it never falls below the floor, nor below a tick whose
    demand together with all above it buys the sale there.
(3) A block's share m raises demand above * m; on a tick also its part of sale * price * m, its demand * m at most.
(4) A bid above the price spends b * m / (10**7 - done), rounded up, and gets that / price; one at the price shares what
    (3) gives its tick, by escrow and time; one below gets nothing and may leave.
(5) Bids must lie above the price, on a tick. They cannot be cancelled.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

from mercato.lab.mechanisms.book import Left, Settled
from mercato.lab.model import Q96

MPS = 10**7
STEPS, LAST_MPS = 12, 3 * 10**6
ROOT = 6  # the curve t**1.2 turned over is t**(5/6)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When what is sold: pairs of mps per block and blocks, all mps together 10**7."""

    steps: tuple[tuple[int, int], ...]

    @property
    def blocks(self) -> int:
        """The length of the auction."""
        return sum(blocks for _, blocks in self.steps)


def linear(blocks: int) -> Schedule:
    """Returns the same share in every block, but for one mps, which the later ones have more."""
    each, more = divmod(MPS, blocks)
    return Schedule(tuple(step for step in ((each, blocks - more), (each + 1, more)) if step[1]))


def backloaded(blocks: int) -> Schedule:
    """Returns the makers' default: 70 % in twelve equal parts, each over a shorter time, and the rest in one block."""
    gradual = blocks - 1
    ends = [_curve(gradual, part) for part in range(STEPS + 1)]
    spans = [end - start for start, end in pairwise(ends)]
    each = MPS - LAST_MPS
    rates = [max(1, (2 * each + STEPS * span) // (2 * STEPS * span)) for span in spans]  # rounded to the nearest
    sold = sum(rate * span for rate, span in zip(rates, spans, strict=True))
    return Schedule((*zip(rates, spans, strict=True), (MPS - sold, 1)))


def _curve(blocks: int, part: int) -> int:
    """Returns blocks * (part / 12) ** (5/6) rounded to the nearest, without fractions."""
    goal = blocks**ROOT * part ** (ROOT - 1) * 2**ROOT
    return bisect_right(range(1, blocks + 1), goal, key=lambda n: (2 * n - 1) ** ROOT * STEPS ** (ROOT - 1))


@dataclass(slots=True)
class _Bid:
    who: int
    amount: int
    limit: int
    done: int
    per_price: int


class Continuous:
    """The auction of `sale` tokens from a floor price on ticks (Q96); `least` is the quote without which it fails."""

    def __init__(self, sale: int, floor: int, spacing: int, block_ms: int, schedule: Schedule, least: int = 0) -> None:
        self.closes = schedule.blocks * block_ms
        self._sale, self._spacing, self._block_ms, self._least = sale, spacing, block_ms, least
        self._floor = max(floor // spacing, 1) * spacing
        self._most = min((2**154 // sale) ** 2, 2**222 // sale) // spacing * spacing
        self._starts, self._schedule = _starts(schedule), schedule.steps
        self._block, self._price = 0, self._floor
        self._done = self._per_price = 0  # mps sold, and the sum of mps / price * 2**192
        self._raised = self._cleared = 0  # quote and tokens, Q96 * 10**7
        self._above = 0  # demand above the price, Q96
        self._ticks: list[int] = []  # with bids, in order; the price has reached the first `_reached` of them
        self._reached = 0
        self._demand: defaultdict[int, int] = defaultdict(int)  # tick -> Q96
        self._passed: dict[int, tuple[int, int]] = {}  # tick -> what was done when the price reached it
        self._shared: defaultdict[int, int] = defaultdict(int)  # tick -> raised at that price, Q96 * 10**7
        self._bids: dict[int, _Bid] = {}
        self._next = 0

    def bid(self, at: int, who: int, amount: int, limit: int | None, retail: bool) -> int | None:
        """Places a bid on the highest tick at or below its limit (1), (5)."""
        if not 0 <= at < self.closes or amount <= 0:
            return None
        self._checkpoint(at // self._block_ms)
        tick = self._most if limit is None else min(limit // self._spacing * self._spacing, self._most)
        if tick <= self._price or self._done >= MPS:
            return None
        if tick not in self._demand:
            insort(self._ticks, tick, lo=self._reached)
        effective = (amount << 96) * MPS // (MPS - self._done)
        self._demand[tick] += effective
        self._above += effective
        ticket, self._next = self._next, self._next + 1
        self._bids[ticket] = _Bid(who, amount, tick, self._done, self._per_price)
        return ticket

    def raise_bid(self, at: int, ticket: int, amount: int, limit: int | None) -> bool:
        """Refuses: whoever wants more bids again."""
        return False

    def cancel(self, at: int, ticket: int) -> Left | None:
        """Takes an outbid bid out, with what it was charged and bought until then; nothing else may leave."""
        if ticket not in self._bids or at >= self.closes:
            return None
        self._checkpoint(at // self._block_ms)
        if self._bids[ticket].limit >= self._price or self._raised < self._least * Q96 * MPS:
            return None
        return self._left(self._bids.pop(ticket))

    def whose(self, ticket: int) -> int | None:
        """Returns who placed a bid that is still in."""
        return self._bids[ticket].who if ticket in self._bids else None

    def indicative(self, at: int) -> tuple[int, int]:
        """Returns the price (2) with all bids so far, and what the whole sale would raise at it."""
        self._checkpoint(min(at, self.closes) // self._block_ms)
        price, above, _ = self._found()
        on_tick = min(self._sale * price - above, self._demand.get(price, 0))
        return price, (self._raised + (above + on_tick) * (MPS - self._done)) // Q96 // MPS

    def settle(self) -> Settled:
        """Returns what every open bid ends with (4); whole refunds where the least raise was missed."""
        self._checkpoint(self.closes // self._block_ms)
        raised = self._raised // Q96 // MPS
        if self._raised < self._least * Q96 * MPS or raised == 0:
            return Settled(0, 0, tuple(Left(bid.who, bid.amount, 0, 0) for bid in self._bids.values()))
        lefts = tuple(self._left(bid) for bid in self._bids.values())
        return Settled(raised, self._cleared // Q96 // MPS, lefts, self._price)

    def _checkpoint(self, block: int) -> None:
        """Sells what the schedule gives from the last checkpoint to `block` at the price of the bids before it."""
        if block <= self._block:
            return
        self._price, self._above, reached = self._found()
        for tick in self._ticks[self._reached : reached]:
            self._passed[tick] = (self._done, self._per_price)
        self._reached = reached
        share = self._sold(block) - self._done
        raised = self._above * share
        if demand := self._demand.get(self._price, 0):
            on_tick = min(self._sale * self._price * share - raised, demand * share)  # (3)
            self._shared[self._price] += on_tick
            raised += on_tick
        self._raised += raised
        self._cleared += -(-raised * Q96 // self._price)
        self._done += share
        self._per_price += (share << 192) // self._price
        self._block = block

    def _found(self) -> tuple[int, int, int]:
        """Returns the price (2) with all bids so far, the demand above it, and how many ticks it has reached."""
        price, above, reached = self._price, self._above, self._reached
        if self._done >= MPS:
            return price, above, reached
        needed = -(-above // self._sale)
        while reached < len(self._ticks):
            tick = self._ticks[reached]
            if above < self._sale * tick and needed != tick:
                break
            above, price, reached = above - self._demand[tick], tick, reached + 1
            needed = -(-above // self._sale)
        return max(price, needed), above, reached

    def _sold(self, block: int) -> int:
        """Returns the mps that are sold before a block."""
        step = bisect_right(self._starts, block, key=lambda start: start[0]) - 1
        start, sold = self._starts[step]
        return sold + (block - start) * (self._schedule[step][0] if step < len(self._schedule) else 0)

    def _left(self, bid: _Bid) -> Left:
        """Returns what a bid got until now (4)."""
        done, per_price = self._passed.get(bid.limit, (self._done, self._per_price))
        rest = MPS - bid.done
        spent = -(-(bid.amount << 96) * (done - bid.done) // rest)
        tokens = (bid.amount << 96) * (per_price - bid.per_price) // ((Q96 << 96) * rest)
        if shared := self._shared.get(bid.limit, 0):
            whole = self._demand[bid.limit] * rest
            spent += -(-(bid.amount << 96) * shared // whole)
            tokens += (bid.amount << 96) * shared // whole // bid.limit
        return Left(bid.who, bid.amount, bid.amount - (((bid.amount << 96) - spent) >> 96), tokens)


def _starts(schedule: Schedule) -> list[tuple[int, int]]:
    """Returns for each step, and for the end, its first block and the mps sold before it."""
    starts, block, sold = [(0, 0)], 0, 0
    for mps, blocks in schedule.steps:
        block, sold = block + blocks, sold + mps * blocks
        starts.append((block, sold))
    return starts
