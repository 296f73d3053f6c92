"""How numbers become words for a person: `$4.62B`, `12.3%`, `−69.5%`, `unknown`. One way for pages, reports, terminal.

Values arrive as exact text, or None where they are unknown, and are never guessed; the exact value stays beside them.
"""

from __future__ import annotations

from decimal import Context, Decimal, InvalidOperation

UNKNOWN = "unknown"
MINUS = "−"
_STEPS = ((Decimal(10) ** 12, "T"), (Decimal(10) ** 9, "B"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 3, "k"))
_PLAIN = Decimal(100_000)  # below this an amount is said in full, as a person would: $5,000 and not $5k
_SMALL = Decimal("0.0005")  # below this a percentage with one decimal would say zero


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
    rounded = Context(prec=digits).plus(number)  # so that 999,999.5 is one million and not a thousand thousands
    for step, letter in _STEPS:
        if abs(rounded) >= step:
            return significant(number / step, digits) + letter
    return significant(number, digits)


def plain(value: object) -> str:
    """Returns a bare number: `1,681`, `4.50`, `0.437`, and `1.68M` where its digits would not be read."""
    number = decimal(value)
    if number is None:
        return UNKNOWN
    if abs(number) >= _PLAIN:
        return compact(number)
    if number == number.to_integral_value() or abs(number) >= 1000:
        return _fixed(number, 0)
    return _fixed(number, 2) if abs(number) >= 1 else significant(number)


def usd(value: object, digits: int = 3) -> str:
    """Returns a dollar amount: `$4.62B`, `−$12M`, `$5,000`, `$985.68`, `$0.00412`."""
    number = decimal(value)
    if number is None:
        return UNKNOWN
    sign, size = (MINUS if number < 0 else ""), abs(number)
    if size >= _PLAIN:
        return f"{sign}${compact(size, digits)}"
    if size == size.to_integral_value() or size >= 10_000:
        return f"{sign}${size:,.0f}"
    return f"{sign}${_fixed(size, 2) if size >= 1 else significant(size, digits)}"


def percent(value: object, places: int = 1) -> str:
    """Returns a share as a percentage: 0.1234 -> `12.3%`; a tiny share keeps two digits instead of saying zero."""
    number = decimal(value)
    if number is None:
        return UNKNOWN
    tiny = number and abs(number) < _SMALL and places == 1
    return f"{significant(number * 100, 2) if tiny else _fixed(number * 100, places)}%"


def change(value: object, places: int = 1) -> str:
    """Returns a change as a percentage with its sign: 0.05 -> `+5.0%`."""
    number = decimal(value)
    return UNKNOWN if number is None else ("+" if number > 0 else "") + percent(number, places)


def direction(value: object) -> str:
    """Returns `up`, `down` or `even`: the class that colours a change, beside its sign."""
    number = decimal(value)
    if number is None or number == 0:
        return "even"
    return "up" if number > 0 else "down"


def by_unit(value: object, unit: str) -> str:
    """Returns a value in the words of its unit: `usd`, `ratio`, `pp`, `multiple`, `days`, `count`, or any word."""
    if value is None or value == "":
        return UNKNOWN
    number = decimal(value)
    if number is None or unit in {"date", "month", "text", "name", "asset_id", "symbol"}:
        return UNKNOWN if str(value) in {"NaN", "Infinity"} else str(value)
    match unit.lower():
        case "usd":
            return usd(number)
        case "ratio" | "share" | "fraction" | "return" | "probability":
            return percent(number)
        case "percent" | "%":
            return f"{_fixed(number, 1)}%"
        case "pp":
            return f"{_fixed(number, 2)} pp"
        case "multiple" | "x":
            return f"{plain(number)}×"
        case "days" | "day":
            return f"{plain(number)} {'day' if number == 1 else 'days'}"
        case "" | "count" | "number" | "index" | "points" | "score" | "flag" | "log" | "units":
            return plain(number)
    return f"{plain(number)} {unit}"


def axis(value: object, unit: str) -> str:
    """Returns a value as a tick of an axis says it: as `by_unit`, without zeros at the end and without a word."""
    words = by_unit(value, unit)
    head, point, tail = words.partition(" ")[0].partition(".")
    digits = tail.rstrip("TBMk%×")
    kept = digits.rstrip("0")
    return head + (point + kept if kept else "") + tail[len(digits) :]


def significant(number: Decimal, digits: int = 3) -> str:
    """Returns a number with so many significant digits, never in exponent form, integers below 1000 as they are."""
    if number == number.to_integral_value() and abs(number) < 1000:
        return _fixed(number, 0)
    rounded = Context(prec=digits).plus(number)
    return _fixed(number, max(0, digits - 1 - rounded.adjusted()))


def _fixed(number: Decimal, places: int) -> str:
    text = f"{number:,.{places}f}"
    if text.startswith("-") and not text.strip("-0.,"):
        text = text[1:]
    return text.replace("-", MINUS)
