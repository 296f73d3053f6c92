"""A launch by bids: a book takes them until it closes, then everybody trades in one pool.

The venue keeps the accounts, shares out the raise and opens the pool, alike for every auction. What makers leave open
is the house's: 75 % of the raise beside as many tokens of the reserve as the price asks, 2 % to the platform, the rest
to the team; tokens that are neither sold nor in the pool stay out of circulation.
"""

from __future__ import annotations

from collections.abc import Callable

from mercato.lab.mechanisms.book import Book, Left
from mercato.lab.mechanisms.market import Market, Trading
from mercato.lab.mechanisms.pool import OwnPool, V2Pool
from mercato.lab.mechanisms.port import Kind
from mercato.lab.model import BPS, Economy, Phase

LIQUIDITY_BPS, PLATFORM_BPS = 7_500, 200

Opens = Callable[["Auction", int, int], Market]
"""Makes the pool of an auction from its first quote and tokens."""


def own_pool(auction: Auction, quote: int, tokens: int) -> Market:
    """Returns the house's pool."""
    return OwnPool(quote, tokens, auction.now, auction.ledger.fees)


def v2_pool(auction: Auction, quote: int, tokens: int) -> Market:
    """Returns a pool with 0.3 % for its liquidity, where makers name no other."""
    return V2Pool(quote, tokens, auction.now, auction.ledger.fees)


class Auction(Trading):
    """A book of bids and the pool after it."""

    kind: Kind = "auction"
    retail_limited: bool = False

    def __init__(
        self, economy: Economy, book: Book, block_ms: int, pool: Opens, *, liquidity_bps: int = LIQUIDITY_BPS
    ) -> None:
        super().__init__(economy)
        self.book, self.block_ms, self._pool, self._liquidity_bps = book, block_ms, pool, liquidity_bps
        self.seller_bps = BPS - liquidity_bps - PLATFORM_BPS
        self.closes: int | None = book.closes
        self._decided = False

    def advance(self, at: int) -> None:
        """Moves time; at its close the auction is settled, claimed and graduated at once."""
        if not self._decided and at >= self.book.closes:
            self.now = self.book.closes
            self._close()
        self.now = at

    def phase(self) -> Phase:
        """Returns "failed" where nothing was sold."""
        return "failed" if self._decided and not self.pooled else super().phase()

    def price(self) -> int:
        """Returns the pool's price; before, the one at which the auction would clear now."""
        if self._decided:
            return super().price()
        price, self.raised = self.book.indicative(max(self.now, 0))
        return price

    def bid(self, who: int, amount: int, limit: int | None, retail: bool = False) -> int | None:
        """Returns the ticket of a bid; None where the book refuses it."""
        ticket = None
        if not self._decided and self.now >= 0 and (amount <= self.retail_most or not retail):
            ticket = self.book.bid(self.now, who, amount, limit, retail)
        if ticket is not None:
            self._moved(who, amount)
        return ticket

    def raise_bid(self, ticket: int, amount: int, limit: int | None) -> bool:
        """Adds to a bid and raises its limit, where the book lets it."""
        who = None if self._decided or amount < 0 else self.book.whose(ticket)
        if who is None or not self.book.raise_bid(self.now, ticket, amount, limit):
            return False
        self._moved(who, amount)
        return True

    def cancel(self, ticket: int) -> bool:
        """Takes a bid back, where the book lets it; one that was spent in part keeps what it bought."""
        left = None if self._decided or self.book.whose(ticket) is None else self.book.cancel(self.now, ticket)
        if left is None:
            return False
        if left.charge or left.tokens:
            self._gives(left)
        else:
            self.ledger.freed(left.who, left.escrow)
        self.idle = (self.idle[0] - left.refund, self.idle[1] - left.tokens)
        return True

    def _moved(self, who: int, amount: int) -> None:
        self.ledger.locked(who, amount)
        self.idle = (self.idle[0] + amount, self.idle[1])
        self.closes = self.book.closes

    def _gives(self, left: Left) -> None:
        self.ledger.settled(left.who, left.escrow, left.charge, left.refund, left.tokens, self.now)

    def _close(self) -> None:
        self._decided = True
        found = self.book.settle()
        quote, tokens = self.idle
        for left in found.bids:
            self._gives(left)
            quote, tokens = quote - left.refund, tokens - left.tokens
        self.idle, self.raised = (quote, tokens), found.raised
        if found.raised == 0 or found.sold == 0:
            return
        lp_quote, platform = found.raised * self._liquidity_bps // BPS, found.raised * PLATFORM_BPS // BPS
        self.ledger.fees["protocol"] += platform
        self.idle = (quote - platform, tokens)  # the team's part stays until its milestones
        lp_tokens = found.lp_tokens(lp_quote)
        self.opens(self._pool(self, lp_quote, lp_tokens), lp_quote, lp_tokens)
