"""How often a token multiplied, counted at the time: month starts, leavers included, by start year and cap (M14)."""

from __future__ import annotations

from datetime import date

import ibis

HORIZON = 12  # months
LATEST_DAY = 7  # a month's point is its first known day, which must be among the first seven
#: Cap bands in USD: name and lower bound; each ends where the next begins.
BANDS = (("<30M", 0.0), ("30M-100M", 3e7), ("100M-300M", 1e8), ("300M-1B", 3e8), ("1B-10B", 1e9), (">=10B", 1e10))
STABLE_SECTORS = ("stablecoin", "stablecoins", "stable")


def eligible(assets: ibis.Table) -> ibis.Table:
    """Returns the ids of tokens that can multiply: not stablecoins, and not another token wrapped."""
    sector = assets.sector.fill_null("").lower()
    rows = assets.filter((assets.kind == "token") & (assets.wraps.fill_null("") == "") & ~sector.isin(STABLE_SECTORS))
    return rows.select("asset_id").distinct()


def points(curated: ibis.Table, assets: ibis.Table, last: date) -> ibis.Table:
    """Returns asset_id, month (a running number), year, price and cap in USD at each month start up to `last`.

    The cap is the vendor's, else price times circulating supply of that day.
    """
    rows = curated.filter(
        curated.field.isin(("price_usd", "market_cap_usd", "supply_circulating")),
        curated.day <= ibis.literal(last),
        curated.day.day() <= LATEST_DAY,
        curated.value > 0,
    )
    rows = rows.semi_join(eligible(assets), "asset_id")

    def of(name: str) -> ibis.ir.FloatingColumn:
        return rows.value.max(where=rows.field == name)

    days = rows.group_by("asset_id", "day").aggregate(
        price=of("price_usd"), vendor=of("market_cap_usd"), supply=of("supply_circulating")
    )
    days = days.mutate(cap=ibis.coalesce(days.vendor, days.price * days.supply))
    days = days.filter(days.price.notnull(), days.cap.notnull())
    days = days.mutate(month=(days.day.year() * 12 + days.day.month()).cast("int64"), year=days.day.year())
    first = ibis.row_number().over(ibis.window(group_by=["asset_id", "month"], order_by=days.day))
    ranked = days.mutate(place=first)
    return ranked.filter(ranked.place == 0).select("asset_id", "month", "year", "price", "cap")


def outcomes(found: ibis.Table) -> ibis.Table:
    """Returns each start whose 12 months have passed: year, band, touch (best multiple, 0 if never seen again) and
    end (multiple after 12 months, NULL where the token had left)."""
    later = found.select(asset_id="asset_id", then="month", later="price")
    horizon = found.aggregate(last_month=found.month.max())
    starts = found.cross_join(horizon)
    starts = starts.filter(starts.month + HORIZON <= starts.last_month).drop("last_month")
    pairs = starts.left_join(
        later,
        [starts.asset_id == later.asset_id, later.then > starts.month, later.then <= starts.month + HORIZON],
    )
    ends = pairs.group_by("asset_id", "month", "year", "price", "cap").aggregate(
        best=pairs.later.max(), last=pairs.later.max(where=pairs.then == pairs.month + HORIZON)
    )
    return ends.select(
        "asset_id",
        "month",
        "year",
        band=band_of(ends.cap),
        touch=(ends.best / ends.price).fill_null(0.0).round(9),
        end=(ends.last / ends.price).round(9),
    )


def band_of(cap: ibis.ir.FloatingValue) -> ibis.ir.StringValue:
    """Returns the name of the cap band."""
    return ibis.cases(*((cap >= low, name) for name, low in reversed(BANDS)), else_=BANDS[0][0])


def band_name(cap_usd: float) -> str:
    """Returns the name of the band of one cap."""
    return next(name for name, low in reversed(BANDS) if cap_usd >= low)


def rates(found: ibis.Table, multiple: float) -> ibis.Table:
    """Returns per year and band: starts, hits of 10, 100 and `multiple`, leavers, and how many fell below half."""

    def count(where: ibis.ir.BooleanColumn) -> ibis.ir.IntegerScalar:
        return where.fill_null(False).cast("int64").sum().cast("int64")

    return found.group_by("year", "band").aggregate(
        starts=found.count(),
        tokens=found.asset_id.nunique(),
        hits=count(found.touch >= multiple),
        hits_10=count(found.touch >= 10.0),
        hits_100=count(found.touch >= 100.0),
        left=count(found.end.isnull()),
        below_half=count(found.end.fill_null(0.0) < 0.5),
        survivor_hits=count((found.touch >= multiple) & found.end.notnull()),
    )


def ends(found: ibis.Table) -> ibis.Table:
    """Returns the multiples after 12 months, of survivors (`end`) and with leavers at 0 (`counted`)."""
    return found.select("asset_id", "month", "end", counted=found.end.fill_null(0.0))
