"""Charts of amounts side by side: columns by month, ranked bars, and estimates with their intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mercato.core.numerals import UNKNOWN
from mercato.market.charts.scale import WIDTH, Scale, fitted
from mercato.market.charts.svg import chart, element, footing, grid
from mercato.market.words import amount

ROW = 34


@dataclass(frozen=True, slots=True)
class Bar:
    """One amount with its name; `low` and `high` bound it where an interval is known. None is drawn as a gap."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None


def columns(groups: Sequence[tuple[str, Sequence[Bar]]], unit: str, about: str) -> Markup:
    """Returns columns by group (a month, a year), one colour per position in the group; groups with none stay empty."""
    values = [bar.value for _, bars in groups for bar in bars if bar.value is not None]
    if not values:
        return Markup("")
    scale = fitted([*values, 0.0], zero=True)
    slot = WIDTH / len(groups)
    plot = [mark for n, (name, bars) in enumerate(groups) for mark in _group(name, bars, n * slot, slot, scale, unit)]
    every = max(1, -(-len(groups) // 8))
    words = [((n + 0.5) / len(groups), name) for n, (name, _) in enumerate(groups) if n % every == 0]
    return chart(about, plot, [*grid(scale, unit), *footing(words)], kind="columns")


def _group(name: str, bars: Sequence[Bar], left: float, slot: float, scale: Scale, unit: str) -> list[Markup]:
    wide, found = slot * 0.76 / max(1, len(bars)), []
    for n, bar in enumerate(bars):
        if bar.value is None:
            continue
        top, bottom = sorted((scale.y(bar.value), scale.y(0.0)))
        title = element("title", f"{name}, {bar.name}: {amount(bar.value, unit)}")
        found.append(element("rect", title, class_=f"bar c{n}", x=round(left + slot * 0.12 + n * wide, 2),
                             y=top, width=round(wide * 0.94, 2), height=round(max(bottom - top, 0.6), 2)))  # fmt: skip
    return found


def ranks(bars: Sequence[Bar], unit: str, about: str) -> Markup:
    """Returns one horizontal bar per name, with the name and the value written on it, in the order given.

    Where some amounts are negative, the bars grow from a zero line: what fell to the left, what rose to the right.
    """
    known = [bar.value for bar in bars if bar.value is not None]
    if not known:
        return Markup("")
    low, high = min(*known, 0.0), max(*known, 0.0)
    if unit == "share":
        low, high = 0.0, 1.0
    span = high - low or 1.0
    marks = [mark for n, bar in enumerate(bars) for mark in _rank(bar, n * ROW + 4, unit, low, span)]
    if low < 0:
        zero = f"{-low / span * 100:.2f}%"
        # Beside the bars only: through the names it would cross out their letters.
        ticks = ({"y1": n * ROW + 17, "y2": n * ROW + 29} for n in range(len(bars)))
        marks.extend(element("line", class_="grid zero", x1=zero, x2=zero, **tick) for tick in ticks)
    return _rows(about, marks, len(bars), "ranks")


def _rank(bar: Bar, y: int, unit: str, low: float, span: float) -> Iterator[Markup]:
    words = UNKNOWN if bar.value is None else amount(bar.value, unit)
    yield element("text", bar.name, class_="name", x=0, y=y + 10)
    yield element("text", words, class_="amount", x="100%", y=y + 10, text_anchor="end")
    yield element("rect", class_="track", x=0, y=y + 15, width="100%", height=8, rx=4)
    if bar.value is not None:
        left, size = (min(bar.value, 0.0) - low) / span * 100, abs(bar.value) / span * 100
        sign = ("minus" if bar.value < 0 else "plus") if low < 0 else "c0"
        yield element("rect", class_=f"bar {sign}", x=f"{left:.2f}%", y=y + 15, width=f"{size:.2f}%", height=8, rx=3)


def intervals(bars: Sequence[Bar], unit: str, about: str) -> Markup:
    """Returns a dot per estimate with a whisker over its interval; an estimate without one shows the dot alone."""
    known = [value for bar in bars for value in (bar.value, bar.low, bar.high) if value is not None]
    if not known:
        return Markup("")
    low, high = min([*known, 0.0]), max(known)
    span = (high - low) * 1.04 or 1.0

    def x(value: float) -> str:
        return f"{(value - low) / span * 100:.2f}%"

    marks: list[Markup] = []
    for n, bar in enumerate(bars):
        y = n * ROW + 4
        marks.append(element("text", bar.name, class_="name", x=0, y=y + 10))
        marks.append(element("text", _interval_words(bar, unit), class_="amount", x="100%", y=y + 10,
                             text_anchor="end"))  # fmt: skip
        marks.append(element("line", class_="track-line", x1=0, x2="100%", y1=y + 19, y2=y + 19))
        if bar.low is not None and bar.high is not None:
            marks.append(element("line", class_="whisker", x1=x(bar.low), x2=x(bar.high), y1=y + 19, y2=y + 19))
        if bar.value is not None:
            marks.append(element("circle", class_="dot", cx=x(bar.value), cy=y + 19, r=4.5))
    return _rows(about, marks, len(bars), "intervals")


def _interval_words(bar: Bar, unit: str) -> str:
    if bar.value is None:
        return UNKNOWN
    words = amount(bar.value, unit)
    if bar.low is None or bar.high is None:
        return words
    return f"{words} ({amount(bar.low, unit)} to {amount(bar.high, unit)})"


def _rows(about: str, marks: Sequence[Markup], count: int, kind: str) -> Markup:
    return element("svg", *marks, class_=f"chart {kind}", width="100%", height=count * ROW + 8, role="img",
                   aria_label=about)  # fmt: skip
