"""Money: whole base units of one token. No float comes near it, and unlike tokens never mix.

fee = amount.share(Bps(100), round=UP)              1 %, rounded against the payer
paid = tokens.at(Ratio(num=usdc, den=tokens), round=DOWN)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import total_ordering

from mercato.core.chain import Asset
from mercato.core.errors import InvalidInput, MixedTokens, Shortfall

LIMIT = 2**256
_DECIMAL = re.compile(r"([0-9]+)(?:\.([0-9]+))?")


class Round(Enum):
    """Which way a division that leaves a rest goes. There is no default: each fee says whom it favours."""

    UP = "up"
    DOWN = "down"


UP, DOWN = Round.UP, Round.DOWN


@dataclass(frozen=True, slots=True)
class Token:
    """A kind of money: its CAIP-19 name, how many decimals people see, and the symbol, which identifies nothing."""

    asset: Asset
    decimals: int
    symbol: str = field(compare=False)

    def __post_init__(self) -> None:
        if not _whole(self.decimals) or not 0 <= self.decimals <= 77:
            raise InvalidInput(f"decimals of {self.symbol!r} was {self.decimals!r}", hint="expected 0 to 77")


@dataclass(frozen=True, slots=True, order=True)
class Bps:
    """Hundredths of a percent, from 0 to 10000."""

    value: int

    def __post_init__(self) -> None:
        if not _whole(self.value) or not 0 <= self.value <= 10_000:
            raise InvalidInput(f"basis points was {self.value!r}", hint="expected a whole number from 0 to 10000")


@total_ordering
@dataclass(frozen=True, slots=True)
class Amount:
    """A non-negative whole number of base units of a token, below 2**256. Each operation refuses another token."""

    units: int
    token: Token

    def __post_init__(self) -> None:
        if not _whole(self.units) or not 0 <= self.units < LIMIT:
            raise InvalidInput(
                f"amount of {self.token.symbol!r} was {self.units!r} base units",
                hint="expected a whole number from 0 to 2**256 - 1",
            )

    @classmethod
    def parse(cls, text: str, token: Token) -> Amount:
        """Returns the amount that a person wrote, such as `1.25`; InvalidInput where the token has fewer decimals."""
        found = _DECIMAL.fullmatch(text) if len(text) <= 160 else None
        if not found:
            raise InvalidInput(f"amount of {token.symbol!r} was {text[:160]!r}", hint="write it like 1234.5")
        whole, part = found[1], (found[2] or "").rstrip("0")
        if len(part) > token.decimals:
            raise InvalidInput(
                f"amount of {token.symbol!r} was {text!r}", hint=f"{token.symbol} has {token.decimals} decimals"
            )
        return cls(int(whole + part.ljust(token.decimals, "0")), token)

    def text(self) -> str:
        """Returns the exact amount for people, such as `1.25`, without the symbol."""
        whole, rest = divmod(self.units, 10**self.token.decimals)
        part = f"{rest:0{self.token.decimals}d}".rstrip("0") if rest else ""
        return f"{whole}.{part}" if part else str(whole)

    def share(self, part: Bps, *, round: Round) -> Amount:
        """Returns that many basis points of the amount."""
        return Amount(_divide(self.units * part.value, 10_000, round), self.token)

    def at(self, price: Ratio, *, round: Round) -> Amount:
        """Returns what the amount is worth at a price: its token turns into the price's numerator."""
        _same("price of", self.token, price.den.token)
        return Amount(_divide(self.units * price.num.units, price.den.units, round), price.num.token)

    def minus(self, other: Amount) -> Delta:
        """Returns the signed difference."""
        _same("subtract", self.token, other.token)
        return Delta(self.units - other.units, self.token)

    def __add__(self, other: Amount) -> Amount:
        if not isinstance(other, Amount):
            return NotImplemented
        _same("add", self.token, other.token)
        return Amount(self.units + other.units, self.token)

    def __sub__(self, other: Amount) -> Amount:
        if not isinstance(other, Amount):
            return NotImplemented
        return Amount(_covered(self.minus(other)), self.token)

    def __lt__(self, other: Amount) -> bool:
        if not isinstance(other, Amount):
            return NotImplemented
        _same("compare", self.token, other.token)
        return self.units < other.units

    def __bool__(self) -> bool:
        return self.units > 0

    def __str__(self) -> str:
        return f"{self.text()} {self.token.symbol}"


@dataclass(frozen=True, slots=True)
class Delta:
    """A signed change of an amount: what a ledger's entry carries."""

    units: int
    token: Token

    def __post_init__(self) -> None:
        if not _whole(self.units) or not -LIMIT < self.units < LIMIT:
            raise InvalidInput(f"change was {self.units!r} base units", hint="expected a whole number within 2**256")

    def __add__(self, other: Delta) -> Delta:
        if not isinstance(other, Delta):
            return NotImplemented
        _same("add", self.token, other.token)
        return Delta(self.units + other.units, self.token)

    def __neg__(self) -> Delta:
        return Delta(-self.units, self.token)

    def on(self, amount: Amount) -> Amount:
        """Returns the amount after the change; Shortfall where it would fall below zero."""
        return Amount(_covered(amount.minus(Amount(0, self.token)) + self), self.token)


@dataclass(frozen=True, slots=True)
class Ratio:
    """A price: `num` is what `den` costs. Kept as two amounts, so that nothing is lost before the last division."""

    num: Amount
    den: Amount

    def __post_init__(self) -> None:
        if not self.den:
            raise InvalidInput(f"price was {self.num} for {self.den}", hint="a price needs something on both sides")


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _same(verb: str, left: Token, right: Token) -> None:
    if left != right:
        raise MixedTokens(
            f"tokens were {left.symbol!r} ({left.asset}, {left.decimals} decimals) and {right.symbol!r} "
            f"({right.asset}, {right.decimals} decimals), one cannot {verb} them",
            hint="convert one of them at a price first",
        )


def _covered(change: Delta) -> int:
    if change.units < 0:
        short = Amount(-change.units, change.token)
        raise Shortfall(f"balance was {short} too small", hint="amounts never fall below zero")
    return change.units


def _divide(number: int, by: int, round: Round) -> int:
    ways: dict[Round, Callable[[], int]] = {DOWN: lambda: number // by, UP: lambda: -(-number // by)}
    return ways[round]()
