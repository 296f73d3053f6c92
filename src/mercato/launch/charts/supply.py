"""Who gets the supply, and when it may move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mercato.launch.charts.plot import HEIGHT, WIDTH, Plot, drawing, element
from mercato.launch.words import bps

MONTHS = 48


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the supply in basis points. It unlocks over `months` after a cliff, all at once where these are 0.

    A part that is `locked` never moves: it is the pool's.
    """

    name: str
    share: int
    cliff: int = 0
    months: int = 0
    locked: bool = False

    def unlocked(self, month: int) -> int:
        """Returns the basis points of the supply that may move by the end of a month after the launch."""
        if self.locked or month < self.cliff:
            return 0
        return self.share if not self.months else self.share * min(self.months, month - self.cliff) // self.months


def allocation(parts: Sequence[Part]) -> Markup:
    """Returns the whole supply as one bar."""
    marks, x = [], 0
    for number, part in enumerate(parts):
        title = element("title", f"{part.name}: {bps(part.share)}")
        marks.append(element("rect", title, class_=f"bar c{number % 8}", x=x, y=0, width=part.share, height=100))
        x += part.share
    return element(
        "svg", *marks, class_="allocation", viewBox="0 0 10000 100", preserveAspectRatio="none", aria_hidden="true",
        focusable="false",
    )  # fmt: skip


def unlocks(parts: Sequence[Part]) -> Plot:
    """Returns the supply that may move, stacked by part, month by month for four years."""
    base = [0] * (MONTHS + 1)
    marks: list[Markup] = []
    legend = []
    for number, part in enumerate(parts):
        upper = [low + part.unlocked(month) for month, low in enumerate(base)]
        if upper != base:
            marks.append(element("path", class_=f"area c{number % 8}", d=_area(base, upper)))
            legend.append((f"c{number % 8}", part.name))
        base = upper
    labels = tuple(f"{percent}%" for percent in (100, 75, 50, 25, 0))
    return Plot(drawing(marks), labels, ("launch", "16 months", "32 months", "48 months"), _said(base), tuple(legend))


def _area(lower: Sequence[int], upper: Sequence[int]) -> str:
    """Returns the band between two lines of basis points."""
    there = [f"{_x(month)} {_y(value)}" for month, value in enumerate(upper)]
    back = [f"{_x(month)} {_y(value)}" for month, value in reversed(list(enumerate(lower)))]
    return "M" + "L".join([*there, *back]) + "Z"


def _x(month: int) -> int:
    return month * WIDTH // MONTHS


def _y(share: int) -> int:
    return HEIGHT - share * HEIGHT // 10_000


def _said(total: Sequence[int]) -> str:
    marks = ", ".join(f"{bps(total[month])} after {month} months" for month in (12, 24, 36, 48))
    return f"{bps(total[0])} of the supply may move at launch, {marks}."
