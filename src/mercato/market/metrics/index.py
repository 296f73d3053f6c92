"""Sector index (M4): chain-linked performance of a sector, with its baskets and divisors in the open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import pyarrow as pa

from mercato.market.metrics import params
from mercato.market.metrics.base import Inputs, Sheet, require_sector
from mercato.market.metrics.basket import FREEZE_DAYS, Basket, rebalance_days, reconstitute
from mercato.market.metrics.decompose import steps
from mercato.market.metrics.level import DAYS, TOTAL, Row, daily_level, exact_sum, flags_of, members, ratio
from mercato.market.metrics.numbers import plain, shortest
from mercato.market.model import Query, Result

DEFINITION = "M4.1"
FORMULA = (
    "I_d = (sum p_d s_r f) / D; supply s_r and cap factor f are frozen 5 days before the first of each month, and at "
    "that close D_new = D_old x MV_after / MV_before. 1000 on the first day. Cap: no weight above max(10 %, 1/n). In: "
    "30 days old, priced on half of them, $250k mean daily volume over 30 days (20 % less to stay), supply tier A or "
    "B; with fewer than 10 such tokens unknown volume passes, then lower tiers. A token without a price for 7 days "
    "counts 0 from that day. Variant all-members: I_d = I_{d-1} x (1 + price effect of d / level of d-1 of the tokens "
    "in on both days)."
)
BASE = 1000.0
VARIANTS = ("capped", "uncapped")
HOLDINGS = ibis.schema(
    {
        "basket": "int64",
        "asset_id": "string",
        "capped": "float64",
        "uncapped": "float64",
        "start": "date",
        "end": "date",
    }
)
CANDIDATE = ("asset_id", "symbol", "day", "price", "supply", "supply_tier", "cap", "listed_days")
START_DAYS = 8  # a token without a price on the days after the base day is inactive by then


@dataclass(frozen=True, slots=True)
class Link:
    """A divisor and the close from which it holds, with the market values before and after the change."""

    day: date
    divisor: float
    before: float
    after: float
    index: float


@dataclass(frozen=True, slots=True)
class Track:
    """An index: daily values (None once it ended), divisors and baskets."""

    daily: Mapping[date, float | None]
    links: tuple[Link, ...]
    baskets: tuple[Basket, ...]


def candidates(rows: ibis.Table, days: Sequence[date]) -> ibis.Table:
    """Returns the tradable `members` on the given days, with mean known volume and days with a price in the last 30."""
    narrow = rows.select("volume", "state", "price_age", *CANDIDATE)
    month = ibis.window(group_by=narrow.asset_id, order_by=narrow.day, preceding=29, following=0)
    priced = (narrow.price_age == 0).cast("int64")
    wide = narrow.mutate(volume_30d=narrow.volume.mean().over(month), priced_30d=priced.sum().over(month))
    tradable = wide.state.isin(["fresh", "carried"]) & (wide.cap > 0) & (wide.price > 0.0)
    return wide.filter(wide.day.isin(list(days)), tradable).select(*CANDIDATE, "volume_30d", "priced_30d")


def never_began(rows: ibis.Table, base: date) -> ibis.Table:
    """Returns the members that had a price on the base day, none in the week after, and were inactive then.

    That is what a monthly source looks like; its gaps are no losses, so such a token is not in the first basket.
    """
    week = rows.filter(rows.day > base, rows.day <= base + timedelta(days=START_DAYS))
    seen = week.group_by("asset_id").agg(
        priced=((week.price_age == 0) & (week.state != "inactive")).cast("int64").sum(),
        dead=(week.state == "inactive").cast("int64").sum(),
    )
    return seen.filter(seen.priced == 0, seen.dead > 0).select("asset_id")


def first_day(rows: ibis.Table) -> ibis.Table:
    """Returns one row with the first day on which a member has a price and a cap: the base of the index."""
    return rows.filter(rows.active, rows.cap > 0, rows.price > 0.0).agg(day=lambda t: t.day.min())


def market_values(panel: ibis.Table, holdings: ibis.Table) -> ibis.Table:
    """Returns the USD value of each basket (HOLDINGS) on each of its days. Once inactive, a holding stays at 0."""
    priced = panel.select("asset_id", "day", "price", dead=panel.state == "inactive")
    held = holdings.join(priced, "asset_id")
    held = held.filter(held.day >= held.start, held.day <= held.end)
    deaths = held.filter(held.dead).group_by("basket", "asset_id", "start").agg(died=lambda t: t.day.min())
    lived = held.left_join(deaths, ["basket", "asset_id", "start"])
    price = ibis.cases((lived.died.notnull() & (lived.day >= lived.died), 0.0), else_=lived.price)
    values = {name: exact_sum(price * lived[name]) for name in VARIANTS}
    return lived.group_by("basket", "day").agg(**values)


def spans(baskets: Sequence[Basket], last: date, moves: Sequence[Row]) -> list[Row]:
    """Returns HOLDINGS rows: what each basket holds from when to when, following migrations by their unit factor."""
    ends = [later.day for later in baskets[1:]] + [last]
    order = sorted(moves, key=lambda move: (move["day"], move["from_asset"], move["to_asset"]))
    rows: list[Row] = []
    for number, (basket, end) in enumerate(zip(baskets, ends, strict=True)):
        for item in basket.holdings:
            asset, units, start = item.asset_id, item.supply, basket.day
            for move in order:
                if move["from_asset"] == asset and basket.frozen < move["day"] <= end:
                    rows.append(_span(number, asset, units, item.factor, start, move["day"] - timedelta(days=1)))
                    asset, units, start = move["to_asset"], units * move["factor"], max(start, move["day"])
            rows.append(_span(number, asset, units, item.factor, start, end))
    return [row for row in rows if row["start"] <= row["end"]]


def _span(basket: int, asset_id: str, units: float, factor: float, start: date, end: date) -> Row:
    return {"basket": basket, "asset_id": asset_id, "capped": units * factor, "uncapped": units,
            "start": start, "end": end}  # fmt: skip


def chain(baskets: Sequence[Basket], values: Mapping[tuple[int, date], float], last: date) -> Track:
    """Returns the index from the market values of its baskets, linked by divisors at each reconstitution.

    When a basket is worth nothing at a link, the index cannot go on: later days are None.
    """
    daily: dict[date, float | None] = {}
    links: list[Link] = []
    for number, basket in enumerate(baskets):
        after = values.get((number, basket.day), 0.0)
        before = values.get((number - 1, basket.day), 0.0) if links else after
        index = before / links[-1].divisor if links else BASE
        if after <= 0 or before <= 0:
            break
        links.append(
            Link(basket.day, links[-1].divisor * after / before if links else after / BASE, before, after, index)
        )
        end = baskets[number + 1].day if number + 1 < len(baskets) else last
        for offset in range((end - basket.day).days + 1):
            day = basket.day + timedelta(days=offset)
            daily.setdefault(day, values.get((number, day), 0.0) / links[-1].divisor)
    ended = max(daily, default=last)
    daily.update({ended + timedelta(days=more): None for more in range(1, (last - ended).days + 1)})
    return Track(daily, tuple(links), tuple(baskets[: len(links)]))


def price_links(rows: ibis.Table, first: date, last: date) -> ibis.Table:
    """Returns for each day the price effect and the cap, a day before, of the members that are in on both days."""
    effects = steps(rows, first, last)
    moved = effects.group_by("day").agg(price=effects.price.cast(TOTAL).sum(), left=effects["exit"].cast(TOTAL).sum())
    levels = daily_level(rows)
    before = levels.select(day=(levels.day + ibis.interval(days=1)).cast("date"), level=levels.level)
    joined = before.join(moved, "day")
    return joined.select("day", "price", before=joined.level + joined.left)


def linked(rows: Sequence[Row], base: date) -> dict[date, float]:
    """Returns the all-members index from `price_links`; a day without a member on both days changes nothing."""
    index, daily = BASE, {base: BASE}
    for row in sorted(rows, key=lambda row: row["day"]):
        index *= 1 + (ratio(row["price"], row["before"]) or 0.0)
        daily[row["day"]] = index
    return daily


def tracks(inputs: Inputs, query: Query) -> dict[str, Track]:
    """Returns the capped and the uncapped index of a sector up to as-of, nothing where no day can be their base.

    Nothing either where no token was ever eligible.
    """
    rows = members(inputs.panel, query.sector, None, query.as_of)
    base = inputs.engine.rows(first_day(rows))[0]["day"]
    if not isinstance(base, date):
        return {}
    frozen = [base, *(day - timedelta(days=FREEZE_DAYS) for day in rebalance_days(base, query.as_of))]
    silent = {row["asset_id"] for row in inputs.engine.rows(never_began(rows, base))}
    rated = inputs.engine.rows(candidates(rows, frozen))
    found = [row for row in rated if row["day"] != base or row["asset_id"] not in silent]
    moves = migrations(inputs, query.as_of)
    priced = inputs.panel.filter(inputs.panel.day <= query.as_of)
    baskets = reconstitute(found, base, query.as_of, moves)
    if not baskets:
        return {}
    held = pa.Table.from_pylist([dict(row) for row in spans(baskets, query.as_of, moves)], schema=HOLDINGS.to_pyarrow())
    values: list[Row] = list(inputs.engine.rows(market_values(priced, inputs.engine.table(held, HOLDINGS))))
    return {
        name: chain(baskets, {(row["basket"], row["day"]): row[name] for row in values}, query.as_of)
        for name in VARIANTS
    }


def migrations(inputs: Inputs, last: date) -> list[Row]:
    """Returns the known migrations up to a day, in order."""
    if inputs.migrations is None:
        return []
    table = inputs.migrations
    return list(inputs.engine.rows(table.filter(table.day <= last).order_by("day", "from_asset", "to_asset")))


def sector_index(inputs: Inputs, query: Query) -> Result:
    """Returns the capped, uncapped and all-members index with constituents and divisors (M4)."""
    params.known(query, ())
    require_sector(inputs, query.sector)
    rows = members(inputs.panel, query.sector, None, query.as_of)
    today = inputs.engine.rows(rows.filter(rows.day == query.as_of).order_by("asset_id"))
    ids = inputs.engine.rows(rows.select("asset_id").distinct())
    sheet = Sheet(
        "sector-index", DEFINITION, query, inputs.evidence("panel", sorted(str(row["asset_id"]) for row in ids))
    )
    live = tracks(inputs, query)
    series: dict[str, Mapping[date, float | None]] = {name: found.daily for name, found in live.items()}
    if live:
        base = min(live["capped"].daily)
        pairs = inputs.engine.rows(price_links(rows, base, query.as_of))
        series["all-members"] = linked(pairs, base)
    coverage = coverage_of(today)
    flags = [*flags_of(today, coverage), *sorted({f for found in live.values() for f in found.baskets[-1].flags})]
    for name in (*VARIANTS, "all-members"):
        _figures(sheet, name, series.get(name, {}), live.get(name), plain(coverage), flags)
    _grids(sheet, query, series, live)
    return sheet.result(coverage=plain(coverage), flags=flags)


def coverage_of(today: Sequence[Row]) -> float | None:
    """Returns fresh over known caps of the members of one day."""
    live = [row for row in today if row["active"]]
    return ratio(sum(row["cap"] for row in live if row["state"] == "fresh"), sum(row["cap"] for row in live))


def _figures(
    sheet: Sheet,
    variant: str,
    daily: Mapping[date, float | None],
    found: Track | None,
    coverage: str | None,
    flags: list[str],
) -> None:
    query, dims = sheet.query, {"variant": variant}
    now = daily.get(query.as_of)
    start = daily.get(query.as_of - timedelta(days=query.days or DAYS))
    marks = [*flags, *(["ended"] if daily and now is None else [])]
    sheet.add("index", plain(now), "points", dims=dims, coverage=coverage, flags=marks)
    change = now / start - 1 if now is not None and start else None
    young = [] if start else ["no-data-at-start"]
    sheet.add("change", plain(change), "ratio", dims=dims, coverage=coverage, flags=[*marks, *young])
    since = now / BASE - 1 if now is not None else None
    sheet.add("since-base", plain(since), "ratio", dims=dims, coverage=coverage, flags=marks)
    sheet.add("base-day", min(daily).isoformat() if daily else None, "date", dims=dims)
    if found is not None:
        last = found.baskets[-1]
        weights = [item.capped if variant == "capped" else item.uncapped for item in last.holdings]
        sheet.add("divisor", shortest(found.links[-1].divisor), "usd/point", dims=dims)
        sheet.add("constituents", plain(len(last.holdings)), "count", dims=dims)
        sheet.add("largest-weight", plain(max(weights)), "share", dims=dims)


def _grids(
    sheet: Sheet, query: Query, series: Mapping[str, Mapping[date, float | None]], live: Mapping[str, Track]
) -> None:
    first = query.as_of - timedelta(days=query.days or DAYS)
    days = sorted({day for daily in series.values() for day in daily if day >= first})
    names = [*VARIANTS, "all-members"]
    table = [(day.isoformat(), *(plain(series.get(name, {}).get(day)) for name in names)) for day in days]
    sheet.grid("daily", ("day", *names), ("date", "points", "points", "points"), table)
    baskets = next((found.baskets for found in live.values()), ())
    sheet.grid(
        "constituents",
        ("from", "frozen", "asset_id", "symbol", "supply", "supply_tier", "cap_factor", "weight_capped",
         "weight_uncapped"),
        ("date", "date", "", "", "units", "", "ratio", "share", "share"),
        [
            (basket.day.isoformat(), basket.frozen.isoformat(), item.asset_id, item.symbol, shortest(item.supply),
             item.supply_tier, shortest(item.factor), plain(item.capped), plain(item.uncapped))
            for basket in baskets for item in basket.holdings
        ],
    )  # fmt: skip
    sheet.grid(
        "divisors",
        ("variant", "day", "divisor", "value_before", "value_after", "index", "rules_relaxed"),
        ("", "date", "usd/point", "usd", "usd", "points", ""),
        [
            (name, link.day.isoformat(), shortest(link.divisor), shortest(link.before), shortest(link.after),
             plain(link.index), ",".join(basket.flags))
            for name, found in live.items() for link, basket in zip(found.links, found.baskets, strict=True)
        ],
    )  # fmt: skip
