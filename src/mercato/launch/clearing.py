"""The level clearing auction in whole numbers: the executable specification of `auction.vy`, equal to the wei.

Amounts and prices are non-negative ints: quote and tokens in base units, prices in Q96 (quote per token times 2**96).
Divisions round down unless they say up. The numbers (1) to (6) name the formulas; the contract carries the same ones.

(1) k = the highest level i where C_i + nc(P_i) >= cost(S, P_i)
(2) without one: everybody spends all that its tranche takes, at the floor
(3) with one, C' = C_{k+1}: above the level where (a) retail fits whole, or (b) retail fills its cap; else (c) at it
(4) R < R_min or nothing sold: failed, every escrow goes back whole
(5) what one bid is charged, refunded and given
(6) what graduation puts into the pool

S sale, S_nc retail cap, P_i price of level i, D_i competitive escrow at level i, C_i = D_i + D_{i+1} + ..., A retail
escrow, cost(S, p) = S * p / 2**96 rounded up, nc(p) = min(A, S_nc * p / 2**96), R raised, T sold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

#: The level of retail bids, which take whatever price comes out; on chain too.
RETAIL = 2**16 - 1
LEVELS = 256
BPS = 10_000
Q96 = 2**96
#: Of amounts and of the sale; with the limit of prices every product fits in 256 bits.
AMOUNT_LIMIT = 2**112
PRICE_LIMIT = 2**128


@dataclass(frozen=True, slots=True)
class Terms:
    """What a sale is made on: tokens, of them for retail at most, the least raise, and the price of each level."""

    sale: int
    retail_cap: int
    raise_min: int
    prices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Demand:
    """Escrow by level, and that of retail."""

    levels: tuple[int, ...]
    retail: int = 0

    @property
    def total(self) -> int:
        """All escrow."""
        return sum(self.levels) + self.retail


@dataclass(frozen=True, slots=True)
class Clearing:
    """How a sale came out. `k` is the lowest level that gets a fill; all numbers are 0 where it failed.

    Level k spends `r_mid` of its `d_mid`, both 0 where it fills whole; retail spends `r_nc` of its `a_nc`.
    """

    k: int
    raised: int
    sold: int
    r_mid: int
    d_mid: int
    r_nc: int
    a_nc: int

    @property
    def failed(self) -> bool:
        """Whether nothing was sold."""
        return self.sold == 0


@dataclass(frozen=True, slots=True)
class Fill:
    """What one bid ends with: tokens, and its escrow split into charge and refund."""

    tokens: int
    charge: int
    refund: int


FAILED = Clearing(0, 0, 0, 0, 0, 0, 0)


def ceiling(number: int, by: int) -> int:
    """Returns the quotient, rounded up."""
    return -(-number // by)


def grid(floor: int, step_bps: int, levels: int = LEVELS) -> tuple[int, ...]:
    """Returns what each level costs, in any unit: every one is `step_bps` above the one below, rounded up."""
    step = BPS + step_bps
    return tuple(accumulate(range(levels - 1), lambda price, _: ceiling(price * step, BPS), initial=floor))


def aggregate(levels: Iterable[int], amounts: Iterable[int], count: int = LEVELS) -> Demand:
    """Returns the demand of bids given as two columns; their order changes nothing. IndexError for an unknown level."""
    summed: defaultdict[int, int] = defaultdict(int)
    for level, amount in zip(levels, amounts, strict=True):
        summed[level] += amount
    retail = summed.pop(RETAIL, 0)
    unknown = [level for level in summed if not 0 <= level < count]
    if unknown:
        raise IndexError(f"level was {unknown[0]!r}, expected 0 to {count - 1} or {RETAIL} for retail")
    return Demand(tuple(summed.get(level, 0) for level in range(count)), retail)


def clear(demand: Demand, terms: Terms) -> Clearing:
    """Returns the one price that sells the tokens, from the demand alone: (1) to (4)."""
    found = _clear(demand, terms)
    return FAILED if found.raised < terms.raise_min or found.sold == 0 else found


def settle(level: int, amount: int, found: Clearing) -> Fill:
    """Returns what a bid of `amount` at `level` ends with (5)."""
    if found.failed or (level < found.k and level != RETAIL):
        return Fill(0, 0, amount)
    part, whole = 0, 0
    if level == RETAIL:
        part, whole = found.r_nc, found.a_nc
    elif level == found.k:
        part, whole = found.r_mid, found.d_mid
    spent, charge = (amount * part // whole, ceiling(amount * part, whole)) if whole else (amount, amount)
    return Fill(spent * found.sold // found.raised, charge, amount - charge)


def liquidity(found: Clearing, lp_bps: int) -> tuple[int, int]:
    """Returns the quote and the tokens that open the pool (6): at the clearing price, whatever that is."""
    quote = found.raised * lp_bps // BPS
    return quote, quote * found.sold // found.raised


def _clear(demand: Demand, terms: Terms) -> Clearing:
    sale, cap, retail = terms.sale, terms.retail_cap, demand.retail
    above = 0
    for k in reversed(range(len(terms.prices))):
        here, price = demand.levels[k], terms.prices[k]
        cost, taken = ceiling(sale * price, Q96), min(retail, cap * price // Q96)
        if above + here + taken >= cost:  # (1)
            break
        above += here
    else:
        raised = above + taken  # (2)
        sold = min(sale, raised * Q96 // price)
        return Clearing(0, raised, sold, here, here, taken, retail)
    if retail * sale <= cap * (above + retail) and above + retail > cost:  # (3a)
        return Clearing(k + 1, above + retail, sale, 0, 0, retail, retail)
    if cap < sale:
        share = cap * above // (sale - cap)
        if share <= retail and above + share > cost:  # (3b)
            return Clearing(k + 1, above + share, sale, 0, 0, share, retail)
    return Clearing(k, cost, sale, cost - above - taken, here, taken, retail)  # (3c)
