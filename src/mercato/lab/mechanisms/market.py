"""What tokens are traded in: a curve or a pool. A venue owns one at a time and keeps the books for it.

Quote in base units, tokens in wei, times in milliseconds since the launch opened, fees in parts per million. A market
books in `fees` what left it for somebody; what stays in its reserves for liquidity is not booked.
"""

from __future__ import annotations

from typing import Protocol

from mercato.lab.mechanisms.ledger import Ledger
from mercato.lab.mechanisms.port import Kind, Venue
from mercato.lab.model import Economy, Phase

PPM = 1_000_000


class Market(Protocol):
    """Trades in whole numbers. A trade that gives less than `least`, or nothing, is refused and changes nothing."""

    def quote(self, spend: int, now: int) -> int:
        """Returns the tokens that `spend` quote would buy, fees in; 0 where none."""

    def worth(self, tokens: int, now: int) -> int:
        """Returns the quote that `tokens` would sell for, fees out; 0 where none."""

    def buy(self, spend: int, now: int, least: int) -> tuple[int, int]:
        """Returns the tokens bought and what they cost, at most `spend`; (0, 0) where refused."""

    def sell(self, tokens: int, now: int, least: int) -> int:
        """Returns the quote received; 0 where refused."""

    def price(self) -> int:
        """Returns the marginal price, Q96, without fees."""

    def reserves(self) -> tuple[int, int]:
        """Returns quote and tokens of the constant product that prices the next small trade alike."""

    def held(self) -> tuple[int, int]:
        """Returns quote and tokens that lie in the market."""

    def join(self, quote: int, most: int, who: int) -> int:
        """Adds liquidity for an account; returns the tokens taken besides `quote`, at most `most`; 0 where refused."""
        return 0

    def leave(self, who: int) -> tuple[int, int]:
        """Returns quote and tokens of an account's liquidity, taken out; (0, 0) where it has none."""
        return 0, 0


class Trading(Venue):
    """A venue that trades in one market at a time: `market` is the primary curve, later the pool, None in between.

    `idle` is the quote and the tokens that lie beside the market: what is not sold yet, vested, burnt or kept.
    """

    kind: Kind = "trade"
    block_ms: int = 2_000

    def __init__(self, economy: Economy, market: Market | None = None) -> None:
        self.economy = economy
        self.ledger = Ledger()
        self.now = -1
        self.closes: int | None = None
        self.raised = 0
        self.market = market
        self.pooled = False
        self.idle: tuple[int, int] = (0, economy.supply)

    def advance(self, at: int) -> None:
        """Moves time; nothing else happens by itself unless a mechanism says so."""
        self.now = at

    def phase(self) -> Phase:
        """Returns "before" until time 0, "pool" in the last market, else "primary"."""
        if self.now < 0:
            return "before"
        return "pool" if self.pooled else "primary"

    def price(self) -> int:
        """Returns the marginal price of the market, Q96."""
        return self.market.price() if self.market else 0

    def quote(self, spend: int) -> int:
        """Returns the tokens that a purchase would give now, fees in."""
        return self.market.quote(spend, self.now) if self.market and self.now >= 0 and spend > 0 else 0

    def worth(self, tokens: int) -> int:
        """Returns the quote that a sale would give now, fees out."""
        return self.market.worth(tokens, self.now) if self.market and self.now >= 0 and tokens > 0 else 0

    def buy(self, who: int, spend: int, least: int = 0) -> int:
        """Returns the tokens bought for at most `spend`; 0 where refused."""
        if self.market is None or self.now < 0 or spend <= 0:
            return 0
        tokens, cost = self.market.buy(spend, self.now, least)
        if tokens:
            self.ledger.bought(who, tokens, cost, self.now)
            self.traded()
        return tokens

    def sell(self, who: int, tokens: int, least: int = 0) -> int:
        """Returns the quote that a sale brought; 0 where refused or where the account has fewer tokens."""
        if self.market is None or self.now < 0 or not 0 < tokens <= self.ledger.tokens[who]:
            return 0
        got = self.market.sell(tokens, self.now, least)
        if got:
            self.ledger.sold(who, tokens, got, self.now)
            self.traded()
        return got

    def traded(self) -> None:
        """Says that a trade happened; a mechanism may graduate here."""

    def reserves(self) -> tuple[int, int] | None:
        """Returns the reserves of the constant product that trades have now."""
        return self.market.reserves() if self.market else None

    def held(self) -> tuple[int, int]:
        """Returns quote and tokens in the market and beside it."""
        quote, tokens = self.market.held() if self.market else (0, 0)
        return quote + self.idle[0], tokens + self.idle[1]

    def join(self, who: int, quote: int) -> bool:
        """Adds liquidity where the pool lets anybody."""
        if not self.pooled or self.market is None or quote <= 0:
            return False
        tokens = self.market.join(quote, self.ledger.tokens[who], who)
        if tokens:
            self.ledger.tokens[who] -= tokens
            self.ledger.charged[who] += quote
        return tokens > 0

    def leave(self, who: int) -> bool:
        """Takes an account's liquidity out."""
        if self.market is None:
            return False
        quote, tokens = self.market.leave(who)
        self.ledger.tokens[who] += tokens
        self.ledger.received[who] += quote
        return quote > 0

    def opens(self, pool: Market, quote: int, tokens: int) -> None:
        """Makes `pool` the market and moves its first reserves out of what is idle."""
        self.idle = (self.idle[0] - quote, self.idle[1] - tokens)
        self.market, self.pooled = pool, True
