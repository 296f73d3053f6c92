"""Series as pictures: drawn on the server as SVG that needs no script, and handed to the chart island as numbers.

The grid's texts stay the truth; floats here only place pixels. Colours are classes (`c0`..`c7`), so that one drawing
serves light, dark and print, and so that the page needs no inline style.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol

from markupsafe import Markup

from mercato.core.errors import InvalidInput
from mercato.web import formats

WIDTH, HEIGHT, STEPS, COLOURS = 1000, 300, 4, 8
SMALLEST = 1e-200  # below this a range is none: its logarithm would be no number
Kind = Literal["line", "area", "stacked"]


class Gridlike(Protocol):
    """What a chart reads: the columns, units and rows of a grid."""

    @property
    def name(self) -> str:
        """Returns the grid's name."""

    @property
    def figure(self) -> str:
        """Returns the id that leads back to the inputs."""

    @property
    def columns(self) -> Sequence[str]:
        """Returns the names of the columns."""

    @property
    def units(self) -> Sequence[str]:
        """Returns the unit of each column."""

    @property
    def rows(self) -> Sequence[Sequence[str | None]]:
        """Returns the rows, as exact text or None."""


@dataclass(frozen=True, slots=True)
class Line:
    """One drawn line: what it is called, its colour class, where it ends, and its SVG path."""

    label: str
    colour: str
    last: str
    path: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """A chart ready for the page: lines, tick labels from top to bottom and left to right, and a sentence."""

    name: str
    figure: str
    kind: Kind
    lines: tuple[Line, ...]
    y_labels: tuple[str, ...]
    x_labels: tuple[str, ...]
    summary: str
    data: str
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def empty(self) -> bool:
        """Says that there is no line to draw."""
        return not any(line.path for line in self.lines)


def series(
    grid: Gridlike, *, x: str = "", lines: Mapping[str, str] | Sequence[str] = (), kind: Kind = "line"
) -> Series:
    """Returns the chart of a grid's columns against its days.

    `x` is the column of days (default: the first), `lines` the columns to draw, or a mapping from column to label
    (default: every other column). All lines share the unit of the first. InvalidInput names columns that are absent.
    """
    names = list(grid.columns)
    x = x or names[0]
    labels = dict(lines) if isinstance(lines, Mapping) else {name: _words(name) for name in lines}
    labels = labels or {name: _words(name) for name in names if name != x}
    if absent := {x, *labels} - set(names):
        raise InvalidInput(f"columns were {sorted(absent)!r}", hint=f"the grid {grid.name!r} has {names!r}")
    unit = grid.units[names.index(next(iter(labels)))]
    times = [_seconds(row[names.index(x)]) for row in grid.rows]
    columns = {label: [_number(row[names.index(name)]) for row in grid.rows] for name, label in labels.items()}
    heights = _stacked(columns) if kind == "stacked" else columns
    low, high = _domain(heights, from_zero=kind != "line")
    drawn = tuple(
        Line(
            label, f"c{at % COLOURS}", formats.by_unit(_last(columns[label]), unit),
            _path(times, values, low, high, filled=kind == "stacked"), tuple(columns[label]),
        )
        for at, (label, values) in enumerate(heights.items())
    )  # fmt: skip
    return Series(
        grid.name, grid.figure, kind, drawn, _y_labels(low, high, unit), _x_labels(times),
        _summary(drawn, columns, times, unit), _data(times, drawn, kind, unit, (low, high)),
    )  # fmt: skip


def spark(values: Sequence[object], *, width: int = 96, height: int = 24) -> Markup:
    """Returns a small line of recent values as SVG, hidden from screen readers: the number stands beside it."""
    numbers = [_number(value) for value in values]
    low, high = _domain({"": numbers}, from_zero=False, nice=False)
    path = _path([float(at) for at in range(len(numbers))], numbers, low, high, width=width, height=height)
    return Markup(
        '<svg class="spark" viewBox="0 0 {w} {h}" width="{w}" height="{h}" aria-hidden="true" focusable="false">'
        '<path d="{d}"/></svg>'
    ).format(w=width, h=height, d=path)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _number(value: object) -> float | None:
    number = formats.decimal(value)
    return None if number is None else float(number)


def _seconds(day: str | None) -> float:
    """Returns the UTC seconds of a day or a time in ISO form."""
    try:
        moment = datetime.fromisoformat(day or "")
    except ValueError:
        raise InvalidInput(f"day was {day!r}", hint="the x column of a chart holds ISO days or times") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _last(values: Sequence[float | None]) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)


