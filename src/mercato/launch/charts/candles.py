"""Candles: the first, highest, lowest and last price of each span of time, with what was traded below them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mercato.launch.charts.plot import HEIGHT, WIDTH, Plot, drawing, element, top
from mercato.launch.words import brief, day, dollars, moment, price

WIDEST = WIDTH // 36
DAY = 86_400
ROOM = HEIGHT * 3 // 4  # of the drawing for prices; what is left shows the volume


@dataclass(frozen=True, slots=True)
class Candle:
    """One span: when it begins in seconds, prices in Q96, what was traded in quote base units, and its last block."""

    start: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    block: int


def candles(items: Sequence[Candle]) -> Plot | None:
    """Returns the chart of at least one candle, None of none."""
    if not items:
        return None
    low, high = min(item.low for item in items), max(item.high for item in items)
    air = max((high - low) // 12, high // 100, 1)
    low, high = max(0, low - air), high + air
    traded = top(max(item.volume for item in items))
    slot = WIDTH // len(items)
    marks = [mark for at, item in enumerate(items) for mark in _candle(item, at * slot, slot, (low, high), traded)]
    said = f"From {price(items[0].open)} to {price(items[-1].close)}, lowest {price(min(i.low for i in items))}, "
    said += f"highest {price(max(i.high for i in items))}."
    labels = tuple(price(high - (high - low) * at // 3) for at in range(4))
    named = brief if any(item.start % DAY for item in items) else day
    times = tuple(named(items[(len(items) - 1) * at // 3].start) for at in range(4))
    return Plot(drawing(marks), (*labels, ""), times, said, (("up", "closed higher"), ("down", "closed lower")))


def _candle(item: Candle, x: int, slot: int, ends: tuple[int, int], traded: int) -> list[Markup]:
    kind = "up" if item.close >= item.open else "down"
    high, low, first, last = (_y(value, ends) for value in (item.high, item.low, item.open, item.close))
    said = f"{moment(item.start)}: {price(item.open)} to {price(item.close)}, {dollars(item.volume)} traded"
    said += f", last in block {item.block}" if item.volume else ""
    size = item.volume * (HEIGHT - ROOM - 150) // traded
    middle, wide = x + slot // 2, min(slot * 2 // 3, WIDEST)
    body = {"x": middle - wide // 2, "width": max(1, wide)}
    return [
        element("path", class_=f"wick {kind}", d=f"M{middle} {high}V{low}"),
        element("rect", element("title", said), class_=f"candle {kind}", y=min(first, last),
                height=max(14, abs(first - last)), **body),
        element("rect", class_=f"volume {kind}", y=HEIGHT - size, height=size, **body),
    ]  # fmt: skip


def _y(value: int, ends: tuple[int, int]) -> int:
    low, high = ends
    return ROOM - (value - low) * ROOM // max(1, high - low)
