"""Level change split into price, supply and membership (M5), exact to the micro-USD."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import reduce
from operator import or_

import ibis

from mercato.market.metrics import params
from mercato.market.metrics.base import Inputs, Sheet, require_sector
from mercato.market.metrics.level import TOTAL, Row, assets_of, daily_level, flags_of, members, micro, ratio
from mercato.market.metrics.numbers import plain, usd
from mercato.market.model import Query, Result

DEFINITION = "M5.1"
FORMULA = (
    "dL = price effect sum(s_{d-1} dp) + supply effect sum(p_d ds) + membership (entries - exits), added up daily. "
    "Each asset and day passes through m = p_d s_{d-1} in whole micro-USD: m - c_{d-1} is price, c_d - m is supply, "
    "so the three sum exactly. A change of cap without a known supply counts as price as far as the price moved."
)
DAYS = 7
EFFECTS = ("price", "supply", "entry", "exit")


def steps(rows: ibis.Table, first: date, last: date) -> ibis.Table:
    """Returns the effects (micro-USD) of each asset and day after `first` up to `last`, from active `members`."""
    active = rows.filter(rows.active, rows.day >= first, rows.day <= last)
    window = ibis.window(group_by=active.asset_id, order_by=active.day)
    fields = {name: active[name].lag().over(window) for name in ("day", "cap", "price", "supply")}
    both = active.mutate(
        **{f"{name}_before": value for name, value in fields.items()}, day_after=active.day.lead().over(window)
    )
    return _moves(both, first).union(_exits(both, last))


def _moves(both: ibis.Table, first: date) -> ibis.Table:
    since = both.filter(both.day > first)
    stayed = ibis.coalesce(since.day.delta(since.day_before, unit="day") == 1, False)
    supply = ibis.coalesce(since.supply_before, since.cap_before / (since.price_before.nullif(0.0) * 1_000_000.0))
    middle = ibis.cases(
        (since.supply == since.supply_before, since.cap),
        (since.price == since.price_before, since.cap_before),
        else_=ibis.coalesce(micro(since.price * supply), since.cap),
    )
    return since.select(
        "asset_id",
        "symbol",
        "day",
        price=ibis.cases((stayed, middle - since.cap_before), else_=0),
        supply=ibis.cases((stayed, since.cap - middle), else_=0),
        entry=ibis.cases((stayed, 0), else_=since.cap),
        exit=ibis.literal(0, "int64"),
    )


def _exits(both: ibis.Table, last: date) -> ibis.Table:
    before = both.filter(both.day < last)
    left = before.filter(~ibis.coalesce(before.day_after.delta(before.day, unit="day") == 1, False))
    zero = ibis.literal(0, "int64")
    day = (left.day + ibis.interval(days=1)).cast("date")
    return left.select("asset_id", "symbol", day=day, price=zero, supply=zero, entry=zero, exit=-left.cap)


def contributions(effects: ibis.Table) -> ibis.Table:
    """Returns the effects of each asset over all days, the largest absolute change first."""
    sums = {name: effects[name].cast(TOTAL).sum() for name in EFFECTS}
    by_asset = effects.group_by("asset_id", "symbol").agg(**sums)
    total = by_asset.mutate(total=by_asset.price + by_asset.supply + by_asset.entry + by_asset.exit)
    return total.order_by(total.total.abs().desc(), "asset_id")


def passages(effects: ibis.Table) -> ibis.Table:
    """Returns the entries and exits by name, in order of day and asset."""
    moved = effects.filter(reduce(or_, ((effects[name] != 0) for name in ("entry", "exit"))))
    return moved.select("day", "asset_id", "symbol", "entry", "exit").order_by("day", "asset_id", "entry")


def decompose(inputs: Inputs, query: Query) -> Result:
    """Returns how much of a level change came from price, supply and membership, in all and by asset (M5)."""
    params.known(query, ())
    require_sector(inputs, query.sector)
    first = query.as_of - timedelta(days=query.days or DAYS)
    rows = members(inputs.panel, query.sector, first, query.as_of)
    ends = {
        row["day"]: row for row in inputs.engine.rows(daily_level(rows.filter(rows.day.isin([first, query.as_of]))))
    }
    effects = steps(rows, first, query.as_of)
    parts = inputs.engine.rows(contributions(effects))
    moved = inputs.engine.rows(passages(effects))
    today = inputs.engine.rows(rows.filter(rows.day == query.as_of).order_by("asset_id"))
    sheet = Sheet("decompose", DEFINITION, query, inputs.evidence("panel", assets_of([*today, *parts])))
    nothing: Row = {}
    start: Row = ends.get(first, nothing)
    end: Row = ends.get(query.as_of, nothing)
    coverage = ratio(end.get("fresh"), end.get("level"))
    known = start.get("level") is not None and end.get("level") is not None
    flags = [*flags_of(today, coverage), *([] if start.get("level") is not None else ["no-data-at-start"])]
    _figures(sheet, start, end, parts if known else None, plain(coverage), flags)
    _grids(sheet, parts, moved)
    return sheet.result(coverage=plain(coverage), flags=flags)


def _figures(
    sheet: Sheet, start: Row, end: Row, parts: Sequence[Row] | None, coverage: str | None, flags: Sequence[str]
) -> None:
    sums: dict[str, int | None] = dict.fromkeys((*EFFECTS, "membership", "change"))
    if parts is not None:
        price, supply, entry, left = (sum(int(row[name]) for row in parts) for name in EFFECTS)
        change = int(end["level"]) - int(start["level"])
        assert price + supply + entry + left == change, "the three effects sum to the change by construction"
        sums = dict(zip(sums, (price, supply, entry, left, entry + left, change), strict=True))
    sheet.add("level-start", usd(start.get("level")), "usd", flags=flags)
    sheet.add("level-end", usd(end.get("level")), "usd", coverage=coverage, flags=flags)
    for name, value in sums.items():
        sheet.add(name, usd(value), "usd", coverage=coverage, flags=flags)
    for name in ("price", "supply", "membership"):
        part = sums[name]
        of_start = ratio(part, start.get("level"))
        sheet.add(f"{name}-of-start", plain(of_start), "ratio", coverage=coverage, flags=flags)


def _grids(sheet: Sheet, parts: Sequence[Row], moved: Sequence[Row]) -> None:
    sheet.grid(
        "assets",
        ("asset_id", "symbol", *EFFECTS, "total"),
        ("", "", "usd", "usd", "usd", "usd", "usd"),
        [(row["asset_id"], row["symbol"], *(usd(row[name]) for name in (*EFFECTS, "total"))) for row in parts],
    )
    sheet.grid(
        "membership",
        ("day", "asset_id", "symbol", "event", "cap"),
        ("date", "", "", "", "usd"),
        [
            (row["day"].isoformat(), row["asset_id"], row["symbol"], "entry" if row["entry"] else "exit",
             usd(row["entry"] or -row["exit"]))
            for row in moved
        ],
    )  # fmt: skip
