"""Is it flat? The range of a calendar window against what its own volatility makes usual (M9)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import ibis

from mercato.market.metrics import params
from mercato.market.metrics.base import Inputs, Sheet
from mercato.market.metrics.kernels.walk import kappa, lasts, narrower
from mercato.market.metrics.level import exact_sum
from mercato.market.metrics.numbers import plain, rounded
from mercato.market.metrics.series import returns, series
from mercato.market.model import Query, Result

METRIC, DEFINITION = "flat-range", "M9.1"
PARAMS = ("on", "width", "longest")
FORMULA = (
    "W = max/min - 1 of the closes of n calendar days; F = ln(max/min) / E[R_n], E[R_n] = kappa(n) sigma, "
    "kappa(n) = sqrt(2/pi) sum of k^-0.5 for k = 1..n-1 (driftless Gaussian walk); sigma = root of the EWMA (30-day "
    "span) of squared daily log returns before the window; flat if F <= 0.55 and n >= 7; p = simulated P(range this "
    "narrow) for this one window, p-search the same for any window of n days or more that was searched"
)
FLAT, SHORTEST, LONGEST = 0.55, 7, 90
ALPHA = 2 / (30 + 1)
MEMORY = 120  # days before the window that sigma can see; their weights sum to 0.9997
FEWEST_RETURNS = 10
FEWEST_CLOSES = 0.9  # part of the window's days that must have a close for a verdict


def windows(closes: ibis.Table, as_of: date, longest: int) -> ibis.Table:
    """Returns one row per close in the `longest` calendar days up to `as_of`, as the first day of a window that ends
    there: first_day, days (calendar), observed (closes in it), high, low."""
    first = as_of - timedelta(days=longest - 1)
    rows = closes.filter(closes.day.between(ibis.literal(first), ibis.literal(as_of)))
    back = ibis.window(order_by=ibis.desc(rows.day), preceding=None, following=0)
    return rows.select(
        first_day=rows.day,
        days=(ibis.literal(as_of).delta(rows.day, unit="day") + 1).cast("int64"),
        observed=rows.value.count().over(back).cast("int64"),
        high=rows.value.max().over(back),
        low=rows.value.min().over(back),
    )


def volatility(closes: ibis.Table, starts: ibis.Table) -> ibis.Table:
    """Returns first_day, sigma (per day) and counted returns, from the returns that end before each window begins."""
    changes = returns(closes)
    squares = changes.select("day", square=changes.change * changes.change)
    pairs = starts.select("first_day").join(squares, squares.day < starts.first_day)
    age = (pairs.first_day.delta(pairs.day, unit="day") - 1).cast("int64")
    near = pairs.mutate(age=age).filter(age < MEMORY)
    weighted = near.mutate(weight=ibis.literal(1 - ALPHA).pow(near.age.cast("float64")))
    sums = weighted.group_by("first_day").aggregate(
        top=exact_sum(weighted.weight * weighted.square, 24),
        bottom=exact_sum(weighted.weight, 24),
        counted=weighted.count(),
    )
    return sums.select("first_day", "counted", sigma=(sums.top / sums.bottom.nullif(0.0)).sqrt())


@dataclass(frozen=True, slots=True)
class Window:
    """One window that ends on the as-of day. `days` is its calendar length, `observed` its closes."""

    first_day: date
    days: int
    observed: int
    high: float
    low: float
    sigma: float | None

    @property
    def log_range(self) -> float:
        """Returns ln(max/min)."""
        return math.log(self.high / self.low)

    @property
    def width(self) -> float:
        """Returns max/min - 1, at 9 significant digits."""
        return rounded(self.high / self.low - 1)

    @property
    def expected(self) -> float | None:
        """Returns E[R_n | sigma]; None where sigma is unknown or zero."""
        return kappa(self.days) * self.sigma if self.sigma and self.days > 1 else None

    @property
    def f(self) -> float | None:
        """Returns the range over its expectation, at 9 significant digits."""
        return rounded(self.log_range / self.expected) if self.expected else None

    @property
    def is_complete(self) -> bool:
        """Returns whether enough of the days have a close for a verdict."""
        return self.observed >= FEWEST_CLOSES * self.days

    @property
    def is_flat(self) -> bool | None:
        """Returns the verdict; None where it cannot be given."""
        if self.f is None or not self.is_complete:
            return None
        return self.f <= FLAT and self.days >= SHORTEST


def read(rows: Sequence[Mapping[str, object]], sigmas: Sequence[Mapping[str, object]]) -> list[Window]:
    """Returns windows from the rows of `windows` and `volatility`, shortest first."""
    known = {row["first_day"]: row["sigma"] for row in sigmas if int(str(row["counted"])) >= FEWEST_RETURNS}
    found = []
    for row in sorted(rows, key=lambda row: int(str(row["days"]))):
        first, sigma = row["first_day"], known.get(row["first_day"])
        assert isinstance(first, date)
        high, low = float(str(row["high"])), float(str(row["low"]))
        volatile = None if sigma is None else float(str(sigma))
        found.append(Window(first, int(str(row["days"])), int(str(row["observed"])), high, low, volatile))
    return found


def chosen(found: Sequence[Window], as_of: date, days: int | None, width: float | None) -> Window | None:
    """Returns the window that was asked for: of `days` calendar days, else the longest within `width`, else the
    longest flat one, else the one of 7 days. None where there is no close at all."""
    if days is None and width is not None:
        return max((item for item in found if item.width <= rounded(width)), key=lambda item: item.days, default=None)
    if days is None:
        flat = [item for item in found if item.is_flat]
        if flat:
            return max(flat, key=lambda item: item.days)
    wanted = days or SHORTEST
    inside = [item for item in found if item.days <= wanted]
    if not inside:
        return None
    last = max(inside, key=lambda item: item.days)
    # Days without a close before the first one change neither the range nor the returns behind sigma.
    return replace(last, first_day=as_of - timedelta(days=wanted - 1), days=wanted)


def flat_range(inputs: Inputs, query: Query) -> Result:
    """Returns M9 for a sector's level, its index or an asset's price.

    `days` fixes the window's calendar length. Parameters: `on` (level, index or asset:<id>), `width` (such as 0.123:
    the longest window no wider), `longest` (7-720 calendar days searched, default 90).
    """
    params.known(query, PARAMS)
    longest = max(int(params.given(query, "longest", LONGEST, SHORTEST, 720)), query.days or 0)
    width = params.number(query, "width", None, 0, 100)
    source = series(inputs, query, longest + MEMORY + 1)
    starts = windows(source.table, query.as_of, longest)
    found = read(inputs.engine.rows(starts), inputs.engine.rows(volatility(source.table, starts)))
    sheet = Sheet(METRIC, DEFINITION, query, source.inputs)
    window = chosen(found, query.as_of, query.days, width)
    flags = _write(sheet, window, source.unit, longest) if window else _empty(sheet, found)
    rows = [(item.first_day.isoformat(), str(item.days), str(item.observed), plain(item.low), plain(item.high),
             plain(item.width), plain(item.sigma), plain(item.f), _said(item.is_flat)) for item in found]  # fmt: skip
    names = ("first_day", "days", "observed", "low", "high", "width", "sigma", "f", "flat")
    sheet.grid("windows", names, ("date", "days", "days", source.unit, source.unit, "ratio", "per day", "ratio", ""), rows)  # fmt: skip  # noqa: E501 - one table, one line
    return sheet.result(coverage=f"{window.observed}/{window.days}" if window else None, flags=flags)


def _empty(sheet: Sheet, found: Sequence[Window]) -> list[str]:
    flags = ["no-data" if not found else "no-such-window"]
    sheet.add("flat", None, "", flags=flags)
    return flags


def _write(sheet: Sheet, window: Window, unit: str, longest: int) -> list[str]:
    coverage = f"{window.observed}/{window.days}"
    marks = {
        "gaps": window.observed < window.days,
        "too-many-gaps": not window.is_complete,
        "volatility-unknown": window.expected is None,
        "search-corrected-p-beside": window.f is not None,
    }
    flags = [name for name, holds in marks.items() if holds]
    values = (
        ("first-day", window.first_day.isoformat(), "date"),
        ("days", str(window.days), "days"),
        ("low", plain(window.low), unit),
        ("high", plain(window.high), unit),
        ("width", plain(window.width), "ratio"),
        ("sigma", plain(window.sigma), "per day"),
        ("expected-log-range", plain(window.expected), "log ratio"),
        ("f", plain(window.f), "ratio"),
        ("flat", _said(window.is_flat), ""),
        *_chances(window, longest),
    )
    for name, value, shown in values:
        sheet.add(name, value, shown, coverage=coverage, flags=flags)
    return flags


def _chances(window: Window, longest: int) -> tuple[tuple[str, str | None, str], ...]:
    """Returns p for this window alone, and for having searched every length from it to the longest."""
    if window.f is None or not window.sigma:
        return (("p", None, "probability"), ("p-search", None, "probability"))
    alone = narrower(window.log_range, window.sigma, window.days)
    search = lasts(window.days, max(longest, window.days), window.f)
    return (("p", plain(alone, 3), "probability"), ("p-search", plain(search, 3), "probability"))


def _said(verdict: bool | None) -> str | None:
    return None if verdict is None else ("yes" if verdict else "no")
