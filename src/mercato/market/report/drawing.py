"""Which chart shows which exhibit. Floats appear here only as positions on paper; the values stay exact text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

from markupsafe import Markup

from mercato.market.charts import Bar, Line, columns, intervals, lines, ranks, stack, underwater
from mercato.market.model import Grid
from mercato.market.report.model import Exhibit
from mercato.market.words import label

SHOWN = 5

Drawer = Callable[[Exhibit, "Spec"], Markup]


class Spec:
    """How a chart is named in an exhibit: `kind:x:y,y:group:column=value`, columns of the grid by name.

    Later parts are optional; the last draws only the rows with that value.
    """

    def __init__(self, text: str) -> None:
        parts = [*text.split(":"), "", "", "", ""]
        self.kind, self.x, self.group = parts[0], parts[1], parts[3]
        self.where, _, self.equals = parts[4].partition("=")
        self.ys = tuple(name for name in parts[2].split(",") if name)


def drawing(exhibit: Exhibit) -> Markup:
    """Returns the chart of an exhibit as SVG; nothing for a plain table or where too little is known to draw."""
    spec = Spec(exhibit.chart)
    exhibit = _drawn(exhibit, spec)
    if spec.kind == "table" or not exhibit.grid.rows:
        return Markup("")
    return DRAWERS[spec.kind](exhibit, spec)


def _drawn(exhibit: Exhibit, spec: Spec) -> Exhibit:
    """Returns an exhibit with the rows that its chart draws."""
    if not spec.where:
        return exhibit
    at = exhibit.grid.columns.index(spec.where)
    rows = tuple(row for row in exhibit.grid.rows if row[at] == spec.equals)
    return replace(exhibit, grid=replace(exhibit.grid, rows=rows))


def number(text: str | None) -> float | None:
    """Returns a position for a cell; None where it is unknown or not a number."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _column(grid: Grid, name: str) -> list[str | None]:
    at = grid.columns.index(name)
    return [row[at] for row in grid.rows]


def _day(text: str | None) -> date:
    body = text or ""
    return date.fromisoformat(body if len(body) > 7 else f"{body}-01")


def _unit(grid: Grid, name: str) -> str:
    return grid.units[grid.columns.index(name)]


def _series(exhibit: Exhibit, spec: Spec) -> list[Line]:
    """Returns one line per y column, or per value of the group column (largest last value first)."""
    grid = exhibit.grid
    days = [_day(text) for text in _column(grid, spec.x)]
    if not spec.group:
        return [
            Line(name.replace("_", " "), tuple(zip(days, map(number, _column(grid, name)), strict=True)))
            for name in spec.ys
        ]
    found: dict[str, list[tuple[date, float | None]]] = {}
    values = map(number, _column(grid, spec.ys[0]))
    for day, name, value in zip(days, _column(grid, spec.group), values, strict=True):
        found.setdefault(label(name or "unknown"), []).append((day, value))
    series = [Line(name, tuple(sorted(points))) for name, points in found.items()]
    return sorted(series, key=lambda line: -(line.known[-1][1] if line.known else 0.0))


def legend(exhibit: Exhibit) -> list[tuple[str, str]]:
    """Returns (colour class, name) of what a chart tells apart by colour; nothing where it tells nothing apart."""
    spec = Spec(exhibit.chart)
    exhibit = _drawn(exhibit, spec)
    if spec.kind not in {"stack", "columns"} or not exhibit.grid.rows:
        return []
    names = [line.name for line in _series(exhibit, spec)[:8]] if spec.kind == "stack" else _owners(exhibit, spec)
    return [(f"c{n}", label(name)) for n, name in enumerate(names)] if len(names) > 1 else []


def _owners(exhibit: Exhibit, spec: Spec) -> list[str]:
    """Returns the groups of columns that are drawn: those with the largest sum, at most SHOWN."""
    if not spec.group:
        return [name.replace("_", " ") for name in spec.ys]
    grid, total = exhibit.grid, dict[str, float]()
    for name, value in zip(_column(grid, spec.group), _column(grid, spec.ys[0]), strict=True):
        total[name or "unknown"] = total.get(name or "unknown", 0.0) + (number(value) or 0.0)
    return sorted(total, key=lambda name: (-total[name], name))[:SHOWN]


def _lines(exhibit: Exhibit, spec: Spec) -> Markup:
    return lines(_series(exhibit, spec), _unit(exhibit.grid, spec.ys[0]), exhibit.about or exhibit.title)


def _underwater(exhibit: Exhibit, spec: Spec) -> Markup:
    return underwater(_series(exhibit, spec)[0], exhibit.about or exhibit.title)


def _stack(exhibit: Exhibit, spec: Spec) -> Markup:
    return stack(_series(exhibit, spec)[:8], exhibit.about or exhibit.title)


def _band(exhibit: Exhibit, spec: Spec) -> Markup:
    """Draws a level with its flat range: y columns are value, low and high, of which the last row's count."""
    grid, (value, low, high) = exhibit.grid, spec.ys
    days = [_day(text) for text in _column(grid, spec.x)]
    line = Line(value.replace("_", " "), tuple(zip(days, map(number, _column(grid, value)), strict=True)))
    bottoms, tops = [list(map(number, _column(grid, name))) for name in (low, high)]
    inside = [day for day, bottom in zip(days, bottoms, strict=True) if bottom is not None]
    bottom, top = bottoms[-1], tops[-1]
    band = (inside[0], bottom, top) if inside and bottom is not None and top is not None else None
    return lines([line], _unit(grid, value), exhibit.about or exhibit.title, band=band)


def _bars(exhibit: Exhibit, spec: Spec) -> list[Bar]:
    grid = exhibit.grid
    wanted = [list(map(number, _column(grid, name))) for name in spec.ys]
    names = [label(name or "unknown") for name in _column(grid, spec.x)]
    return [Bar(name, *values) for name, *values in zip(names, *wanted, strict=True)]


def _ranks(exhibit: Exhibit, spec: Spec) -> Markup:
    return ranks(_bars(exhibit, spec)[:12], _unit(exhibit.grid, spec.ys[0]), exhibit.about or exhibit.title)


def _intervals(exhibit: Exhibit, spec: Spec) -> Markup:
    return intervals(_bars(exhibit, spec)[:12], _unit(exhibit.grid, spec.ys[0]), exhibit.about or exhibit.title)


def _columns(exhibit: Exhibit, spec: Spec) -> Markup:
    """Draws columns by the x column: one per y column, or one per value of the group column."""
    grid, owners = exhibit.grid, _owners(exhibit, spec)
    found: dict[str, dict[str, float | None]] = {}
    names = _column(grid, spec.group) if spec.group else [""] * len(grid.rows)
    for x, name, row in zip(_column(grid, spec.x), names, grid.rows, strict=True):
        for y in spec.ys:
            owner = (name or "unknown") if spec.group else y.replace("_", " ")
            found.setdefault(x or "unknown", {})[owner] = number(row[grid.columns.index(y)])
    groups = [(x, [Bar(label(owner), found[x].get(owner)) for owner in owners]) for x in sorted(found)]
    return columns(groups, _unit(grid, spec.ys[0]), exhibit.about or exhibit.title)


DRAWERS: Mapping[str, Drawer] = {
    "lines": _lines,
    "underwater": _underwater,
    "stack": _stack,
    "band": _band,
    "ranks": _ranks,
    "intervals": _intervals,
    "columns": _columns,
}
