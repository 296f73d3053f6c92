"""What every chart of the launch is made of: a stretched drawing, labels beside it as text, and a summary.

Positions are whole units of a box of 10000 by 3000, so no amount of money passes through a float on its way to a pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from markupsafe import Markup

from mercato.market.charts.svg import element

__all__ = ["HEIGHT", "STEPS", "WIDTH", "Plot", "box", "drawing", "element", "height", "ticks", "top"]

WIDTH, HEIGHT, STEPS = 10_000, 3000, 4
_ROUND = (4, 6, 8, 10, 12, 16, 20, 24, 28, 32, 36, 40)


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart for the page: the drawing, labels from top to bottom and from left to right, and what it says."""

    svg: Markup
    y_labels: tuple[str, ...]
    x_labels: tuple[str, ...]
    summary: str
    legend: tuple[tuple[str, str], ...] = ()


def drawing(marks: Iterable[str]) -> Markup:
    """Returns the drawing, stretched to its place; the labels beside it are text and keep their size."""
    rules = [element("path", class_="rule", d=f"M0 {HEIGHT * at // STEPS}H{WIDTH}") for at in range(STEPS + 1)]
    return element(
        "svg", *rules, *marks, viewBox=f"0 0 {WIDTH} {HEIGHT}", preserveAspectRatio="none", focusable="false",
        aria_hidden="true",
    )  # fmt: skip


def top(largest: int) -> int:
    """Returns a round number that is not below the largest value and divides into four round steps."""
    if largest <= 4:
        return 4
    power = int("1" + "0" * max(0, len(str(largest)) - 2))
    return next(step * power for step in (*_ROUND, 60, 80, 100, 120) if step * power >= largest)


def height(value: int, highest: int) -> int:
    """Returns how high a value stands above the floor of the drawing."""
    return value * HEIGHT // highest if highest else 0


def ticks(highest: int, words: Callable[[int], str]) -> tuple[str, ...]:
    """Returns the labels of the rules from the top down."""
    return tuple(words(highest * at // STEPS) for at in range(STEPS, -1, -1))


def box(title: str, class_: str, x: int, width: int, bottom: int, size: int) -> Markup:
    """Returns a column that stands `bottom` above the floor and says what it is to a resting pointer."""
    y = HEIGHT - bottom - size
    return element("rect", element("title", title), class_=class_, x=x, y=y, width=width, height=size)
