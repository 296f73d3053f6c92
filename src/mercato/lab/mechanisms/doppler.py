"""Doppler's dynamic auction: a Dutch curve that is laid anew every epoch by how sales go. Base, blocks of 2 s.

Sources, read 2026-11-22: docs.doppler.lol, "Dynamic auctions" and the SDK's `docs/api-builders.md` (1 % fee, epochs of
one hour, 5 price discovery slugs, tick spacing 30, a start at ten times the floor in the example); Doppler's skills
(MIT), github.com/whetstoneresearch/doppler-skills at 576fde0 (2026-04-09), `pda-dynamic` (windows of 6 to 24 h; the
rules below). Written from these descriptions; the contract itself is not open source and was not used.

(1) by epoch e of n, N * e / n tokens are expected to be sold; most = (floor tick - max(current, start tick)) / n
(2) nothing but sales back since the last epoch, and behind: the curve falls by `most`
(3) behind: it falls by most * (1 - sold / expected)
(4) ahead: it rises by the current tick less the tick at which the last epoch's tokens would just have been sold
(5) lower slug from the curve's bottom to the current tick: the quote that buys back all that was sold; when there is
    less, all of it in one spacing below the average price
(6) upper slug above the current tick, max(gamma / n, spacing) wide: tokens to catch up with this epoch's end, if behind
(7) price discovery slugs above it up to bottom + gamma: one epoch's tokens each, as many as epochs are left, at most 5
(8) gamma is the floor-to-start range over n, up to the spacing
(9) end of the window: at least `minimum` proceeds open a v2 pool at the last price, with all of them; else everybody
    may sell back at the average price, which is done at once

The sale is the study's part of the supply; the floor is the reviewed one. The new curve is laid when an epoch begins,
as if somebody traded the least amount then. Fees are not part of the curve; 5 % of them go to the protocol.
"""

from __future__ import annotations

from collections import defaultdict
from math import isqrt

from mercato.lab.mechanisms.market import PPM, Market, Trading
from mercato.lab.mechanisms.pool import V2Pool
from mercato.lab.mechanisms.ticks import Ranges, for_quote, for_tokens, quote_in, sqrt_at, tick_of
from mercato.lab.model import BPS, HOUR, Q96, Economy, Phase

FEE_PPM, PROTOCOL_PERCENT = 10_000, 5
EPOCH_MS, SLUGS, SPACING = HOUR, 5, 30
#: ln(10) / ln(1.0001), up to the spacing: the start is ten times the floor.
RANGE_TICKS = 23_040
WAD = 10**18


def aligned(tick: int) -> int:
    """Returns the tick at or below that positions may begin at."""
    return tick // SPACING * SPACING