def _stacked(columns: Mapping[str, Sequence[float | None]]) -> dict[str, list[float | None]]:
    """Returns running sums across the columns, row by row; an unknown part leaves its layer unknown."""
    heights: dict[str, list[float | None]] = {}
    totals = [0.0] * max((len(values) for values in columns.values()), default=0)
    for label, values in columns.items():
        totals = [total + (value or 0.0) for total, value in zip(totals, values, strict=True)]
        heights[label] = [None if value is None else total for total, value in zip(totals, values, strict=True)]
    return heights


def _domain(
    columns: Mapping[str, Sequence[float | None]], *, from_zero: bool, nice: bool = True
) -> tuple[float, float]:
    """Returns the ends of the y axis, widened to round numbers so that the ticks read well."""
    known = [value for values in columns.values() for value in values if value is not None] or [0.0, 1.0]
    low, high = min(known), max(known)
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low <= max(abs(low), abs(high)) * 1e-9 or high - low < SMALLEST:
        margin = max(abs(low), abs(high)) * 0.05
        margin = margin if margin > SMALLEST else 0.05
        low, high = low - margin, high + margin
    if not nice:
        return low, high
    for step in _round_steps((high - low) / STEPS):
        start = math.floor(low / step) * step
        if start + STEPS * step >= high:
            return start, start + STEPS * step
    raise AssertionError("unreachable: the steps grow without end")


def _round_steps(at_least: float) -> Iterator[float]:
    """Yields round step sizes from `at_least` upwards: 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times powers of ten."""
    power = 10.0 ** math.floor(math.log10(at_least))
    while True:
        yield from (m * power for m in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8) if m * power >= at_least)
        power *= 10


def _path(
    times: Sequence[float],
    values: Sequence[float | None],
    low: float,
    high: float,
    *,
    filled: bool = False,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> str:
    """Returns the SVG path of a line; unknown values break it, a lone point becomes a short dash."""
    if not times:
        return ""
    first, span = times[0], (times[-1] - times[0]) or 1.0
    pieces: list[list[str]] = [[]]
    for moment, value in zip(times, values, strict=True):
        if value is None:
            pieces.append([])
            continue
        x, y = (moment - first) / span * width, height - (value - low) / (high - low) * height
        pieces[-1].append(f"{x:.1f} {y:.1f}")
    return "".join(_piece(points, height, filled) for points in pieces if points)


def _piece(points: list[str], height: int, filled: bool) -> str:
    body = f"M{points[0]}" + ("h2" if len(points) == 1 else "L" + " ".join(points[1:]))
    if not filled:
        return body
    return f"{body}V{height}H{points[0].split()[0]}Z"


def _y_labels(low: float, high: float, unit: str) -> tuple[str, ...]:
    return tuple(formats.axis(f"{tick:.10g}", unit) for tick in reversed(_ticks(low, high)))


def _ticks(low: float, high: float) -> list[float]:
    """Returns the places of the rules, from the lowest up."""
    return [low + (high - low) * at / STEPS for at in range(STEPS + 1)]


def _x_labels(times: Sequence[float]) -> tuple[str, ...]:
    """Returns up to four days, evenly spaced from the first to the last."""
    if not times:
        return ()
    marks = sorted({times[0] + (times[-1] - times[0]) * at / 3 for at in range(4)})
    return tuple(f"{datetime.fromtimestamp(mark, UTC):%-d %b %Y}" for mark in marks)


def _summary(
    lines: Sequence[Line], columns: Mapping[str, Sequence[float | None]], times: Sequence[float], unit: str
) -> str:
    """Returns the chart in a sentence per line, for whoever hears the page."""
    said = []
    for line in lines:
        known = [value for value in columns[line.label] if value is not None]
        if known:
            low, high, first, last = (formats.by_unit(v, unit) for v in (min(known), max(known), known[0], known[-1]))
            said.append(f"{line.label}: from {first} to {last}, lowest {low}, highest {high}.")
        else:
            said.append(f"{line.label}: unknown.")
    span = f"{_x_labels(times)[0]} to {_x_labels(times)[-1]}. " if times else ""
    return span + " ".join(said)


def _data(times: Sequence[float], lines: Sequence[Line], kind: Kind, unit: str, domain: tuple[float, float]) -> str:
    """Returns what the chart island reads. `<` is escaped, so that the text cannot end its script element."""
    body = {
        "kind": kind,
        "unit": unit,
        "x": [int(moment) for moment in times],
        "y": domain,
        "ticks": _ticks(*domain),
        "tickWords": _y_labels(*domain, unit)[::-1],
        "lines": [{"label": line.label, "colour": line.colour, "values": line.values} for line in lines],
    }
    return Markup(json.dumps(body, separators=(",", ":")).replace("<", "\\u003c").replace("&", "\\u0026"))  # noqa: S704 - JSON with < and & escaped
