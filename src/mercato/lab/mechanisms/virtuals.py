"""Virtuals: a constant-product curve whose buy tax falls from 99 % to 1 %, then a v2 pair with 1 % tax. Base, 2 s.

Sources, read 2026-11-22: whitepaper.virtuals.io, "Virtuals Launch Mechanics" (taxes, windows, buyback for the team,
vested); github.com/Virtual-Protocol/protocol-contracts at ba4aef6 (2026-07-16), `contracts/launchpadv2/FRouterV3.sol`
(formulas 1 to 3), `BondingConfig.sol` and `BondingV5.sol` (formulas 4 and 5), `test/launchpadv5/bondingV5.js` (6,300
virtual and 42,000 real VIRTUAL).

(1) anti-sniper tax of a purchase, in whole percent: floor(99 * (window - elapsed) / window) by whole seconds, and with
    the 1 % of every trade never over 99 %; sales pay 1 %
(2) buying: tokens = T - floor(k / (Q + net)), with the k of the start
(3) selling: gross = Q - floor(k / (T + tokens))
(4) graduation: after a purchase once the window is over and T is at most supply * virtual / (virtual + target)
(5) the v2 pair opens with all real quote and T * real / (real + virtual) tokens; the rest of T is out of circulation
(6) anti-sniper taxes wait until the window is over and then buy back over 24 hours; what they buy is vested

The sums scale so that the real quote at graduation is the study's target. Buybacks are made in slices of a quarter of
an hour, a pace that the source does not state, and pay the 1 %.
"""

from __future__ import annotations

from collections import defaultdict

from mercato.lab.mechanisms.market import Market, Trading
from mercato.lab.mechanisms.pool import V2Pool
from mercato.lab.model import HOUR, MINUTE, Economy

VIRTUAL, REAL = 6_300, 42_000
START_PERCENT, TAX_PERCENT, MOST_PERCENT = 99, 1, 99
TAX_PPM = 10_000
BUYBACK_MS, SLICE_MS = 24 * HOUR, 15 * MINUTE


class Taxed(Market):
    """The curve: virtual quote and all tokens, with the tax of the moment. `vault` is what snipers paid."""

    __slots__ = ("fees", "k", "quoted", "raised", "tokens", "vault", "window")

    def __init__(self, quote: int, tokens: int, window_ms: int, fees: defaultdict[str, int]) -> None:
        self.quoted, self.tokens, self.k = quote, tokens, quote * tokens
        self.window, self.fees = window_ms // 1_000, fees
        self.raised = self.vault = 0

    def sniper_percent(self, now: int) -> int:
        """Returns the anti-sniper tax at a time, formula (1)."""
        left = max(self.window - now // 1_000, 0)
        return min(START_PERCENT * left // self.window, MOST_PERCENT - TAX_PERCENT)

    def price(self) -> int:
        """Returns the marginal price, Q96."""
        return (self.quoted << 96) // self.tokens

    def reserves(self) -> tuple[int, int]:
        """Returns virtual quote and tokens."""
        return self.quoted, self.tokens

    def held(self) -> tuple[int, int]:
        """Returns the real quote with the vault, and the unsold tokens."""
        return self.raised + self.vault, self.tokens

    def quote(self, spend: int, now: int) -> int:
        """Returns the tokens for `spend`, formulas (1) and (2)."""
        net = spend - spend * TAX_PERCENT // 100 - spend * self.sniper_percent(now) // 100
        return self.tokens - self.k // (self.quoted + net)

    def worth(self, tokens: int, now: int) -> int:
        """Returns the quote for `tokens`, formula (3)."""
        gross = min(self.quoted - self.k // (self.tokens + tokens), self.raised)
        return gross - gross * TAX_PERCENT // 100

    def buy(self, spend: int, now: int, least: int) -> tuple[int, int]:
        """Buys for all of `spend`."""
        tokens = self.quote(spend, now)
        if tokens <= 0 or tokens < least:
            return 0, 0
        tax, sniper = spend * TAX_PERCENT // 100, spend * self.sniper_percent(now) // 100
        self.fees["protocol"] += tax
        self.vault += sniper
        self.quoted += spend - tax - sniper
        self.raised += spend - tax - sniper
        self.tokens -= tokens
        return tokens, spend

    def sell(self, tokens: int, now: int, least: int) -> int:
        """Sells `tokens`."""
        gross = min(self.quoted - self.k // (self.tokens + tokens), self.raised)
        got = gross - gross * TAX_PERCENT // 100
        if got <= 0 or got < least:
            return 0
        self.fees["protocol"] += gross - got
        self.quoted -= gross
        self.raised -= gross
        self.tokens += tokens
        return got


class Virtuals(Trading):
    """The taxed curve, the v2 pair after graduation, and the buyback."""

    def __init__(self, economy: Economy, window_ms: int) -> None:
        super().__init__(economy)
        self.virtual = economy.raise_target * VIRTUAL // REAL
        self.curve = Taxed(self.virtual, economy.supply, window_ms, self.ledger.fees)
        self.market = self.curve
        self.idle = (0, 0)
        self.threshold = self.virtual * economy.supply // (economy.raise_target + self.virtual)
        self.window = window_ms
        self.slices = BUYBACK_MS // SLICE_MS
        self.due = window_ms

    def advance(self, at: int) -> None:
        """Moves time; slices of the buyback that are due are bought at their times."""
        while self.slices and self.due <= at:
            self.now = self.due
            self._buys_back()
            self.slices -= 1
            self.due += SLICE_MS
        self.now = at

    def traded(self) -> None:
        """Graduates, formulas (4) and (5)."""
        if self.pooled:
            return
        curve = self.curve
        self.raised = curve.raised
        if curve.tokens > self.threshold or self.now // 1_000 < curve.window:
            return
        self.idle = (curve.raised + curve.vault, self.idle[1] + curve.tokens)
        tokens = curve.tokens * curve.raised // (curve.raised + self.virtual)
        pool = V2Pool(curve.raised, tokens, self.now, self.ledger.fees, TAX_PPM)
        self.opens(pool, curve.raised, tokens)

    def _buys_back(self) -> None:
        """Buys one slice, formula (6)."""
        spend = self.curve.vault // self.slices
        if spend <= 0 or self.market is None:
            return
        tokens, cost = self.market.buy(spend, self.now, 0)
        if not tokens:
            return
        self.curve.vault -= cost
        self.idle = (self.idle[0] - (cost if self.pooled else 0), self.idle[1] + tokens)
        self.traded()
