"""Where the level changed for good, seen from today (M10). It repaints: a later look may move or drop a break."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from mercato.market.metrics import params
from mercato.market.metrics.base import Inputs, Sheet
from mercato.market.metrics.kernels.breaks import GRID, Break, breaks, in_walks, stable
from mercato.market.metrics.numbers import plain
from mercato.market.metrics.series import calendar_coverage, series
from mercato.market.model import Query, Result

METRIC, DEFINITION = "regime", "M10.1"
PARAMS = ("on",)
DAYS, SHORTEST = 365, 30
FLAGS = ("repaints", "never-alert")
FORMULA = (
    "PELT with squared error on ln(level), at least 7 closes a regime, under 12 penalties c x variance x ln(n), c from "
    "0.25 to 4; a break is shown where at least 9 of the 12 see it within 3 closes; stability = that part of the grid; "
    "breaks-in-walks = how many such breaks a driftless random walk of the same length shows on average"
)


def regime(inputs: Inputs, query: Query) -> Result:
    """Returns M10 over the `days` (default 365) that end on as_of. Parameter: `on` (level, index or asset:<id>).

    Every figure carries `repaints` and `never-alert`: the test looks at the whole series, so its past is not fixed.
    """
    params.known(query, PARAMS)
    length = query.days or DAYS
    source = series(inputs, query, length)
    rows = inputs.engine.rows(source.table.order_by("day"))
    days = [day for row in rows if isinstance(day := row["day"], date)]
    values = [float(str(row["value"])) for row in rows]
    sheet = Sheet(METRIC, DEFINITION, query, source.inputs)
    if len(values) < SHORTEST:
        sheet.add("breaks", None, "count", flags=[*FLAGS, "too-short"])
        return sheet.result(flags=[*FLAGS, "too-short" if values else "no-data"])
    present, calendar = calendar_coverage(days, days[0], query.as_of)
    coverage = f"{present}/{calendar}"
    flags = [*FLAGS, "gaps"] if present < calendar else list(FLAGS)
    found = breaks(values)
    _figures(sheet, found, days, coverage, flags)
    _segments(sheet, stable(found), days, values, source.unit)
    seen = [(days[item.at].isoformat(), plain(item.stability), "yes" if item in stable(found) else "no")
            for item in found]  # fmt: skip
    sheet.grid("candidates", ("day", "stability", "shown"), ("date", "share", ""), seen)
    return sheet.result(coverage=coverage, flags=flags)


def _figures(sheet: Sheet, found: Sequence[Break], days: Sequence[date], coverage: str, flags: Sequence[str]) -> None:
    shown = stable(found)
    by_chance = plain(in_walks(len(days)), 3)
    sheet.add("breaks", str(len(shown)), "count", coverage=coverage, flags=flags)
    sheet.add("breaks-in-walks", by_chance, "count", coverage=coverage, flags=[*flags, "by-simulation"])
    sheet.add("penalties", str(len(GRID)), "count", flags=flags)
    for item in shown:
        dims = {"day": days[item.at].isoformat()}
        sheet.add("stability", plain(item.stability), "share", dims=dims, coverage=coverage, flags=flags)
    since = days[shown[-1].at] if shown else days[0]
    sheet.add("regime-since", since.isoformat(), "date", coverage=coverage, flags=flags)
    sheet.add("regime-days", str((sheet.query.as_of - since).days + 1), "days", coverage=coverage, flags=flags)


def _segments(sheet: Sheet, shown: Sequence[Break], days: Sequence[date], values: Sequence[float], unit: str) -> None:
    """Writes each regime with its first and last day and the median of its closes."""
    edges, rows = [0, *(item.at for item in shown), len(days)], []
    for first, after in pairwise(edges):
        inside = sorted(values[first:after])
        middle = (inside[(len(inside) - 1) // 2] + inside[len(inside) // 2]) / 2
        rows.append((days[first].isoformat(), days[after - 1].isoformat(), str(len(inside)), plain(middle)))
    sheet.grid("regimes", ("first_day", "last_day", "closes", "median"), ("date", "date", "closes", unit), rows)
