"""Charts over time: lines with an optional band, shares stacked to one, and the distance below a peak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from markupsafe import Markup

from mercato.market.charts.scale import HEIGHT, WIDTH, Scale, across, date_ticks, fitted
from mercato.market.charts.svg import TOP, chart, element, footing, grid
from mercato.market.words import amount

Point = tuple[date, float | None]
HOVERS = 45


@dataclass(frozen=True, slots=True)
class Line:
    """One series: its name and a value per day. None breaks the line, it is never bridged."""

    name: str
    points: tuple[Point, ...]

    @property
    def known(self) -> tuple[tuple[date, float], ...]:
        """Returns the points that have a value."""
        return tuple((day, value) for day, value in self.points if value is not None)


def lines(
    series: Sequence[Line], unit: str, about: str, *, log: bool = False, band: tuple[date, float, float] | None = None
) -> Markup:
    """Returns lines on one scale, or nothing where no value is known.

    `band` shades the values between two levels from a day to the end: the flat range.
    """
    values = [value for line in series for _, value in line.known]
    if len(values) < 2:
        return Markup("")
    first, last = _span(series)
    scale = fitted([*values, *(band[1:] if band else ())], log=log)
    plot = [_band(band, scale, first, last)] if band else []
    plot += [path for n, line in enumerate(series) for path in _paths(line, scale, first, last, n)]
    over = [*grid(scale, unit), *footing(date_ticks(first, last)), *_hovers(series, first, last, unit)]
    return chart(about, plot, over, kind="lines")


def underwater(line: Line, about: str) -> Markup:
    """Returns the distance below the highest close so far, filled from the surface down."""
    if len(line.known) < 2:
        return Markup("")
    first, last = _span([line])
    scale = Scale(min(min(value for _, value in line.known) * 1.08, -0.05), 0.0)
    plot = [*_fills(line, scale, first, last), *_paths(line, scale, first, last, 3)]
    over = [*grid(scale, "ratio"), *footing(date_ticks(first, last)), *_hovers([line], first, last, "ratio")]
    return chart(about, plot, over, kind="underwater")


def stack(series: Sequence[Line], about: str) -> Markup:
    """Returns shares stacked from the first series at the bottom; they are shown as they are, not stretched to one."""
    days = sorted({day for line in series for day, _ in line.points})
    if len(days) < 2:
        return Markup("")
    scale, floor, plot = Scale(0.0, 1.0), dict.fromkeys(days, 0.0), []
    for n, line in enumerate(series):
        values = dict(line.known)
        roof = {day: floor[day] + values.get(day, 0.0) for day in days}
        edge = [(_x(day, days[0], days[-1]), scale.y(roof[day])) for day in days]
        back = [(_x(day, days[0], days[-1]), scale.y(floor[day])) for day in reversed(days)]
        plot.append(element("polygon", points=_join([*edge, *back]), class_=f"area c{n}"))
        floor = roof
    over = [*grid(scale, "ratio"), *footing(date_ticks(days[0], days[-1]))]
    return chart(about, plot, [*over, *_hovers(series, days[0], days[-1], "ratio")], kind="stack")


def _span(series: Sequence[Line]) -> tuple[date, date]:
    days = [day for line in series for day, _ in line.points]
    return min(days), max(days)


def _x(day: date, first: date, last: date) -> float:
    return round(across(day, first, last) * WIDTH, 2)


def _join(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)


def _runs(line: Line) -> list[list[tuple[date, float]]]:
    """Returns the stretches of a line between its gaps."""
    stretches = groupby(line.points, key=lambda point: point[1] is None)
    return [[(day, value) for day, value in run if value is not None] for gap, run in stretches if not gap]


def _paths(line: Line, scale: Scale, first: date, last: date, n: int) -> list[Markup]:
    return [
        element("polyline", points=_join([(_x(day, first, last), scale.y(value)) for day, value in run]),
                class_=f"line c{n}", vector_effect="non-scaling-stroke")
        for run in _runs(line)
    ]  # fmt: skip


def _fills(line: Line, scale: Scale, first: date, last: date) -> list[Markup]:
    return [
        element("polygon", class_="area c3", points=_join([
            (_x(run[0][0], first, last), 0.0),
            *((_x(day, first, last), scale.y(value)) for day, value in run),
            (_x(run[-1][0], first, last), 0.0),
        ]))
        for run in _runs(line)
    ]  # fmt: skip


def _band(band: tuple[date, float, float], scale: Scale, first: date, last: date) -> Markup:
    start, low, high = band
    left, top, bottom = _x(start, first, last), scale.y(high), scale.y(low)
    return element("rect", class_="band", x=left, y=top, width=round(WIDTH - left, 2), height=round(bottom - top, 2))


def _hovers(series: Sequence[Line], first: date, last: date, unit: str) -> list[Markup]:
    """Returns invisible columns that tell the day and its values to a resting pointer."""
    days = sorted({day for line in series for day, _ in line.points})
    chosen = days[:: max(1, len(days) // HOVERS)]
    by_day = [dict(line.known) for line in series]
    wide = 100 / max(1, len(chosen))
    found = []
    for day in chosen:
        said = [f"{line.name} {amount(known[day], unit)}" for line, known in zip(series, by_day, strict=True)
                if day in known]  # fmt: skip
        title = element("title", f"{day:%-d %b %Y}: {', '.join(said)}")
        left = max(0.0, across(day, first, last) * 100 - wide / 2)
        found.append(element("rect", title, class_="hover", x=f"{left:.2f}%", y=TOP, width=f"{wide:.2f}%",
                             height=f"{HEIGHT:g}"))  # fmt: skip
    return found