class Curve(Market):
    """The slugs of one epoch. Ticks count from the floor price; `sold` and `proceeds` are without fees."""

    __slots__ = ("epochs", "fees", "floor", "last", "moved", "proceeds", "ranges", "sale", "sold", "tokens", "top")

    def __init__(self, floor: int, sale: int, epochs: int, fees: defaultdict[str, int]) -> None:
        self.floor, self.sale, self.epochs, self.fees = floor, sale, epochs, fees
        self.sold = self.proceeds = self.last = self.moved = 0
        self.tokens = sale
        self.top = RANGE_TICKS
        self.ranges = Ranges(self._sqrt(RANGE_TICKS), [])
        self._lay(RANGE_TICKS, RANGE_TICKS, 0)

    @property
    def gamma(self) -> int:
        """The width of the curve in ticks, formula (8)."""
        return -(-RANGE_TICKS // self.epochs // SPACING) * SPACING

    @property
    def step(self) -> int:
        """The width of the upper slug in ticks, formula (6)."""
        return aligned(max(self.gamma // self.epochs, SPACING))

    def expected(self, epoch: int) -> int:
        """Returns the tokens expected to be sold by the end of that many epochs, formula (1)."""
        return self.sale * min(epoch, self.epochs) // self.epochs

    def rebalance(self, epoch: int) -> None:
        """Lays the curve of epoch `epoch`, counted from 0, formulas (1) to (4)."""
        current, due = self.tick(), self.expected(epoch)
        most = -max(current, RANGE_TICKS) * WAD // self.epochs
        if self.sold > due:
            delta = (current - self.top) * WAD
        elif self.sold < self.last:
            delta = most
        else:
            delta = most * (WAD - self.sold * WAD // due) // WAD
        self.moved += delta
        self.last = self.sold
        bottom = aligned(RANGE_TICKS + self.moved // WAD)
        if self.sold <= due:
            current = aligned(current + delta // WAD)
        self._lay(max(bottom, 0), max(current, bottom, 0), epoch)

    def tick(self) -> int:
        """Returns the tick of the price, counted from the floor."""
        return tick_of(self.ranges.sqrt * Q96 // self.floor)

    def price(self) -> int:
        """Returns the marginal price, Q96."""
        return self.ranges.sqrt**2 >> 96

    def reserves(self) -> tuple[int, int]:
        """Returns the constant product that the slug above the price is a part of."""
        return self.ranges.reserves()

    def held(self) -> tuple[int, int]:
        """Returns proceeds and unsold tokens, with the fees taken in tokens."""
        return self.proceeds, self.tokens

    def quote(self, spend: int, now: int) -> int:
        """Returns the tokens for `spend`."""
        return self.ranges.bought(spend - -(-spend * FEE_PPM // PPM))[0]

    def worth(self, tokens: int, now: int) -> int:
        """Returns the quote for `tokens`."""
        return self.ranges.sold(tokens - -(-tokens * FEE_PPM // PPM))[0]

    def buy(self, spend: int, now: int, least: int) -> tuple[int, int]:
        """Buys for at most `spend`: where the slugs end there is nothing more for sale in this epoch."""
        tokens, used, sqrt = self.ranges.bought(spend - -(-spend * FEE_PPM // PPM))
        if tokens <= 0 or tokens < least:
            return 0, 0
        fee = -(-used * FEE_PPM // (PPM - FEE_PPM))
        self.ranges.sqrt = sqrt
        self.sold, self.tokens, self.proceeds = self.sold + tokens, self.tokens - tokens, self.proceeds + used
        self.fees["protocol"] += fee * PROTOCOL_PERCENT // 100
        self.fees["creator"] += fee - fee * PROTOCOL_PERCENT // 100
        return tokens, used + fee

    def sell(self, tokens: int, now: int, least: int) -> int:
        """Sells `tokens`; refused where the slugs below cannot take all of them."""
        net = tokens - -(-tokens * FEE_PPM // PPM)
        got, used, sqrt = self.ranges.sold(net)
        if got <= 0 or got < least or used < net:
            return 0
        self.ranges.sqrt = sqrt
        self.sold, self.tokens, self.proceeds = self.sold - net, self.tokens + tokens, self.proceeds - got
        return got

    def _sqrt(self, tick: int) -> int:
        return self.floor * sqrt_at(tick) // Q96

    def _lay(self, bottom: int, current: int, epoch: int) -> None:
        """Places the slugs of an epoch around the current tick, formulas (5) to (7)."""
        self.top = current
        slugs: list[tuple[int, int, int]] = []
        left = self.sale - self.sold
        behind = min(self.expected(epoch + 1) - self.sold, left)
        if behind > 0:
            self.top = current + self.step
            slugs.append((current, self.top, behind))
            left -= behind
        low, count = self.top, min(SLUGS, self.epochs - 1 - epoch)
        width = max(aligned((bottom + self.gamma - low) // count), SPACING) if count > 0 else 0
        for _ in range(count):
            part = min(self.expected(1), left)
            slugs.append((low, low + width, part))
            low, left = low + width, left - part
        positions = self._refund(bottom, current)
        for start, end, amount in slugs:
            a, b = self._sqrt(start), self._sqrt(end)
            if amount > 1:
                positions.append((a, b, for_tokens(amount - 1, a, b)))
        self.ranges = Ranges(self._sqrt(current), positions)

    def _refund(self, bottom: int, current: int) -> list[tuple[int, int, int]]:
        """Returns the lower slug, formula (5)."""
        if self.sold <= 0 or self.proceeds <= 0:
            return []
        low, high = self._sqrt(min(bottom, current - SPACING)), self._sqrt(current)
        liquidity = for_tokens(self.sold, low, high)
        if quote_in(liquidity, low, high) < self.proceeds:
            return [(low, high, liquidity)]
        average = isqrt((self.proceeds << 192) // self.sold)
        tick = min(aligned(tick_of(average * Q96 // self.floor)), current)
        low, high = self._sqrt(tick - SPACING), self._sqrt(tick)
        return [(low, high, for_quote(self.proceeds - 1, low, high))]


class Doppler(Trading):
    """The dynamic auction over the window, then a v2 pool, or sales back at the average price."""

    def __init__(self, economy: Economy, minimum: int = 0) -> None:
        super().__init__(economy)
        self.minimum = minimum
        sale = economy.supply * economy.sale_bps // BPS
        self.epochs = economy.window_ms // EPOCH_MS
        self.curve = Curve(isqrt(economy.floor_q96 << 96), sale, self.epochs, self.ledger.fees)
        self.market = self.curve
        self.idle = (0, economy.supply - sale)
        self.epoch = 0
        self.failed = False

    def advance(self, at: int) -> None:
        """Moves time; epochs that begin lay their curves, and the window ends the auction."""
        self.now = at
        while not (self.pooled or self.failed) and self.epoch < min(at // EPOCH_MS, self.epochs):
            self.epoch += 1
            if self.epoch == self.epochs:
                self._ends()
            else:
                self.curve.rebalance(self.epoch)

    def phase(self) -> Phase:
        """Returns "failed" after an auction that brought less than the minimum."""
        return "failed" if self.failed else super().phase()

    def traded(self) -> None:
        """Keeps what was raised so far."""
        if not self.pooled:
            self.raised = self.curve.proceeds

    def _ends(self) -> None:
        """Opens the pool or pays back, formula (9)."""
        curve = self.curve
        self.idle = (curve.proceeds, self.idle[1] + curve.tokens)
        if curve.proceeds < max(self.minimum, 1):
            self._pays_back()
            return
        tokens = min(curve.proceeds * Q96 // curve.price(), self.idle[1])
        pool = V2Pool(curve.proceeds, tokens, self.economy.window_ms, self.ledger.fees)
        self.opens(pool, curve.proceeds, tokens)

    def _pays_back(self) -> None:
        """Buys back from everybody at the average price."""
        self.market, self.failed = None, True
        proceeds, holders = self.idle[0], [(who, held) for who, held in self.ledger.tokens.items() if held > 0]
        whole = sum(held for _, held in holders)
        for who, held in sorted(holders):
            got = proceeds * held // whole
            self.ledger.tokens[who] -= held
            self.ledger.received[who] += got
            self.ledger.refunds[who] += got
            self.idle = (self.idle[0] - got, self.idle[1] + held)
        self.raised = 0
