"""Balancer's liquidity bootstrapping pool: weights move from 90/10 to 10/90 while people trade. Ethereum, 12 s.

Source, read 2026-11-22: docs.balancer.fi, "Liquidity Bootstrapping Pools" and "Weighted Math" (90/10 at the start; the
starting price is a ceiling far above what is believed to be fair; at most 30 % of a balance goes in by one swap).

(1) weights are linear in time; w the token's, 1 - w the quote's; price = (Q / (1 - w)) / (T / w)
(2) out = B_out * (1 - (B_in / (B_in + in))**(w_in / w_out)), `in` after the swap fee; rounded down, by a unit or two
(3) fees of 1 % stay in the pool, whose only owner is the creator

Balancer advises about three days; here the weights move over the study's window of 24 hours, so that its pool can be
looked at for as long as the others'. The start is twice the announced high, which sets the quote that the creator
brings. At the end the creator opens a constant-product pool with 0.3 % at the last price with 75 % of what was raised,
as in our launches, and keeps the rest.
"""

from __future__ import annotations

from mercato.lab.mechanisms.market import PPM, Market, Trading
from mercato.lab.mechanisms.pool import V2Pool
from mercato.lab.model import BPS, Q96, Economy

FEE_PPM = 10_000
START_BPS, END_BPS = 9_000, 1_000
MOST_IN = 30
LIQUIDITY_BPS = 7_500
#: Binary digits of logarithms and powers: 38 more than the largest balance has.
DIGITS = 128
STEP = 10**18


class Weighted(Market):
    """Two balances and the token's weight, in 1e-18. `seed` is the creator's own quote."""

    __slots__ = ("quoted", "seed", "tokens", "weight")

    def __init__(self, seed: int, tokens: int) -> None:
        self.quoted = self.seed = seed
        self.tokens = tokens
        self.weight = STEP * START_BPS // BPS

    def price(self) -> int:
        """Returns the marginal price, Q96, formula (1)."""
        return self.quoted * self.weight * Q96 // (self.tokens * (STEP - self.weight))

    def reserves(self) -> tuple[int, int]:
        """Returns the constant product that a small trade moves as much as these weights."""
        return self.quoted * self.weight * 2 // STEP, self.tokens * (STEP - self.weight) * 2 // STEP

    def held(self) -> tuple[int, int]:
        """Returns the quote above the creator's own, and the tokens."""
        return self.quoted - self.seed, self.tokens

    def quote(self, spend: int, now: int) -> int:
        """Returns the tokens for `spend`, formula (2)."""
        net = spend - -(-spend * FEE_PPM // PPM)
        return out(self.quoted, STEP - self.weight, self.tokens, self.weight, net)

    def worth(self, tokens: int, now: int) -> int:
        """Returns the quote for `tokens`, formula (2)."""
        net = tokens - -(-tokens * FEE_PPM // PPM)
        return out(self.tokens, self.weight, self.quoted, STEP - self.weight, net)

    def buy(self, spend: int, now: int, least: int) -> tuple[int, int]:
        """Buys for all of `spend`."""
        tokens = self.quote(spend, now)
        if tokens <= 0 or tokens < least:
            return 0, 0
        self.quoted += spend
        self.tokens -= tokens
        return tokens, spend

    def sell(self, tokens: int, now: int, least: int) -> int:
        """Sells `tokens`."""
        got = self.worth(tokens, now)
        if got <= 0 or got < least:
            return 0
        self.quoted -= got
        self.tokens += tokens
        return got


def out(source: int, source_weight: int, drain: int, drain_weight: int, amount: int) -> int:
    """Returns what comes out of balance `drain` for `amount` put into `source`; 0 for over 30 % of it, formula (2)."""
    if amount <= 0 or amount * 100 > source * MOST_IN:
        return 0
    return drain * fallen(logarithm(amount, source) * source_weight // drain_weight) >> DIGITS


def logarithm(part: int, whole: int) -> int:
    """Returns ln(1 + part / whole) in 128 binary digits, from 2 * (z + z**3 / 3 + z**5 / 5 ...)."""
    z = (part << DIGITS) // (2 * whole + part)
    square, term, total, odd = z * z >> DIGITS, z, z, 3
    while term:
        term = term * square >> DIGITS
        total += term // odd
        odd += 2
    return 2 * total


def fallen(x: int) -> int:
    """Returns 1 - exp(-x) in 128 binary digits, from x - x**2 / 2! + x**3 / 3! ..."""
    term, total, count = x, x, 2
    while term:
        term = (term * x >> DIGITS) // count
        total += term if count % 2 else -term
        count += 1
    return total


class BootstrappingPool(Trading):
    """The weighted pool over the window, then ours."""

    block_ms = 12_000
    seller_bps = BPS - LIQUIDITY_BPS

    def __init__(self, economy: Economy) -> None:
        super().__init__(economy)
        sale = economy.supply * economy.sale_bps // BPS
        seed = 2 * economy.high * economy.sale_bps // BPS * END_BPS // START_BPS
        self.sale = Weighted(seed, sale)
        self.market: Market | None = self.sale
        self.idle = (0, economy.supply - sale)

    def advance(self, at: int) -> None:
        """Moves time and weights; ends the sale at the end of the window."""
        self.now = at
        if self.pooled or at < 0:
            return
        window = self.economy.window_ms
        part = STEP * min(at, window) // window
        self.sale.weight = STEP * START_BPS // BPS - (START_BPS - END_BPS) * part // BPS
        if at >= window:
            self._ends()

    def traded(self) -> None:
        """Keeps what was raised so far."""
        if not self.pooled:
            self.raised = self.sale.quoted - self.sale.seed

    def _ends(self) -> None:
        """Takes the balances out and opens the pool at the last price."""
        quote, price = max(self.raised, 0) * LIQUIDITY_BPS // BPS, self.sale.price()
        self.idle = (self.raised, self.idle[1] + self.sale.tokens)
        self.market = None
        tokens = min(quote * Q96 // price, self.idle[1])
        if quote > 0 and tokens > 0:
            self.opens(V2Pool(quote, tokens, self.economy.window_ms, self.ledger.fees), quote, tokens)
