"""One number a day, only on days on which it is truly known: what range and regime are measured on (M9, M10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import pyarrow as pa

from mercato.core.errors import InvalidInput
from mercato.market.metrics.base import Inputs, require_sector
from mercato.market.metrics.held import held
from mercato.market.metrics.index import tracks
from mercato.market.metrics.level import GATE, daily_level, exact_sum, members
from mercato.market.model import InputSet, Query

POINTS = ibis.schema({"day": "date", "value": "float64"})


@dataclass(frozen=True, slots=True)
class Series:
    """A table of `day`, `value` (float64, above zero, no days without a close) with its unit and its inputs."""

    table: ibis.Table
    unit: str
    inputs: InputSet


def series(inputs: Inputs, query: Query, back: int) -> Series:
    """Returns the series that the parameter `on` names, over the `back` days that end on the as-of day.

    `level` (the default) is the sector's level, `index` its capped index, `asset:<id>` the price of one asset.
    """
    on = query.params.get("on") or "level"
    first = query.as_of - timedelta(days=back - 1)
    if on.startswith("asset:"):
        return _asset(inputs, on.removeprefix("asset:"), first, query.as_of)
    if on == "index":
        return _index(inputs, query, first)
    if on == "level":
        return _level(inputs, query, first)
    raise InvalidInput(f"on was {on!r}", hint="give level, index or asset:<asset id>")


def closes(rows: ibis.Table, value: ibis.ir.FloatingValue, known: ibis.ir.BooleanValue) -> ibis.Table:
    """Returns day and value of the rows that are `known` and above zero, so that logarithms exist."""
    found = rows.mutate(value=value.cast("float64"), known=known)
    return found.filter(found.known.fill_null(False), found.value > 0).select("day", "value")


def level_closes(rows: ibis.Table) -> ibis.Table:
    """Returns the sector level in USD on the days on which its coverage meets the gate, at 9 digits.

    A day on which no member has a price of its own is a gap too: all of it would be yesterday's.
    """
    days = daily_level(rows)
    coverage = days.fresh.cast("float64") / days.level.cast("float64").nullif(0.0)
    return closes(days, days.level.cast("float64") / 1_000_000.0, (coverage.round(9) >= GATE) & (days.own > 0))


def asset_closes(panel: ibis.Table, asset_id: str, first: date, last: date) -> ibis.Table:
    """Returns the prices of one asset on the days on which it had one; carried days are gaps here."""
    rows = panel.filter(panel.asset_id == asset_id, panel.day >= first, panel.day <= last)
    return closes(rows, rows.price, rows.price_age == 0)


def returns(found: ibis.Table) -> ibis.Table:
    """Returns day and `change`, the log return, for days whose calendar day before has a close too."""
    order = ibis.window(order_by=found.day)
    rows = found.mutate(was=found.value.lag().over(order), was_day=found.day.lag().over(order))
    rows = rows.filter(rows.was.notnull(), rows.day.delta(rows.was_day, unit="day") == 1)
    return rows.select("day", change=(rows.value / rows.was.nullif(0.0)).ln())


def beta(asset: ibis.Table, sector: ibis.Table) -> ibis.Table:
    """Returns one row: beta of an asset's daily log returns on the sector's, and the days behind it."""
    ours = returns(asset).select("day", ours="change")
    rows = ours.join(returns(sector).select("day", theirs="change"), "day")
    added = rows.aggregate(
        days=rows.count(),
        both=exact_sum(rows.ours * rows.theirs, 24),
        ours=exact_sum(rows.ours, 24),
        theirs=exact_sum(rows.theirs, 24),
        square=exact_sum(rows.theirs * rows.theirs, 24),
    )
    count = added.days.cast("float64").nullif(0.0)
    sums = added.mutate(**{name: added[name] / count for name in ("both", "ours", "theirs", "square")})
    spread = (sums.square - sums.theirs * sums.theirs).nullif(0.0)
    return sums.select("days", beta=(sums.both - sums.ours * sums.theirs) / spread)


def worst_fall(found: ibis.Table) -> ibis.Table:
    """Returns one row: the deepest fall below an earlier close, as a part, and the days behind it."""
    so_far = ibis.window(order_by=found.day, preceding=None, following=0)
    rows = found.mutate(top=found.value.max().over(so_far))
    falls = rows.mutate(fall=1 - rows.value / rows.top.nullif(0.0))
    return falls.aggregate(days=falls.count(), fall=falls.fall.max())


def _level(inputs: Inputs, query: Query, first: date) -> Series:
    require_sector(inputs, query.sector)
    rows = members(inputs.panel, query.sector, first, query.as_of)
    ids = [str(row["asset_id"]) for row in inputs.engine.rows(rows.select("asset_id").distinct())]
    return Series(held(inputs.engine, level_closes(rows)), "usd", inputs.evidence("panel", sorted(ids)))


def _index(inputs: Inputs, query: Query, first: date) -> Series:
    """Returns the capped index on the days on which the level behind it meets the gate."""
    level = _level(inputs, query, first)
    track = tracks(inputs, query).get("capped")
    found = sorted(track.daily.items()) if track else []
    points = [{"day": day, "value": value} for day, value in found if day >= first and value]
    table = inputs.engine.table(pa.Table.from_pylist(points, schema=POINTS.to_pyarrow()), POINTS)
    return Series(table.semi_join(level.table, "day"), "points", level.inputs)


def _asset(inputs: Inputs, asset_id: str, first: date, last: date) -> Series:
    if not inputs.engine.rows(inputs.assets.filter(inputs.assets.asset_id == asset_id).limit(1)):
        raise InvalidInput(f"asset was {asset_id!r}, which is unknown", hint="`mercato market assets` lists the ids")
    found = held(inputs.engine, asset_closes(inputs.panel, asset_id, first, last))
    return Series(found, "usd", inputs.evidence("panel", [asset_id]))


def calendar_coverage(days: Sequence[date], first: date, last: date) -> tuple[int, int]:
    """Returns how many of the calendar days from `first` to `last` are among `days`, and how many there are."""
    return sum(first <= day <= last for day in days), (last - first).days + 1
