"""Pictures of a study: SVG drawn by the server, with no script, in the page's colours. Positions are the only floats.

A chart says in its label what it shows, and a table with the same numbers stands beside it wherever it is printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mercato.market.charts import Bar, intervals
from mercato.market.charts.scale import WIDTH, Scale, fitted
from mercato.market.charts.svg import chart, element, footing, grid

__all__ = ["Bar", "Path", "alone", "intervals", "paths"]

_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#1b1f24}.tick{font-size:11px;fill:#57606a}.name{font-weight:600}"
    ".line{fill:none;stroke:#1f56c8;stroke-width:2}.line.c1{stroke:#b4540a}.band{fill:#1f56c8;opacity:.15}"
    ".grid{stroke:#dfe3e8}.mark{stroke:#57606a;stroke-dasharray:4 4}.track-line{stroke:#eceff3;stroke-width:2}"
    ".whisker{stroke:#1f56c8;stroke-width:6;stroke-linecap:round;opacity:.35}.dot{fill:#1f56c8}"
)
_MARGIN = 64


@dataclass(frozen=True, slots=True)
class Path:
    """One line over hours since the opening, evenly spaced from 0; None breaks it. `low` and `high` shade around it."""

    name: str
    values: tuple[float | None, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()


def paths(lines: Sequence[Path], unit: str, about: str, *, step: int = 2, marks: Sequence[int] = ()) -> Markup:
    """Returns lines over hours, `step` hours from point to point; nothing where fewer than two values are known.

    The scale is logarithmic. `marks` are hours at which something happened, drawn as dashed lines.
    """
    known = [value for line in lines for value in (*line.values, *line.low, *line.high) if value]
    longest = max((len(line.values) for line in lines), default=0)
    if len(known) < 2 or longest < 2:
        return Markup("")
    scale, last = fitted(known, log=True), (longest - 1) * step
    plot = [_band(line, scale, longest) for line in lines if line.low]
    plot += [mark for number, line in enumerate(lines) for mark in _line(line, scale, longest, number)]
    plot += [_upright(hour, last) for hour in marks if 0 < hour < last]
    feet = [(hour / last, f"{hour} h") for hour in range(0, last + 1, 12)]
    return chart(about, plot, [*grid(scale, unit), *footing(feet)], kind="lines")


def alone(drawn: Markup, width: int = 760) -> str:
    """Returns a chart as a file of its own, with its style and a margin for the words beside it."""
    head, body = str(drawn).split(">", 1)
    inner = head.replace('width="100%"', f'x="{_MARGIN}" width="{width - _MARGIN - 12}"', 1)
    height = inner.split('height="', 1)[1].split('"', 1)[0]
    size = f'width="{width}" height="{height}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{_STYLE}</style>'
        f'<rect width="100%" height="100%" fill="#fff"/>{inner} overflow="visible">{body}</svg>\n'
    )


def _x(at: int, longest: int) -> float:
    return round(at / (longest - 1) * WIDTH, 2)


def _line(line: Path, scale: Scale, longest: int, number: int) -> list[Markup]:
    """Returns the stretches of a line between its gaps."""
    stretches: list[list[str]] = [[]]
    for at, value in enumerate(line.values):
        if value:
            stretches[-1].append(f"{_x(at, longest):g},{scale.y(value):g}")
        elif stretches[-1]:
            stretches.append([])
    kind = f"line c{number}"
    return [
        element("polyline", points=" ".join(points), class_=kind, vector_effect="non-scaling-stroke")
        for points in stretches
        if points
    ]


def _band(line: Path, scale: Scale, longest: int) -> Markup:
    pairs = [(at, low, high) for at, (low, high) in enumerate(zip(line.low, line.high, strict=True)) if low and high]
    there = [f"{_x(at, longest):g},{scale.y(high):g}" for at, _, high in pairs]
    back = [f"{_x(at, longest):g},{scale.y(low):g}" for at, low, _ in reversed(pairs)]
    return element("polygon", points=" ".join([*there, *back]), class_="band")


def _upright(hour: int, last: int) -> Markup:
    x = f"{hour / last * WIDTH:g}"
    return element("line", class_="mark", x1=x, x2=x, y1=0, y2="100%", vector_effect="non-scaling-stroke")
