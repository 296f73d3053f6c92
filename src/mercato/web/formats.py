"""The filters of templates: how numbers become words on a page. The words themselves are `core.numerals`."""

from __future__ import annotations

from collections.abc import Callable

from mercato.core.numerals import axis, by_unit, change, compact, decimal, direction, percent, usd

FILTERS: dict[str, Callable[..., str]] = {
    "by_unit": by_unit,
    "change": change,
    "compact": compact,
    "direction": direction,
    "percent": percent,
    "usd": usd,
}

__all__ = ["FILTERS", "axis", "by_unit", "change", "compact", "decimal", "direction", "percent", "usd"]
