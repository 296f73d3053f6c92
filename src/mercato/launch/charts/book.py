"""The book of an auction: what is bid at each level, and where demand meets what the sale costs."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from mercato.launch.charts.plot import HEIGHT, WIDTH, Plot, box, drawing, element, height, ticks, top
from mercato.launch.clearing import Q96, ceiling
from mercato.launch.model import Demand, Level
from mercato.launch.words import dollars, price

COLUMNS, SHORTEST, BEYOND = 64, 16, 4
LEGEND = (("c0", "above the price: filled whole"), ("c1", "at the price: shared"), ("c7", "below: given back"))


def demand(book: Demand) -> Plot:
    """Returns columns of demand by price level, coloured by what clearing now would do with them."""
    shown = _shown(book)
    groups = [shown[at : at + _span(shown)] for at in range(0, len(shown), _span(shown))]
    sums = [sum(level.demand for level in group) for group in groups]
    highest, wide = top(max(sums)), WIDTH // len(groups)
    marks = [
        _column(book, group, total, number * wide, wide, highest)
        for number, (group, total) in enumerate(zip(groups, sums, strict=True))
        if total
    ]
    return Plot(drawing(marks), ticks(highest, dollars), _prices(shown), _said(book), LEGEND if book.clears else ())


def _shown(book: Demand) -> Sequence[Level]:
    """Returns the levels from the floor to a little above the highest bid."""
    last = max((level.number for level in book.levels if level.demand), default=0)
    return book.levels[: max(SHORTEST, last + 1 + BEYOND)]


def _span(shown: Sequence[Level]) -> int:
    return ceiling(len(shown), COLUMNS)


def _column(book: Demand, group: Sequence[Level], total: int, x: int, wide: int, highest: int) -> Markup:
    first, last = group[0], group[-1]
    at = f"Level {first.number}, {price(first.price)}"
    if last is not first:
        at = f"Levels {first.number} to {last.number}, {price(first.price)} to {price(last.price)}"
    size = max(12, height(total, highest))
    return box(f"{at}: {dollars(total)}", f"bar {_colour(book, first, last)}", x + wide // 12, wide * 10 // 12, 0, size)


def _colour(book: Demand, first: Level, last: Level) -> str:
    if not book.clears or last.number < book.level:
        return "c7"
    return "c1" if first.number <= book.level and first.price <= book.price else "c0"


def _prices(shown: Sequence[Level]) -> tuple[str, ...]:
    return tuple(price(shown[(len(shown) - 1) * at // 3].price) for at in range(4))


def _said(book: Demand) -> str:
    held = [level for level in book.levels if level.demand]
    if not held and not book.retail:
        return "Nobody has bid yet."
    words = [f"{dollars(book.total)} in bids"]
    if held:
        words.append(f"on {len(held)} levels between {price(held[0].price)} and {price(held[-1].price)}")
    words.append(f"the price they make is {price(book.price)}" if book.clears else "less than the minimum")
    return ", ".join(words) + "."


def curves(book: Demand, sale: int, retail_cap: int) -> Plot:
    """Returns demand at or above each price against what the whole sale costs at it: they cross at the price.

    `sale` and `retail_cap` are base units of the token; the retail demand counts up to its cap.
    """
    shown = _shown(book)
    above, costs = _at_or_above(book, retail_cap)[: len(shown)], [ceiling(sale * level.price, Q96) for level in shown]
    highest = top(max(*above, *costs, 1))
    marks = [
        element("path", class_="line c2", d=_stairs(above, highest)),
        element("path", class_="line c4", d=_stairs(costs, highest)),
    ]
    legend = (("c2", "bid at this price or more"), ("c4", "the whole sale at this price"))
    return Plot(drawing(marks), ticks(highest, dollars), _prices(shown), _said(book), legend)


def _at_or_above(book: Demand, retail_cap: int) -> list[int]:
    found, total = [], 0
    for level in reversed(book.levels):
        total += level.demand
        found.append(total + min(book.retail, retail_cap * level.price // Q96))
    return found[::-1]


def _stairs(values: Sequence[int], highest: int) -> str:
    """Returns a line of steps: a value holds from its level to the next."""
    wide = WIDTH // max(1, len(values))
    steps = [f"V{HEIGHT - height(value, highest)}H{(at + 1) * wide}" for at, value in enumerate(values)]
    return f"M0 {HEIGHT - height(values[0], highest)}" + "".join(steps)
