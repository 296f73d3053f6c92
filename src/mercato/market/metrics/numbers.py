"""How numbers become text: exact decimals, never an exponent, never NaN."""

from __future__ import annotations

import math
from decimal import Decimal

MICRO = 1_000_000
SIGNIFICANT = 9


def usd(micro: int | Decimal | None) -> str | None:
    """Returns micro-USD as exact USD text with at least cents, such as `1234.50`; None stays None."""
    if micro is None:
        return None
    whole = int(micro)
    sign, whole = ("-", -whole) if whole < 0 else ("", whole)
    units, rest = divmod(whole, MICRO)
    return f"{sign}{units}.{f'{rest:06d}'.rstrip('0').ljust(2, '0')}"


def plain(value: float | int | Decimal | None, digits: int = SIGNIFICANT) -> str | None:
    """Returns a number as plain decimal text with `digits` significant digits; None, NaN and infinity give None."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, int):
        return str(value)
    rounded = Decimal(f"{value:.{digits - 1}e}")
    text = f"{rounded:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text


def shortest(value: float | None) -> str | None:
    """Returns a float as the shortest plain decimal text that reads back as that float; None, NaN and inf give None."""
    if value is None or not math.isfinite(value):
        return None
    text = f"{Decimal(repr(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rounded(value: float, digits: int = SIGNIFICANT) -> float:
    """Returns a float rounded to `digits` significant digits, so that thresholds compare alike on every engine."""
    return float(f"{value:.{digits - 1}e}")


def shares(parts: dict[str, int], places: int = SIGNIFICANT) -> dict[str, str]:
    """Returns each part over the sum as text with `places` decimals, adding up to exactly 1 (largest remainder).

    Ties in the remainder go to the alphabetically first key, so the answer does not depend on order.
    Parts are non-negative; all zero gives an empty answer, because a share of nothing is unknown.
    """
    total, scale = sum(parts.values()), 10**places
    if total == 0:
        return {}
    floors = {key: part * scale // total for key, part in parts.items()}
    missing = scale - sum(floors.values())
    by_remainder = sorted(parts, key=lambda key: (-(parts[key] * scale % total), key))
    for key in by_remainder[:missing]:
        floors[key] += 1
    return {key: f"{units // scale}.{units % scale:0{places}d}" for key, units in floors.items()}
