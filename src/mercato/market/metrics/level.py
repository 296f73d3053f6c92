"""Sector level (M3): how large a sector is, in exact micro-USD, with its coverage and what it leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import ibis

from mercato.market.metrics import params
from mercato.market.metrics.base import Inputs, Sheet, of_sector, require_sector, sector_filter
from mercato.market.metrics.numbers import plain, rounded, shares, shortest, usd
from mercato.market.model import Query, Result
from mercato.market.schema import SECTOR_DAYS

DEFINITION = "M3.1"
FORMULA = (
    "L_d = sum of c over the tokens of the sector with weight 1; c = price x best circulating supply, in whole "
    "micro-USD; 0 after 7 days without a price. Coverage = sum of c with a price at most 1 day old / sum of c. "
    "Below 0.98 the level is provisional. FDV = max(price x maximum supply, c), c where no maximum is known."
)
GATE = 0.98
RECENT_DAYS = 45  # a monthly source speaks again within this time, so its tokens have not vanished
OLD_SUPPLY_DAYS = 45
DAYS = 90
TOTAL = "decimal(38, 0)"  # sums of int64 caps overflow int64, and floats would lose micro-USD

Row = Mapping[str, Any]


def exact_sum(value: ibis.ir.FloatingValue, digits: int = 12) -> ibis.ir.FloatingScalar:
    """Returns the sum of floats added up as decimals of so many places, so that no order of rows changes a digit.

    A float sum depends on which thread adds what first. Values too large for 38 digits are unknown.
    """
    fits = ibis.cases((value.abs() < 10.0 ** (36 - digits), value))
    return fits.cast(f"decimal(38, {digits})").sum().cast("float64")


def micro(value: ibis.ir.FloatingValue) -> ibis.ir.IntegerValue:
    """Returns USD as whole micro-USD, NULL where it does not fit 64 bits."""
    scaled = value * 1_000_000.0
    return ibis.cases((scaled.abs() < 9.2e18, scaled.round().cast("int64")))


def members(panel: ibis.Table, sector: str, first: date | None, last: date) -> ibis.Table:
    """Returns the panel rows of a sector between two days, both included, with the fully diluted cap `fdv`."""
    rows = panel.filter(sector_filter(panel, sector), panel.day <= last)
    if first is not None:
        rows = rows.filter(rows.day >= first)
    diluted = ibis.greatest(micro(rows.price * rows.supply_max), rows.cap)
    active = (rows.state != "inactive") & rows.cap.notnull()
    return rows.mutate(active=active, fdv=ibis.cases((active, ibis.coalesce(diluted, rows.cap))))


def daily_level(rows: ibis.Table) -> ibis.Table:
    """Returns one row per day of `members`: exact sums of caps, and counts of what is known, unknown and inactive."""
    return _sums(rows, ["day"])


def sector_days(panel: ibis.Table, first: date, last: date) -> ibis.Table:
    """Returns SECTOR_DAYS rows: the sums of `daily_level` for each sector apart."""
    return _sums(members(panel, "all", first, last), ["day", "sector"]).select(*SECTOR_DAYS.names).cast(SECTOR_DAYS)


def summed_level(days: ibis.Table, sector: str, first: date | None, last: date) -> ibis.Table:
    """Returns the rows of `daily_level` from SECTOR_DAYS rows: whole numbers, so that the way does not matter."""
    rows = days.filter(of_sector(days, sector), days.day <= last)
    rows = rows if first is None else rows.filter(rows.day >= first)
    sums = rows.group_by("day").agg(**{name: rows[name].sum() for name in SECTOR_DAYS.names[2:]})
    return sums.cast({name: SECTOR_DAYS[name] for name in SECTOR_DAYS.names[2:]})


def levels(inputs: Inputs, sector: str, first: date | None, last: date) -> ibis.Table:
    """Returns `daily_level` of a sector between two days, from what is carried where it is."""
    if inputs.sector_days is None:
        return daily_level(members(inputs.panel, sector, first, last))
    return summed_level(inputs.sector_days, sector, first, last)


def _sums(rows: ibis.Table, by: list[str]) -> ibis.Table:
    def total(value: ibis.ir.IntegerValue, where: ibis.ir.BooleanValue | None = None) -> ibis.ir.DecimalScalar:
        return value.cast(TOTAL).sum(where=where)

    known = rows.active
    return rows.group_by(by).agg(
        level=total(rows.cap, known),
        fresh=total(rows.cap, known & (rows.state == "fresh")),
        fully_diluted=total(rows.fdv, known),
        bounded=total(rows.cap, known & rows.supply_max.notnull() & rows.price.notnull()),
        own=(known & (ibis.coalesce(rows.price_age, rows.supply_age, 0) == 0)).cast("int64").sum(),
        assets=known.cast("int64").sum(),
        unknown=(rows.cap.isnull() & (rows.state != "inactive")).cast("int64").sum(),
        inactive=(rows.state == "inactive").cast("int64").sum(),
    )


def constituents(rows: ibis.Table, day: date) -> ibis.Table:
    """Returns the members of one day, largest first, ties by asset id, unknown caps last."""
    today = rows.filter(rows.day == day)
    return today.order_by(today.cap.isnull(), today.cap.desc(), today.asset_id)


def events(rows: ibis.Table) -> ibis.Table:
    """Returns one row per asset and day on which it went inactive, with its last cap before that."""
    window = ibis.window(group_by=rows.asset_id, order_by=rows.day)
    before = rows.mutate(was=rows.state.lag().over(window), last_cap=rows.cap.lag().over(window))
    gone = before.filter((before.state == "inactive") & (before.was != "inactive"))
    return gone.select("day", "asset_id", "symbol", "last_cap").order_by("day", "asset_id")


def ratio(part: Decimal | int | None, whole: Decimal | int | None) -> float | None:
    """Returns part over whole as a float, None where either is unknown or the whole is zero."""
    if part is None or not whole:
        return None
    return float(Decimal(part) / Decimal(whole))


def is_provisional(coverage: float | None) -> bool:
    """Tells whether coverage, at 9 significant digits, misses the gate."""
    return coverage is None or rounded(coverage) < GATE


def last_known(row: Row) -> int | None:
    """Returns what an inactive token was worth (micro-USD) at its last price and the supply known now, None if unknown.

    A token counts 0 a week after its last price; this is what the sum may be lacking if it lives on unseen.
    """
    if row["state"] != "inactive" or row["price"] is None or row["supply"] is None:
        return None
    worth = round(row["price"] * row["supply"] * 1_000_000)
    return worth if worth < 9.2e18 else None


def missing(today: Sequence[Row]) -> list[Row]:
    """Returns the inactive tokens whose last price is at most RECENT_DAYS old, the largest last known cap first."""
    gone = [row for row in today if last_known(row) is not None and (row["price_age"] or 0) <= RECENT_DAYS]
    return sorted(gone, key=lambda row: (-(last_known(row) or 0), str(row["asset_id"])))


def lacks_much(today: Sequence[Row]) -> bool:
    """Tells whether tokens gone silent lately were worth more than the gate allows of the sum with them."""
    lacking = sum(last_known(row) or 0 for row in missing(today))
    level = sum(row["cap"] for row in today if row["active"])
    return lacking > 0 and lacking > (1 - GATE) * (level + lacking)


def assets_of(rows: Sequence[Row]) -> list[str]:
    """Returns the distinct asset ids of rows, sorted."""
    return sorted({str(row["asset_id"]) for row in rows})


def flags_of(today: Sequence[Row], coverage: float | None) -> list[str]:
    """Returns what a reader of a sum over these rows must know."""
    live = [row for row in today if row["active"]]
    marks = {
        "no-data": not today,
        "provisional": bool(today) and is_provisional(coverage),
        "unknown-caps": any(row["cap"] is None and row["state"] != "inactive" for row in today),
        "inactive": any(row["state"] == "inactive" for row in today),
        "large-missing": lacks_much(today),
        "old-supply": any((row["supply_age"] or 0) > OLD_SUPPLY_DAYS for row in live),
        "carried": any(row["state"] in {"carried", "stale"} for row in live),
        "vendor-cap": any(row["supply_tier"] == "V" for row in live),
        "self-reported-supply": any(row["supply_tier"] == "C" for row in live),
        "total-supply": any(row["supply_tier"] == "D" for row in live),
    }
    return [name for name, holds in marks.items() if holds]


def sector_level(inputs: Inputs, query: Query) -> Result:
    """Returns the level of a sector with coverage, dilution, supply tiers, constituents and a daily series (M3)."""
    params.known(query, ())
    require_sector(inputs, query.sector)
    first = query.as_of - timedelta(days=query.days or DAYS)
    rows = members(inputs.panel, query.sector, first, query.as_of)
    today = inputs.engine.rows(constituents(rows, query.as_of))
    series = inputs.engine.rows(levels(inputs, query.sector, first, query.as_of).order_by("day"))
    gone = inputs.engine.rows(events(rows))
    sheet = Sheet("sector-level", DEFINITION, query, inputs.evidence("panel", assets_of([*today, *gone])))
    last: Row = series[-1] if series and series[-1]["day"] == query.as_of else {}
    coverage = ratio(last.get("fresh"), last.get("level"))
    flags = flags_of(today, coverage)
    _totals(sheet, last, plain(coverage), flags)
    _tiers(sheet, today)
    _change(sheet, series, first, last)
    _missing(sheet, today)
    _grids(sheet, today, series, gone)
    return sheet.result(coverage=plain(coverage), flags=flags)


def _totals(sheet: Sheet, last: Row, coverage: str | None, flags: list[str]) -> None:
    sheet.add("level", usd(last.get("level")), "usd", coverage=coverage, flags=flags)
    bounded = ratio(last.get("bounded"), last.get("level"))
    partial = ["lower-bound"] if rounded(bounded or 0.0) < 1 else []
    sheet.add("fully-diluted", usd(last.get("fully_diluted")), "usd", coverage=plain(bounded), flags=[*flags, *partial])
    dilution = ratio(last.get("fully_diluted"), last.get("level")) if bounded else None
    sheet.add("fdv-to-circulating", plain(dilution), "ratio", coverage=plain(bounded), flags=partial)
    for name, column in (("constituents", "assets"), ("unknown-caps", "unknown"), ("inactive", "inactive")):
        sheet.add(name, plain(last.get(column)), "count")


def _tiers(sheet: Sheet, today: Sequence[Row]) -> None:
    mix: dict[str, int] = {}
    for row in today:
        if row["active"]:
            tier = row["supply_tier"] or "unknown"
            mix[tier] = mix.get(tier, 0) + row["cap"]
    for tier, share in sorted(shares(mix).items()):
        sheet.add("tier-share", share, "share", dims={"tier": tier})


def _change(sheet: Sheet, series: Sequence[Row], first: date, last: Row) -> None:
    start = series[0]["level"] if series and series[0]["day"] == first else None
    grown = ratio(last.get("level"), start)
    known = [] if grown is not None else ["no-data-at-start"]
    sheet.add("change", plain(None if grown is None else grown - 1), "ratio", flags=known)


def _missing(sheet: Sheet, today: Sequence[Row]) -> None:
    """Writes which tokens count 0 because nobody has spoken of them for a week, and what they were worth last."""
    lately = missing(today)
    worth = sum(last_known(row) or 0 for row in lately)
    level = sum(row["cap"] for row in today if row["active"])
    marks = ["large-missing"] if lacks_much(today) else []
    sheet.add("missing-last-known", usd(worth) if today else None, "usd", flags=marks)
    sheet.add("missing-of-level", plain(ratio(worth, level)), "ratio", flags=marks)
    silent = [row for row in today if row["state"] == "inactive"]
    silent.sort(key=lambda row: (row not in lately, -(last_known(row) or 0), str(row["asset_id"])))
    sheet.grid(
        "missing",
        ("asset_id", "symbol", "last_price_day", "price_age", "last_price", "last_known_cap", "of_level"),
        ("", "", "date", "days", "usd", "usd", "ratio"),
        [
            (row["asset_id"], row["symbol"], _day_before(row), plain(row["price_age"]), shortest(row["price"]),
             usd(last_known(row)), plain(ratio(last_known(row), level)))
            for row in silent
        ],
    )  # fmt: skip


def _day_before(row: Row) -> str | None:
    age = row["price_age"]
    return None if age is None else (row["day"] - timedelta(days=age)).isoformat()


def _grids(sheet: Sheet, today: Sequence[Row], series: Sequence[Row], gone: Sequence[Row]) -> None:
    part = shares({row["asset_id"]: row["cap"] for row in today if row["active"]})
    sheet.grid(
        "constituents",
        ("asset_id", "symbol", "cap", "share", "price", "supply", "supply_tier", "fully_diluted", "state", "price_age",
         "supply_age"),
        ("", "", "usd", "share", "usd", "units", "", "usd", "", "days", "days"),
        [
            (row["asset_id"], row["symbol"], usd(row["cap"]), part.get(row["asset_id"]), shortest(row["price"]),
             shortest(row["supply"]), row["supply_tier"], usd(row["fdv"]), row["state"], plain(row["price_age"]),
             plain(row["supply_age"]))
            for row in today
        ],
    )  # fmt: skip
    sheet.grid(
        "daily",
        ("day", "level", "coverage", "fully_diluted", "constituents", "unknown_caps", "provisional"),
        ("date", "usd", "ratio", "usd", "count", "count", ""),
        [_day(row) for row in series],
    )
    sheet.grid(
        "events",
        ("day", "asset_id", "symbol", "event", "last_cap"),
        ("date", "", "", "", "usd"),
        [(row["day"].isoformat(), row["asset_id"], row["symbol"], "inactive", usd(row["last_cap"])) for row in gone],
    )


def _day(row: Row) -> tuple[str | None, ...]:
    coverage = ratio(row["fresh"], row["level"])
    return (row["day"].isoformat(), usd(row["level"]), plain(coverage), usd(row["fully_diluted"]),
            plain(row["assets"]), plain(row["unknown"]), "yes" if is_provisional(coverage) else "no")  # fmt: skip
