"""Seeded draws in whole numbers, so that a season is the same to the last wei on every machine.

The mathematics libraries of two systems may differ in the last digit of a float; integers cannot.
"""

from __future__ import annotations

from random import Random

#: One standard deviation, and 1.0 of a natural logarithm, in the units of this module: thousandths.
MILLI = 1000
_ONE = 1 << 64


def stream(*names: object) -> Random:
    """Returns the draws of a named purpose: the same names give the same draws, whatever was drawn elsewhere."""
    return Random("/".join(str(name) for name in names))


def bell(draw: Random) -> int:
    """Returns a draw of an almost normal variable in thousandths of a standard deviation, within +-6000.

    The sum of twelve uniform draws has variance 1 (Irwin-Hall).
    """
    return sum(draw.randrange(MILLI) for _ in range(12)) - 12 * (MILLI - 1) // 2


def grown(value: int, milli: int) -> int:
    """Returns value x e^(milli / 1000), rounded down: the exponential series in 64-bit fixed point."""
    whole, part = divmod(milli, MILLI)
    power = _exponential(part * _ONE // MILLI)
    e = _exponential(_ONE)
    for _ in range(abs(whole)):
        power = power * e // _ONE if whole > 0 else power * _ONE // e
    return value * power // _ONE


def _exponential(x: int) -> int:
    """Returns e^x for 0 <= x <= 1, all in 64-bit fixed point."""
    total = term = _ONE
    for place in range(1, 24):
        term = term * x // _ONE // place
        total += term
    return total


def lognormal(draw: Random, median: int, spread: int) -> int:
    """Returns a lognormal draw with this median; `spread` is the deviation of its logarithm in thousandths."""
    return grown(median, bell(draw) * spread // MILLI)


def count(draw: Random, mean_milli: int) -> int:
    """Returns how many of something there are where `mean_milli` thousandths are expected: never more than twice."""
    return sum(draw.randrange(2 * MILLI) < MILLI for _ in range(2 * mean_milli // MILLI)) + (
        draw.randrange(MILLI) < 2 * mean_milli % MILLI // 2
    )


def chance(draw: Random, per_mille: int) -> bool:
    """Returns True in so many of a thousand draws."""
    return draw.randrange(MILLI) < per_mille
