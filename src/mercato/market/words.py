"""How a figure is said to a person: `$4.62 bn`, `12.3 %`, `-69.5 %`, `unknown`. The exact value stays in the figure."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from mercato.market.model import Figure

UNKNOWN = "unknown"
_SCALES = ((Decimal(10) ** 12, " tn"), (Decimal(10) ** 9, " bn"), (Decimal(10) ** 6, " m"), (Decimal(10) ** 3, " k"))

#: Columns and figures that are ratios, and read better as multiples than as percentages.
MULTIPLES = frozenset({"multiple", "f", "fdv-to-circulating", "required-of-sector", "required-of-record", "kept"})
_SMALL = Decimal("0.0005")  # below this a percentage with one decimal would say zero

#: CAIP-2 chains that a reader knows by name.
CHAINS = {
    "eip155:1": "Ethereum",
    "eip155:8453": "Base",
    "eip155:42161": "Arbitrum",
    "eip155:56": "BNB Chain",
    "eip155:137": "Polygon",
    "eip155:10": "Optimism",
    "eip155:43114": "Avalanche",
    "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp": "Solana",
    "solana": "Solana",
    "near:mainnet": "NEAR",
    "icp:mainnet": "Internet Computer",
    "bittensor:mainnet": "Bittensor",
    "fetchhub:mainnet": "Fetch.ai",
}


#: Assets and groups that a reader knows by another name.
NAMES = {
    "all": "all of them",
    "alphabet": "Alphabet",
    "bitcoin": "Bitcoin",
    "total-crypto": "total crypto",
    "equity:aapl": "Apple",
    "equity:amzn": "Amazon",
    "equity:meta": "Meta",
    "equity:msft": "Microsoft",
    "equity:nvda": "NVIDIA",
    "equity:googl": "Alphabet",
    "equity:goog": "Alphabet",
}


def value_words(figure: Figure) -> str:
    """Returns a figure's value as a person would say it; `unknown` where there is none."""
    return cell(figure.value, figure.unit, figure.name)


def said(value: str | None, unit: str) -> str:
    """Returns a value of a unit as words: scaled money, percent, percentage points, days, multiples."""
    if value is None:
        return UNKNOWN
    try:
        number = Decimal(value)
    except InvalidOperation:
        return value
    return _by_unit(number, unit)


def cell(value: str | None, unit: str, column: str = "") -> str:
    """Returns a cell of a table as words: like `said`, but chains by name, and multiples as multiples."""
    if value is not None and unit == "ratio" and column.replace("_", "-") in MULTIPLES:
        return said(value, "multiple")
    return said(label(value) if value is not None and unit == "" else value, unit)


def _by_unit(number: Decimal, unit: str) -> str:
    match unit.lower():
        case "usd":
            return money(number)
        case "ratio" | "share" | "fraction" | "probability":
            return f"{_fixed(number * 100, 1) if abs(number) >= _SMALL or not number else _significant(number * 100)} %"
        case "percent" | "%":
            return f"{_fixed(number, 1)} %"
        case "pp":
            return f"{_fixed(number, 2)} pp"
        case "multiple" | "x":
            return f"{_short(number)}x"
        case "days" | "day":
            return f"{_short(number)} {'day' if number == 1 else 'days'}"
        case "" | "count" | "number" | "index" | "points" | "score" | "flag" | "date" | "text":
            return _short(number)
        case _:
            return f"{_short(number)} {unit}"


def money(number: Decimal) -> str:
    """Returns US dollars with three significant digits and a scale: `$4.62 bn`, `-$1.20 m`, `$0.00412`."""
    sign, size = ("-", -number) if number < 0 else ("", number)
    for scale, name in _SCALES:
        if size >= scale:
            return f"{sign}${_significant(size / scale)}{name}"
    return f"{sign}${_fixed(size, 2) if size >= 1 or size == 0 else _significant(size)}"


def _significant(number: Decimal) -> str:
    """Returns three significant digits without an exponent."""
    places = max(0, 2 - number.adjusted())
    return f"{number:,.{places}f}"


def _fixed(number: Decimal, places: int) -> str:
    text = f"{number:,.{places}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.,") else text


def _short(number: Decimal) -> str:
    if number == number.to_integral_value():
        return f"{number:,.0f}"
    return _fixed(number, 2) if abs(number) >= 1 else f"{number:.3g}"


def dimension(figure: Figure, name: str) -> str:
    """Returns another face of a figure than its plain value.

    `date` is its as-of day and `definition` its version; `verb` says rose or fell, `signed` and `size` the value with
    and without its sign, `times` a ratio as a multiple, `plain` a bare number, `yesno` a truth; any other name is one
    of its dimensions.
    """
    match name:
        case "date":
            return figure.as_of.isoformat()
        case "definition":
            return figure.definition
        case "verb" | "size" | "times" | "plain" | "signed" | "yesno":
            return _faces(figure)[name] if figure.value is not None else UNKNOWN
        case _:
            return label(figure.dims.get(name, UNKNOWN))


def _faces(figure: Figure) -> dict[str, str]:
    """Returns the other faces of a known value; a text value is its own face."""
    value = figure.value or ""
    truth = {"true": "yes", "false": "no", "1": "yes", "0": "no"}.get(value.lower(), value)
    try:
        number = Decimal(value)
    except InvalidOperation:
        return dict.fromkeys(("verb", "size", "times", "signed"), value) | {"yesno": truth}
    verb = "did not move" if number == 0 else "rose" if number > 0 else "fell"
    plus = "+" if number > 0 else ""
    return {
        "verb": verb,
        "size": _by_unit(abs(number), figure.unit),
        "times": f"{_short(number)}x",
        "plain": _short(number),
        "signed": plus + _by_unit(number, figure.unit),
        "yesno": truth,
    }


def label(text: str) -> str:
    """Returns a chain id or a well-known asset as its name, and any other name as it is."""
    return CHAINS.get(text) or NAMES.get(text) or text.removeprefix("dev:")
