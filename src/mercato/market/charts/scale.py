"""Where values go on paper: round ticks, positions up and across, and how ticks are written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

HEIGHT = 196.0
WIDTH = 1000.0


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear or logarithmic scale from the bottom (`low`) to the top (`high`) of the plot."""

    low: float
    high: float
    log: bool = False

    def y(self, value: float) -> float:
        """Returns the distance from the top of the plot."""
        low, high, at = self.low, self.high, value
        if self.log:
            low, high, at = math.log(low), math.log(high), math.log(max(value, self.low))
        return round(HEIGHT * (1 - (at - low) / (high - low)), 2)

    def ticks(self) -> list[float]:
        """Returns three to six round values inside the scale."""
        if self.log:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            steps = [10.0**p * m for p in powers for m in (1, 2, 5)]
            inside = [step for step in steps if self.low <= step <= self.high]
            return inside[:: max(1, len(inside) // 4)]
        step = nice((self.high - self.low) / 4)
        first = math.ceil(self.low / step - 1e-9)
        return [round(n * step, 12) for n in range(first, math.floor(self.high / step + 1e-9) + 1)]


def nice(rough: float) -> float:
    """Returns the nearest of 1, 2, 2.5, 5 times a power of ten that is not below `rough`."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * m for m in (1.0, 2.0, 2.5, 5.0, 10.0) if power * m >= rough * 0.999)


def fitted(values: Sequence[float], *, zero: bool = False, log: bool = False) -> Scale:
    """Returns a scale that holds all values with a little air; `zero` keeps the zero line in sight."""
    low, high = min(values), max(values)
    if log and low > 0:
        return Scale(low * 0.95, high * 1.05 if high > low else low * 1.2, log=True)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    air = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    return Scale(low if zero and low == 0 else low - air, high if zero and high == 0 else high + air)


def across(day: date, first: date, last: date) -> float:
    """Returns where a day stands between the first and the last, 0 to 1."""
    return (day - first).days / max(1, (last - first).days)


def date_ticks(first: date, last: date) -> list[tuple[float, str]]:
    """Returns positions (0 to 1) and words of a few evenly spread days, ends included."""
    span = (last - first).days
    count = 3 if span > 300 else 4
    days = [date.fromordinal(first.toordinal() + round(span * n / count)) for n in range(count + 1)]
    form = "%b %Y" if span > 300 else "%-d %b"
    return [(across(day, first, last), f"{day:{form}}") for day in dict.fromkeys(days)]
