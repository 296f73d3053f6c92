"""How a launch's integers are said: dollars, tokens, prices in Q96, moments of chain time, what is left of it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Context, Decimal

from mercato.core.errors import InvalidInput
from mercato.core.numerals import compact, significant, usd
from mercato.launch.clearing import BPS, Q96

QUOTE, TOKEN = 6, 18  # decimals of the test dollar and of every agent token
_EXACT = Context(prec=120)
_DAY, _HOUR, _MINUTE = 86_400, 3600, 60


def dollars(units: int | None) -> str:
    """Returns base units of the quote token as dollars: 1234500000 -> `$1,234.50`."""
    return usd(None if units is None else _scaled(units, QUOTE))


def exact_dollars(units: int) -> str:
    """Returns the same to the last digit: `1234.5`; for a form's field."""
    return plain(_scaled(units, QUOTE))


def exact_tokens(units: int) -> str:
    """Returns an agent token's base units to the last digit, for a form's field: `1500000.25`."""
    return plain(_scaled(units, TOKEN))


def tokens(units: int | None) -> str:
    """Returns base units of an agent token: 1.5e24 -> `1.50M`."""
    return compact(None if units is None else _scaled(units, TOKEN))


def decimal_price(q96: int) -> Decimal:
    """Returns what a whole token costs in dollars, of quote base units per token base unit times 2^96."""
    return _scaled(q96 * 10**12 * 10**24 // Q96, 24)


def price(q96: int | None) -> str:
    """Returns the price of one token: `$0.004123`; four digits that count, without zeros at the end."""
    if q96 is None:
        return usd(None)
    value = decimal_price(q96)
    return usd(value) if value >= 1 else f"${plain_text(significant(value, 4))}"


def valuation(q96: int, supply: int) -> str:
    """Returns what a supply is worth at a price."""
    return dollars(q96 * supply // Q96)


def share(part: int, whole: int) -> str:
    """Returns a part of a whole in percent, one decimal, rounded down: `12.3%`; `0%` of nothing."""
    tenths = part * 1000 // whole if whole else 0
    return f"{tenths // 10}.{tenths % 10}%" if tenths % 10 else f"{tenths // 10}%"


def change(before: int, after: int) -> str:
    """Returns a change with its sign, cut to a tenth of a percent: `+12.3%`; `0.0%` from nothing."""
    tenths = abs(after - before) * 1000 // before if before else 0
    sign = "" if not tenths else "+" if after > before else "−"
    return f"{sign}{tenths // 10}.{tenths % 10}%"


def bps(points: int) -> str:
    """Returns basis points as a percentage: 2500 -> `25%`."""
    return share(points, BPS)


def short(address: str) -> str:
    """Returns an address or a hash as people compare it: `0x1234…abcd`."""
    return f"{address[:6]}…{address[-4:]}" if len(address) > 14 else address


def moment(seconds: int) -> str:
    """Returns a moment of chain time: `22 Nov 2026, 17:00 UTC`."""
    return f"{datetime.fromtimestamp(seconds, UTC):%-d %b %Y, %H:%M} UTC"


def brief(seconds: int) -> str:
    """Returns a moment of chain time without its year: `22 Nov, 17:00`; for axes and columns, in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%-d %b, %H:%M}"


def day(seconds: int) -> str:
    """Returns the day of chain time, in UTC: `22 Nov`; for axes of whole days."""
    return f"{datetime.fromtimestamp(seconds, UTC):%-d %b}"


def left(seconds: int) -> str:
    """Returns a length of time in its two largest units: `3 h 20 min`; the island `count-down` says it the same way."""
    seconds = max(0, seconds)
    days, hours = seconds // _DAY, seconds // _HOUR % 24
    minutes = seconds // _MINUTE % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"


def quote_units(text: str, *, place: str = "amount") -> int:
    """Returns the base units of a dollar amount that a person wrote, such as `$1,250.5`; InvalidInput else."""
    return _units(text, QUOTE, place)


def token_units(text: str, *, place: str = "amount") -> int:
    """Returns the base units of an amount of tokens that a person wrote, such as `1,250.5`; InvalidInput else."""
    return _units(text, TOKEN, place)


def basis_points(text: str, *, place: str = "slippage") -> int:
    """Returns the basis points of a percentage that a person wrote, such as `0.5` or `0.5%`; InvalidInput else."""
    return _units(text.strip().removesuffix("%"), 2, place)


def q96_of(text: str) -> int:
    """Returns the price in Q96 that a person wrote in dollars per token; rounded down. InvalidInput else."""
    return _units(text, 24, "price") * Q96 // 10**36


def plain(value: Decimal) -> str:
    """Returns a number without an exponent and without zeros at its end."""
    return plain_text(f"{value:f}")


def plain_text(text: str) -> str:
    """Returns the text of a number without zeros at its end: `0.0020` -> `0.002`."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def _scaled(units: int, decimals: int) -> Decimal:
    return Decimal(units).scaleb(-decimals, context=_EXACT)


def _units(text: str, decimals: int, place: str) -> int:
    given = text.strip().removeprefix("$").replace(",", "").replace(" ", "")
    whole, point, part = given.partition(".")
    digits = whole + part
    if not digits or len(given) > 60 or not (digits.isascii() and digits.isdigit()) or (point and not part):
        raise InvalidInput(f"{place} was {text[:60]!r}", hint="write a number such as 250 or 0.0125")
    if len(part.rstrip("0")) > decimals:
        raise InvalidInput(f"{place} was {text[:60]!r}", hint=f"at most {decimals} decimals")
    return int((whole or "0") + part.rstrip("0").ljust(decimals, "0"))
