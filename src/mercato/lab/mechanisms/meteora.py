"""Meteora's dynamic bonding curve with its rate limiter: the fee grows with the size of a purchase. Solana, 400 ms.

Sources, read 2026-11-22: docs.meteora.ag at github.com/MeteoraAg/docs d1d645c (2026-08-05): `core-products/dbc/fees/
rate-limiter`, `core-products/dbc/formulas`, `invent/launch-pools` (20 % of the supply goes to the pool, limiter of one
hour); github.com/MeteoraAg/dynamic-bonding-curve-sdk at ce9afb7 (2026-03-24), `math/poolFees/rateLimiter.ts`.

(1) one segment is a constant product of virtual reserves: with 80 % sold it starts at 16/15 of the supply and a third
    of the raise, and ends at the price at which the raise and the last 20 % open the pool
(2) the limiter's fee on an amount x0 * (1 + a) + b, b < x0: (x0 * (c + c*a + i*a*(a+1)/2) + b * (c + i*(a+1))) / 10**9,
    with reference x0, cliff fee c and increment i, no tranche over 99 %; rounded up, twice as the program does
(3) selling pays the cliff fee. Of all fees Meteora gets 20 %, of the rest the launchpad and the creator half each
(4) a graduating pool pays 0.2 % of its liquidity to Meteora

Settings of the documented example: cliff 1 %, 1 % more for each reference amount of 1 SOL. The common threshold of
85 SOL is scaled to the study's target, the reference with it. One swap per transaction is all that the limiter can
enforce: several accounts in one block pass it. The optional volatility fee is left out. The pool takes 1 %, in quote.
"""

from __future__ import annotations

from collections import defaultdict

from mercato.lab.mechanisms.market import Trading
from mercato.lab.mechanisms.pool import QuoteFees, Rates
from mercato.lab.mechanisms.pump import BLOCK_MS, Curve
from mercato.lab.model import Economy

DENOMINATOR, MOST = 10**9, 990_000_000
CLIFF, INCREMENT = 10_000_000, 10_000_000
LIMITER_MS = 3_600_000
THRESHOLD_SOL = 85
#: Of 1 %: Meteora and the launchpad, and the creator.
RATES = Rates(6_000, 4_000)


def limited(amount: int, reference: int) -> int:
    """Returns the fee of a purchase of `amount` quote under the limiter, formula (2)."""
    if amount <= reference:
        return -(-amount * CLIFF // DENOMINATOR)
    a, b = divmod(amount - reference, reference)
    top = (MOST - CLIFF) // INCREMENT
    if a < top:
        parts = reference * (CLIFF + CLIFF * a + INCREMENT * a * (a + 1) // 2) + b * (CLIFF + INCREMENT * (a + 1))
    else:
        whole = reference * (CLIFF + CLIFF * top + INCREMENT * top * (top + 1) // 2)
        parts = whole + ((a - top) * reference + b) * MOST
    fee = -(-parts // DENOMINATOR)
    numerator = -(-fee * DENOMINATOR // amount)
    return -(-amount * numerator // DENOMINATOR)


class Limited(Curve):
    """The curve while the limiter lasts and after it."""

    __slots__ = ("now", "reference")

    def __init__(self, quote: int, tokens: int, left: int, fees: defaultdict[str, int], reference: int) -> None:
        super().__init__(quote, tokens, left, fees, RATES)
        self.reference = reference
        self.now = 0

    def net(self, spend: int) -> tuple[int, int]:
        """Returns what of `spend` reaches the curve, and the fee."""
        fee = limited(spend, self.reference) if self.now <= LIMITER_MS else -(-spend * CLIFF // DENOMINATOR)
        return spend - fee, fee

    def fee_on(self, net: int) -> int:
        """Returns the fee of the smallest purchase of which `net` reaches the curve."""
        low, high = net, net * 101 + 100
        while low < high:
            spend = (low + high) // 2
            low, high = (low, spend) if self.net(spend)[0] >= net else (spend + 1, high)
        return low - net


class Meteora(Trading):
    """One segment with the limiter, then a pool with 1 %."""

    block_ms = BLOCK_MS

    def __init__(self, economy: Economy) -> None:
        super().__init__(economy)
        self.target = economy.raise_target
        self.kept = economy.supply // 5
        sold = economy.supply - self.kept
        tokens, reference = economy.supply * 16 // 15, self.target // THRESHOLD_SOL
        self.curve = Limited(self.target // 3, tokens, sold, self.ledger.fees, reference)
        self.market = self.curve

    def advance(self, at: int) -> None:
        """Moves time, also for the limiter."""
        self.now = self.curve.now = at

    def traded(self) -> None:
        """Graduates a curve whose threshold is reached, formulas (1) and (4)."""
        if self.pooled:
            return
        self.raised = self.curve.raised
        if self.curve.left == 0 or self.raised >= self.target:
            self.idle = (self.raised, self.kept + self.curve.left)
            quote, tokens = self.raised * 998 // 1_000, self.kept * 998 // 1_000
            self.ledger.fees["protocol"] += self.raised - quote
            self.idle = (quote, self.idle[1])
            self.opens(QuoteFees(quote, tokens, self.now, self.ledger.fees, RATES), quote, tokens)

    def held(self) -> tuple[int, int]:
        """Returns quote and tokens in the curve, or in the pool and beside it."""
        if self.pooled:
            return super().held()
        return self.curve.raised, self.kept + self.curve.left
