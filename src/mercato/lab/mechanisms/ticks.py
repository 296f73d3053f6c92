"""Concentrated liquidity in whole numbers: square roots of prices at ticks, and trades through ranges of liquidity.

A tick is a step of 1.0001 in price; sqrt prices are Q96 of quote per token. Liquidity L between two sqrt prices a < b
holds, of tokens, L * 2**96 * (b - a) / (a * b), and of quote, L * (b - a) / 2**96 (Uniswap v3 whitepaper, March 2021,
formulas 6.29 and 6.30). Amounts out are rounded down, amounts in up.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from itertools import pairwise
from math import isqrt

from mercato.lab.model import Q96

#: Binary digits that powers of 1.0001 are carried with; far more than the 96 that are kept.
DIGITS = 256


@lru_cache(maxsize=4_096)
def sqrt_at(tick: int) -> int:
    """Returns the square root of 1.0001**tick, Q96, rounded down."""
    one = 1 << DIGITS
    power, square, left = one, one * 10_001 // 10_000, abs(tick)
    while left:
        if left & 1:
            power = power * square >> DIGITS
        square = square * square >> DIGITS
        left >>= 1
    ratio = one * one // power if tick < 0 else power
    return isqrt(ratio << 192 - DIGITS) if DIGITS <= 192 else isqrt(ratio >> DIGITS - 192)


@lru_cache(maxsize=65_536)
def tick_of(sqrt: int) -> int:
    """Returns the highest tick whose sqrt price is at most `sqrt`."""
    low, high = -1_000_000, 1_000_000
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if sqrt_at(middle) <= sqrt else (low, middle - 1)
    return low


def tokens_in(liquidity: int, low: int, high: int) -> int:
    """Returns the tokens that liquidity holds between two sqrt prices, rounded down."""
    return (liquidity * (high - low) << 96) // (low * high)


def quote_in(liquidity: int, low: int, high: int) -> int:
    """Returns the quote that liquidity holds between two sqrt prices, rounded down."""
    return liquidity * (high - low) >> 96


def for_tokens(amount: int, low: int, high: int) -> int:
    """Returns the liquidity that `amount` tokens make between two sqrt prices, rounded down."""
    return amount * low * high // (high - low) >> 96


def for_quote(amount: int, low: int, high: int) -> int:
    """Returns the liquidity that `amount` quote makes between two sqrt prices, rounded down."""
    return (amount << 96) // (high - low)


class Ranges:
    """Liquidity by ranges of sqrt prices, and where the price stands: `depth[i]` from `edges[i]` to the next edge."""

    __slots__ = ("depth", "edges", "sqrt")

    def __init__(self, sqrt: int, positions: list[tuple[int, int, int]]) -> None:
        """Lays positions of (low, high, liquidity); they may overlap and leave gaps."""
        self.edges = sorted({edge for low, high, _ in positions for edge in (low, high)})
        self.depth = [
            sum(liquidity for low, high, liquidity in positions if low <= here and above <= high)
            for here, above in pairwise(self.edges)
        ]
        self.sqrt = sqrt

    def liquidity(self) -> int:
        """Returns the liquidity just above the price: what the next purchase meets."""
        at = bisect_right(self.edges, self.sqrt) - 1
        return self.depth[at] if 0 <= at < len(self.depth) else 0

    def bought(self, net: int) -> tuple[int, int, int]:
        """Returns tokens out, quote used and the sqrt price after a purchase with `net` quote."""
        sqrt, left, out = self.sqrt, net, 0
        at = bisect_right(self.edges, sqrt) - 1
        if at < 0 and self.edges:
            at, sqrt = 0, self.edges[0]
        while left > 0 and at < len(self.depth):
            depth, top = self.depth[at], self.edges[at + 1]
            room = -(-depth * (top - sqrt) // Q96)
            if left < room:
                after = sqrt + (left << 96) // depth
                return out + tokens_in(depth, sqrt, after), net, after
            out += tokens_in(depth, sqrt, top)
            left, sqrt, at = left - room, top, at + 1
        return out, net - left, sqrt

    def sold(self, tokens: int) -> tuple[int, int, int]:
        """Returns quote out, tokens used and the sqrt price after a sale of `tokens`."""
        sqrt, left, out = self.sqrt, tokens, 0
        at = bisect_right(self.edges, sqrt) - 1
        if self.edges and sqrt == self.edges[max(at, 0)]:
            at -= 1
        if at >= len(self.depth):
            at, sqrt = len(self.depth) - 1, self.edges[-1]
        while left > 0 and at >= 0:
            depth, bottom = self.depth[at], self.edges[at]
            room = -(-(depth * (sqrt - bottom) << 96) // (bottom * sqrt))
            if left < room:
                after = -(-(depth << 96) * sqrt // ((depth << 96) + left * sqrt))
                return out + quote_in(depth, after, sqrt), tokens, after
            out += quote_in(depth, bottom, sqrt)
            left, sqrt, at = left - room, bottom, at - 1
        return out, tokens - left, sqrt

    def reserves(self) -> tuple[int, int]:
        """Returns quote and tokens of the constant product with the price and the liquidity of the next purchase."""
        depth = self.liquidity()
        return depth * self.sqrt >> 96, (depth << 96) // self.sqrt
