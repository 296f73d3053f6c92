"""The own pool in whole numbers: the executable specification of `contracts/pool.vy`, and quotes before a trade.

Amounts are base units, prices Q96 (quote per token times 2**96), times seconds since 1970, fees parts per million.
Everything floors unless it says that it rounds up. The contract agrees to the unit:

(1) fee(t) = BASE + floor((OPENING - BASE) * (FALL - age) / FALL) while the pool is younger than FALL, BASE afterwards
(2) buying: fee rounded up of the quote paid, net = paid - fee, tokens = floor(token * net / (quote + net))
(3) selling: gross = floor(quote * tokens / (token + tokens)), fee rounded up of gross, received = gross - fee
(4) of the fee's base part the creator and the treasury get their shares; all else of it stays in the reserves
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from mercato.core.errors import InvalidInput
from mercato.launch.clearing import BPS, Q96, ceiling

MILLION = 1_000_000
BASE_PPM, OPENING_PPM = 10_000, 50_000
FALL = 1_800
LIMIT = 1 << 112


@dataclass(frozen=True, slots=True)
class Shares:
    """Who gets what of the base fee, in 1/10000; the locked liquidity gets the rest."""

    creator_bps: int = 4_000
    treasury_bps: int = 2_000


@dataclass(frozen=True, slots=True)
class Trade:
    """What a trade does. `given` and `received` are the trader's; the fees and both shares are quote."""

    buys: bool
    given: int
    received: int
    fee: int
    to_creator: int
    to_treasury: int
    pool: Pool

    def impact_ppm(self, before: Pool) -> int:
        """Returns how much worse than the price before the trade it was, fee included, in parts per million."""
        tokens, quote = (self.received, self.given) if self.buys else (self.given, self.received)
        fair = tokens * before.quote
        paid = quote * before.token
        return (paid - fair if self.buys else fair - paid) * MILLION // fair if fair else 0


@dataclass(frozen=True, slots=True)
class Pool:
    """The reserves of a pool and when it opened."""

    token: int
    quote: int
    opened: int
    shares: Shares = Shares()

    def __post_init__(self) -> None:
        """Refuses reserves that no pool can hold."""
        if not (0 < self.token < LIMIT and 0 < self.quote < LIMIT):
            raise InvalidInput(f"reserves were {self.token!r} and {self.quote!r}", hint="both lie between 1 and 2**112")

    @property
    def price(self) -> int:
        """The price, Q96."""
        return min(self.quote * Q96 // self.token, 2**128 - 1)

    def fee_ppm(self, now: int) -> int:
        """Returns the fee at a second, formula (1)."""
        age = now - self.opened
        return BASE_PPM + (OPENING_PPM - BASE_PPM) * max(FALL - age, 0) // FALL

    def buy(self, paid: int, now: int) -> Trade:
        """Returns what buying for `paid` quote does, formulas (2) and (4)."""
        fee = ceiling(_amount(paid) * self.fee_ppm(now), MILLION)
        net = paid - fee
        received = self.token * net // (self.quote + net)
        creator, treasury = self._split(fee, paid)
        after = replace(self, token=self.token - received, quote=self.quote + paid - creator - treasury)
        return Trade(True, paid, received, fee, creator, treasury, after)

    def sell(self, tokens: int, now: int) -> Trade:
        """Returns what selling `tokens` does, formulas (3) and (4)."""
        gross = self.quote * _amount(tokens) // (self.token + tokens)
        fee = ceiling(gross * self.fee_ppm(now), MILLION)
        creator, treasury = self._split(fee, gross)
        after = replace(self, token=self.token + tokens, quote=self.quote - gross + fee - creator - treasury)
        return Trade(False, tokens, gross - fee, fee, creator, treasury, after)

    def _split(self, fee: int, turnover: int) -> tuple[int, int]:
        base = min(fee, turnover * BASE_PPM // MILLION)
        return base * self.shares.creator_bps // BPS, base * self.shares.treasury_bps // BPS


def _amount(amount: int) -> int:
    if not 0 < amount < LIMIT:
        raise InvalidInput(f"amount was {amount!r}", hint="it lies between 1 and 2**112 base units")
    return amount
