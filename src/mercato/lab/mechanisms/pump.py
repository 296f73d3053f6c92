"""pump.fun: a constant-product curve with virtual reserves, then PumpSwap. Solana, blocks of 400 ms.

Sources, read 2026-11-22: github.com/pump-fun/pump-public-docs at 1b82215 (2026-05-19): `docs/PUMP_PROGRAM_README.md`
(virtual 30 SOL and 1,073,000,000 tokens, 793,100,000 of 1,000,000,000 sold on the curve), `idl/pump.json` (formulas of
`buy_exact_sol_in`), `docs/FEE_PROGRAM_README.md` and its `fees.png` (fees of curve and pool by market capitalisation).

(1) buying: net = spend / 1.0125, less what the fees, each rounded up, exceed; tokens = (net - 1) * T / (Q + net - 1)
(2) selling: gross = floor(tokens * Q / (T + tokens)), less 0.95 % and 0.30 %, each rounded up
(3) when all 793.1 M are sold, the 206.9 M kept and the whole raise open the PumpSwap pool; its LP tokens are burnt

The 30 virtual SOL scale so that the raise at graduation, 85.005 SOL there, is the study's target; so do the limits of
the fee table. The fixed fee of a migration (0.015 SOL) is left out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict

from mercato.lab.mechanisms.market import PPM, Market, Trading
from mercato.lab.mechanisms.pool import QuoteFees, Rates, net_of
from mercato.lab.model import Q96, Economy

VIRTUAL_TOKENS = 1_073_000_000 * 10**18
SOLD = 793_100_000 * 10**18
BLOCK_MS = 400
CURVE = Rates(9_500, 3_000)
#: Of the table in makers' units: from which market capitalisation in SOL on, creator and all three fees in ppm.
TIERS: tuple[tuple[int, int, int, int], ...] = (
    (0, 3_000, 9_300, 200),
    (420, 9_500, 500, 2_000),
    (1_470, 9_000, 500, 2_000),
    (2_460, 8_500, 500, 2_000),
    (3_440, 8_000, 500, 2_000),
    (4_420, 7_500, 500, 2_000),
    (9_820, 7_000, 500, 2_000),
)
VIRTUAL_SOL = 30


class Curve(Market):
    """A constant product of virtual reserves that sells `left` real tokens; `raised` is the real quote in it.

    Fees are on the quote side, rounded up. A purchase of more than what is left costs what is left.
    """

    __slots__ = ("fees", "left", "quoted", "raised", "rates", "tokens")

    def __init__(self, quote: int, tokens: int, left: int, fees: defaultdict[str, int], rates: Rates = CURVE) -> None:
        self.quoted, self.tokens, self.left, self.fees, self.rates = quote, tokens, left, fees, rates
        self.raised = 0

    def price(self) -> int:
        """Returns the marginal price, Q96."""
        return self.quoted * Q96 // self.tokens

    def reserves(self) -> tuple[int, int]:
        """Returns the virtual reserves."""
        return self.quoted, self.tokens

    def held(self) -> tuple[int, int]:
        """Returns the real quote; unsold tokens lie beside the curve."""
        return self.raised, 0

    def net(self, spend: int) -> tuple[int, int]:
        """Returns what of `spend` reaches the curve, and the fees."""
        net = net_of(spend, self.rates)
        return net, spend - net

    def quote(self, spend: int, now: int) -> int:
        """Returns the tokens for `spend`, formula (1)."""
        net = self.net(spend)[0]
        return min((net - 1) * self.tokens // (self.quoted + net - 1), self.left) if net > 1 else 0

    def worth(self, tokens: int, now: int) -> int:
        """Returns the quote for `tokens`, formula (2)."""
        gross = self.quoted * tokens // (self.tokens + tokens)
        return max(gross - sum(-(-gross * rate // PPM) for rate in self.rates), 0)

    def buy(self, spend: int, now: int, least: int) -> tuple[int, int]:
        """Buys, at the end of the curve for less than `spend`."""
        net, fees = self.net(spend)
        tokens = (net - 1) * self.tokens // (self.quoted + net - 1) if net > 1 else 0
        if tokens > self.left:
            tokens = self.left
            net = -(-tokens * self.quoted // (self.tokens - tokens)) + 1
            fees = self.fee_on(net)
        if tokens <= 0 or tokens < least:
            return 0, 0
        self.quoted, self.raised = self.quoted + net, self.raised + net
        self.tokens, self.left = self.tokens - tokens, self.left - tokens
        self.take(fees)
        return tokens, net + fees

    def sell(self, tokens: int, now: int, least: int) -> int:
        """Sells, formula (2)."""
        got = self.worth(tokens, now)
        if got <= 0 or got < least:
            return 0
        gross = self.quoted * tokens // (self.tokens + tokens)
        self.quoted, self.raised = self.quoted - gross, self.raised - gross
        self.tokens, self.left = self.tokens + tokens, self.left + tokens
        self.take(gross - got)
        return got

    def fee_on(self, net: int) -> int:
        """Returns the fees on top of what reaches the curve."""
        return sum(-(-net * rate // PPM) for rate in self.rates)

    def take(self, fees: int) -> None:
        """Books fees, shared as the rates are."""
        creator = fees * self.rates.creator // (self.rates.protocol + self.rates.creator)
        self.fees["creator"] += creator
        self.fees["protocol"] += fees - creator


class PumpSwap(QuoteFees):
    """The pool after graduation: its fees fall with the market capitalisation, `unit` quote being one SOL."""

    __slots__ = ("limits", "supply")

    def __init__(
        self, quote: int, tokens: int, opened: int, fees: defaultdict[str, int], unit: int, supply: int
    ) -> None:
        super().__init__(quote, tokens, opened, fees, CURVE)
        self.limits = [sol * unit for sol, *_ in TIERS]
        self.supply = supply

    def rates(self) -> Rates:
        """Returns the rates of the present market capitalisation."""
        tier = bisect_right(self.limits, self.quoted * self.supply // self.tokens) - 1
        _, creator, protocol, liquidity = TIERS[max(tier, 0)]
        return Rates(protocol, creator, liquidity)


class Pump(Trading):
    """The curve until it is sold out, then PumpSwap."""

    block_ms = BLOCK_MS

    def __init__(self, economy: Economy) -> None:
        super().__init__(economy)
        virtual = economy.raise_target * (VIRTUAL_TOKENS - SOLD) // SOLD
        self.curve = Curve(virtual, VIRTUAL_TOKENS, SOLD, self.ledger.fees)
        self.market = self.curve
        self.unit = virtual // VIRTUAL_SOL

    def traded(self) -> None:
        """Graduates a curve that is sold out, formula (3)."""
        if self.pooled:
            return
        self.raised = self.curve.raised
        if self.curve.left == 0:
            kept = self.economy.supply - SOLD
            self.idle = (self.raised, kept)
            pool = PumpSwap(self.raised, kept, self.now, self.ledger.fees, self.unit, self.economy.supply)
            self.opens(pool, self.raised, kept)

    def held(self) -> tuple[int, int]:
        """Returns quote and tokens in the curve, or in the pool and beside it."""
        if self.pooled:
            return super().held()
        return self.curve.raised, self.economy.supply - SOLD + self.curve.left
