"""How numbers become words on a page. Values arrive as exact text (or None where unknown) and are never guessed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation

UNKNOWN = "unknown"
_STEPS = ((Decimal(10) ** 12, "T"), (Decimal(10) ** 9, "B"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 3, "k"))


def decimal(value: object) -> Decimal | None:
    """Returns the number behind a text, a number or None; None where it is unknown or not a finite number."""
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def compact(value: object, digits: int = 3) -> str:
    """Returns a number in few characters: `4.62B`, `998k`, `0.000123`; `unknown` where there is none."""
    number = decimal(value)
    if number is None:
        return UNKNOWN
    for step, letter in _STEPS:
        if abs(number) >= step:
            return _significant(number / step, digits) + letter
    return _significant(number, digits)


def usd(value: object, digits: int = 3) -> str:
    """Returns a dollar amount in few characters: `$4.62B`, `−$12M`."""
    number = decimal(value)
    if number is None:
        return UNKNOWN
    return ("−" if number < 0 else "") + "$" + compact(abs(number), digits)


def percent(value: object, places: int = 1) -> str:
    """Returns a share as a percentage: 0.1234 -> `12.3%`."""
    number = decimal(value)
    return UNKNOWN if number is None else f"{number * 100:,.{places}f}%".replace("-", "−")


def change(value: object, places: int = 1) -> str:
    """Returns a change as a percentage with its sign: 0.05 -> `+5.0%`."""
    number = decimal(value)
    if number is None:
        return UNKNOWN
    return f"{number * 100:{'+' if number else ''},.{places}f}%".replace("-", "−")


def direction(value: object) -> str:
    """Returns `up`, `down` or `even`: the class that colours a change, beside its sign."""
    number = decimal(value)
    if number is None or number == 0:
        return "even"
    return "up" if number > 0 else "down"


def by_unit(value: object, unit: str) -> str:
    """Returns a figure in the words of its unit: `usd`, `ratio`, `log`, `count`, `days` and others."""
    match unit:
        case "usd":
            return usd(value)
        case "ratio" | "share" | "fraction" | "return":
            return percent(value)
        case "date" | "text" | "name" | "asset_id" | "symbol" | "":
            return UNKNOWN if value is None else str(value)
        case "count" if (number := decimal(value)) is not None and abs(number) < 100_000:
            return f"{number:,.0f}".replace("-", "−") if number == number.to_integral_value() else compact(value)
        case "days":
            return UNKNOWN if value is None else f"{value} d"
    return compact(value) if decimal(value) is not None else (UNKNOWN if value is None else str(value))


def axis(value: object, unit: str) -> str:
    """Returns a value as a tick of an axis says it: as `by_unit`, without zeros at the end."""
    words = by_unit(value, unit)
    head, point, tail = words.partition(".")
    digits = tail.rstrip("TBMk%")
    kept = digits.rstrip("0")
    return head + (point + kept if kept else "") + tail[len(digits) :]


def _significant(number: Decimal, digits: int) -> str:
    """Returns a number with so many significant digits, never in exponent form, integers below 1000 as they are."""
    if number == number.to_integral_value() and abs(number) < 1000:
        return f"{number:.0f}".replace("-", "−")
    places = max(0, digits - 1 - number.adjusted())
    return f"{number:,.{places}f}".replace("-", "−")


FILTERS: dict[str, Callable[..., str]] = {
    "by_unit": by_unit,
    "change": change,
    "compact": compact,
    "direction": direction,
    "percent": percent,
    "usd": usd,
}
