"""Constant-product pools in whole numbers: ours, equal to `contracts/pool.vy` to the wei, and those of other makers.

Ours, with a fee that falls from 5 % to 1 % over 30 minutes (formulas (1) to (4) of `mercato.launch.pool`):

(1) fee(t) = 1 % + floor(4 % * (30 min - age) / 30 min) while younger than that, in parts per million
(2) buying: fee up of the quote paid, tokens = floor(token * net / (quote + net))
(3) selling: gross = floor(quote * tokens / (token + tokens)), fee up of gross
(4) of the 1 % the creator gets 40 %, the treasury 20 %; all else stays in the reserves for good

Uniswap v2's: a part of what is paid in stays in the reserves (`V2_PPM`; core contracts, docs.uniswap.org, 2026-11-22).
Pools that take fees in quote alone, such as PumpSwap and Meteora's, are `QuoteFees`.
"""

from __future__ import annotations

from collections import defaultdict
from math import isqrt
from typing import NamedTuple

from mercato.lab.mechanisms.market import PPM, Market
from mercato.lab.model import BPS, Q96
from mercato.launch.pool import BASE_PPM, FALL, OPENING_PPM, Shares

V2_PPM = 3_000
SHARES = Shares()


class Reserves(Market):
    """Quote and tokens with a constant product. Who may add liquidity gets shares of it; the first part is locked."""

    __slots__ = ("fees", "givers", "opened", "quoted", "shares", "tokens")

    def __init__(self, quote: int, tokens: int, opened: int, fees: defaultdict[str, int]) -> None:
        self.quoted, self.tokens, self.opened, self.fees = quote, tokens, opened, fees
        self.shares = isqrt(quote * tokens)
        self.givers: dict[int, int] = {}

    def price(self) -> int:
        """Returns the marginal price, Q96."""
        return self.quoted * Q96 // self.tokens

    def reserves(self) -> tuple[int, int]:
        """Returns the reserves."""
        return self.quoted, self.tokens

    def held(self) -> tuple[int, int]:
        """Returns the reserves: all of it lies here."""
        return self.quoted, self.tokens

    def join(self, quote: int, most: int, who: int) -> int:
        """Adds liquidity at the present price; returns the tokens taken, 0 where that would be over `most`."""
        tokens = -(-quote * self.tokens // self.quoted)
        minted = self.shares * quote // self.quoted
        if not 0 < tokens <= most or minted <= 0:
            return 0
        self.quoted += quote
        self.tokens += tokens
        self.shares += minted
        self.givers[who] = self.givers.get(who, 0) + minted
        return tokens

    def leave(self, who: int) -> tuple[int, int]:
        """Returns an account's part of the reserves, taken out."""
        part = self.givers.pop(who, 0)
        quote, tokens = self.quoted * part // self.shares, self.tokens * part // self.shares
        self.quoted -= quote
        self.tokens -= tokens
        self.shares -= part
        return quote, tokens


class OwnPool(Reserves):
    """Our pool: nobody can add liquidity for himself, nobody can take any out."""

    def fee_ppm(self, now: int) -> int:
        """Returns the fee at a time, formula (1)."""
        age = now // 1_000 - self.opened // 1_000
        return BASE_PPM if age >= FALL else BASE_PPM + (OPENING_PPM - BASE_PPM) * (FALL - age) // FALL

    def quote(self, spend: int, now: int) -> int:
        """Returns the tokens for `spend`, formula (2)."""
        net = spend - -(-spend * self.fee_ppm(now) // PPM)
        return self.tokens * net // (self.quoted + net)

    def worth(self, tokens: int, now: int) -> int:
        """Returns the quote for `tokens`, formula (3)."""
        gross = self.quoted * tokens // (self.tokens + tokens)
        return gross - -(-gross * self.fee_ppm(now) // PPM)

    def buy(self, spend: int, now: int, least: int) -> tuple[int, int]:
        """Buys for all of `spend`, formulas (2) and (4)."""
        fee = -(-spend * self.fee_ppm(now) // PPM)
        tokens = self.tokens * (spend - fee) // (self.quoted + spend - fee)
        if tokens <= 0 or tokens < least:
            return 0, 0
        self.tokens -= tokens
        self.quoted += spend - self._shared(fee, spend)
        return tokens, spend

    def sell(self, tokens: int, now: int, least: int) -> int:
        """Sells `tokens`, formulas (3) and (4)."""
        gross = self.quoted * tokens // (self.tokens + tokens)
        fee = -(-gross * self.fee_ppm(now) // PPM)
        if gross - fee <= 0 or gross - fee < least:
            return 0
        self.tokens += tokens
        self.quoted -= gross - fee + self._shared(fee, gross)
        return gross - fee

    def join(self, quote: int, most: int, who: int) -> int:
        """Refuses: what is added to this pool belongs to nobody."""
        return 0

    def _shared(self, fee: int, turnover: int) -> int:
        base = min(fee, turnover * BASE_PPM // PPM)
        creator, treasury = base * SHARES.creator_bps // BPS, base * SHARES.treasury_bps // BPS
        self.fees["creator"] += creator
        self.fees["protocol"] += treasury
        return creator + treasury


class V2Pool(Reserves):
    """Uniswap v2's pair: `fee_ppm` of what is paid in stays in the reserves; `tax_ppm` of the quote goes to the team.

    The tax stands for a token that taxes its transfers to and from the pair and sells what it took; taken in quote at
    once, so the sale's own impact is left out.
    """

    __slots__ = ("fee_ppm", "tax_ppm")

    def __init__(
        self, quote: int, tokens: int, opened: int, fees: defaultdict[str, int], tax_ppm: int = 0, fee_ppm: int = V2_PPM
    ) -> None:
        super().__init__(quote, tokens, opened, fees)
        self.fee_ppm, self.tax_ppm = fee_ppm, tax_ppm

    def quote(self, spend: int, now: int) -> int:
        """Returns the tokens for `spend`, the tax taken off first."""
        net = (spend - spend * self.tax_ppm // PPM) * (PPM - self.fee_ppm)
        return self.tokens * net // (self.quoted * PPM + net)

    def worth(self, tokens: int, now: int) -> int:
        """Returns the quote for `tokens`, the tax taken off last."""
        net = tokens * (PPM - self.fee_ppm)
        gross = self.quoted * net // (self.tokens * PPM + net)
        return gross - gross * self.tax_ppm // PPM

    def buy(self, spend: int, now: int, least: int) -> tuple[int, int]:
        """Buys for all of `spend`."""
        tokens = self.quote(spend, now)
        if tokens <= 0 or tokens < least:
            return 0, 0
        tax = spend * self.tax_ppm // PPM
        self.fees["creator"] += tax
        self.quoted += spend - tax
        self.tokens -= tokens
        return tokens, spend

    def sell(self, tokens: int, now: int, least: int) -> int:
        """Sells `tokens`."""
        net = tokens * (PPM - self.fee_ppm)
        gross = self.quoted * net // (self.tokens * PPM + net)
        tax = gross * self.tax_ppm // PPM
        if gross - tax <= 0 or gross - tax < least:
            return 0
        self.fees["creator"] += tax
        self.quoted -= gross
        self.tokens += tokens
        return gross - tax


class Rates(NamedTuple):
    """Parts per million of a trade's quote: two that leave the pool and one that stays in it."""

    protocol: int
    creator: int
    liquidity: int = 0


def net_of(spend: int, rates: Rates) -> int:
    """Returns what of `spend` is left for the trade when each fee on top of it is rounded up."""
    net = spend * PPM // (PPM + rates.protocol + rates.creator + rates.liquidity)
    return net - max(net + sum(-(-net * rate // PPM) for rate in rates) - spend, 0)


class QuoteFees(Reserves):
    """A pool whose fees are a part of the quote side: on top of what goes in, off what comes out, each rounded up."""

    __slots__ = ("fixed",)

    def __init__(self, quote: int, tokens: int, opened: int, fees: defaultdict[str, int], rates: Rates) -> None:
        super().__init__(quote, tokens, opened, fees)
        self.fixed = rates

    def rates(self) -> Rates:
        """Returns the rates of the next trade."""
        return self.fixed

    def quote(self, spend: int, now: int) -> int:
        """Returns the tokens for `spend`, fees in."""
        net = net_of(spend, self.rates())
        return self.tokens * net // (self.quoted + net)

    def worth(self, tokens: int, now: int) -> int:
        """Returns the quote for `tokens`, fees out."""
        gross = self.quoted * tokens // (self.tokens + tokens)
        return max(gross - sum(-(-gross * rate // PPM) for rate in self.rates()), 0)

    def buy(self, spend: int, now: int, least: int) -> tuple[int, int]:
        """Buys for all of `spend`."""
        rates = self.rates()
        net = net_of(spend, rates)
        tokens = self.tokens * net // (self.quoted + net)
        if tokens <= 0 or tokens < least:
            return 0, 0
        self.quoted += spend - self._taken(net, rates)
        self.tokens -= tokens
        return tokens, spend

    def sell(self, tokens: int, now: int, least: int) -> int:
        """Sells `tokens`."""
        got = self.worth(tokens, now)
        if got <= 0 or got < least:
            return 0
        gross = self.quoted * tokens // (self.tokens + tokens)
        self.quoted -= got + self._taken(gross, self.rates())
        self.tokens += tokens
        return got

    def _taken(self, turnover: int, rates: Rates) -> int:
        protocol, creator = -(-turnover * rates.protocol // PPM), -(-turnover * rates.creator // PPM)
        self.fees["protocol"] += protocol
        self.fees["creator"] += creator
        return protocol + creator
