"""Rebounds (M12): which tokens rose over exact calendar days, by size a week before, and how far their highs are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from math import isfinite
from statistics import median

import ibis

from mercato.core.errors import InvalidInput
from mercato.market.metrics import params
from mercato.market.metrics.base import Inputs, Sheet, require_sector
from mercato.market.metrics.drawdown import known_highs, required_gain
from mercato.market.metrics.index import coverage_of
from mercato.market.metrics.level import Row, assets_of, flags_of, members
from mercato.market.metrics.numbers import plain, rounded, shortest, usd
from mercato.market.model import Query, Result

DEFINITION = "M12.1"
FORMULA = (
    "r = p_d / p_{d-n} - 1 on exact calendar days, n = 7, prices at most 1 day old at both ends. Bands by cap at d-n: "
    "micro below $10M, small below $100M, mid below $1B, large. In: liquidity of 1 % of cap or $250k, volume of $100k, "
    "14 days of prices, not delisted; what is unknown passes and is flagged. Rebounded: r >= 10 %. Gain to the high = "
    "1 / (1 + DD) - 1 from the highest close. Ranked by r at 9 significant digits, ties by asset id."
)
DAYS = 7
THRESHOLD = 0.10
MIN_AGE_DAYS = 14
MIN_LIQUIDITY_USD = 250_000.0
MIN_LIQUIDITY_OF_CAP = 0.01
MIN_VOLUME_USD = 100_000.0
LIQUIDITY_AGE_DAYS = 7
BANDS = ("micro", "small", "mid", "large")
BOUNDS = (10**13, 10**14, 10**15)  # micro-USD


def liquidity(curated: ibis.Table, last: date) -> ibis.Table:
    """Returns the latest liquidity (USD) of each asset that is at most a week old."""
    rows = curated.filter(
        curated.field == "liquidity_usd",
        curated.value.notnull(),
        curated.day <= last,
        curated.day >= last - timedelta(days=LIQUIDITY_AGE_DAYS),
    )
    # One row per asset and day, so the latest day is unique and no argmax can tie.
    latest = rows.group_by("asset_id").agg(day=rows.day.max())
    return rows.join(latest, ["asset_id", "day"]).select("asset_id", liquidity="value")


def gains(rows: ibis.Table, first: date, last: date) -> ibis.Table:
    """Returns the tokens priced at both ends: return over the days between, cap and band at `first`."""
    ends = rows.filter(rows.price.notnull(), rows.price_age <= 1, rows.state != "inactive")
    then = ends.filter(ends.day == first).select("asset_id", price_before="price", cap_before="cap")
    both = ends.filter(ends.day == last).join(then, "asset_id")
    band = ibis.cases(
        (both.cap_before.isnull(), "unknown"),
        *((both.cap_before < bound, name) for name, bound in zip(BANDS, BOUNDS, strict=False)),
        else_=BANDS[-1],
    )
    return both.select(
        "asset_id", "symbol", "price", "price_before", "cap", "cap_before", "volume", "listed_days",
        band=band,
        change=both.price / both.price_before.nullif(0.0) - 1.0,
    )  # fmt: skip


def returns(rows: ibis.Table, first: date, last: date, highest: ibis.Table) -> ibis.Table:
    """Returns `gains` with the highest close of each token, its first day, and the drawdown from it."""
    return below(gains(rows, first, last), highest.select("asset_id", "ath", "ath_day"))


def below(found: ibis.Table, highest: ibis.Table) -> ibis.Table:
    """Returns prices with the columns of `highest` and the drawdown from its `ath`."""
    both = found.join(highest, "asset_id")
    return both.mutate(drawdown=both.price / both.ath.nullif(0.0) - 1.0)


def with_liquidity(tokens: ibis.Table, pools: ibis.Table) -> ibis.Table:
    """Returns `returns` with the `liquidity` of each token, NULL where none is known."""
    return tokens.left_join(pools, "asset_id").select(*tokens.columns, "liquidity")


def refusals(row: Row) -> list[str]:
    """Returns why a token is left out of the ranking, nothing where it is in."""
    enough = (
        MIN_LIQUIDITY_USD if row["cap"] is None else min(MIN_LIQUIDITY_USD, MIN_LIQUIDITY_OF_CAP * row["cap"] / 1e6)
    )
    holds = {
        "young": row["listed_days"] < MIN_AGE_DAYS,
        "illiquid": row["liquidity"] is not None and row["liquidity"] < enough,
        "low-volume": row["volume"] is not None and row["volume"] < MIN_VOLUME_USD,
        "no-return": row["change"] is None,
    }
    return [name for name, is_out in holds.items() if is_out]


def ranked(rows: Sequence[Row]) -> list[Row]:
    """Returns the rows by return, highest first, ties (at 9 significant digits) by asset id."""
    return sorted(rows, key=lambda row: (-rounded(row["change"]), row["asset_id"]))


def threshold(given: Mapping[str, str]) -> float:
    """Returns the return from which a token has rebounded: parameter `threshold`, 0.1 unless given."""
    text = given.get("threshold", str(THRESHOLD))
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise InvalidInput(f"threshold was {text!r}", hint="expected a ratio such as 0.1")
    return value


def rebounds(inputs: Inputs, query: Query) -> Result:
    """Returns the ranking of rising tokens by cap band, and the share of the universe that rose (M12)."""
    params.known(query, ("threshold",))
    require_sector(inputs, query.sector)
    bar = threshold(query.params)
    first = query.as_of - timedelta(days=query.days or DAYS)
    rows = members(inputs.panel, query.sector, None, query.as_of)
    today = inputs.engine.rows(rows.filter(rows.day == query.as_of).order_by("asset_id"))
    tokens = returns(rows, first, query.as_of, known_highs(inputs, rows))
    tokens = with_liquidity(tokens, liquidity(inputs.curated, query.as_of))
    found: list[Row] = list(inputs.engine.rows(tokens.order_by("asset_id")))
    sheet = Sheet("rebounds", DEFINITION, query, inputs.evidence("panel", assets_of(today)))
    coverage = coverage_of(today)
    kept = ranked([row for row in found if not refusals(row)])
    unseen = {"liquidity-unknown": "liquidity", "volume-unknown": "volume"}
    marks = [name for name, column in unseen.items() if any(row[column] is None for row in kept)]
    flags = [*flags_of(today, coverage), *marks]
    for band in ("all", *BANDS, "unknown"):
        _breadth(sheet, band, [row for row in kept if band in {"all", row["band"]}], bar, plain(coverage), flags)
    _ranking(sheet, kept, bar)
    priced = {row["asset_id"] for row in found}
    left_out = [(row, refusals(row)) for row in found if refusals(row)]
    left_out += [(row, ["no-price-at-both-ends"]) for row in today if row["asset_id"] not in priced]
    lines = sorted((row["asset_id"], row["symbol"], ",".join(why)) for row, why in left_out)
    sheet.grid("left-out", ("asset_id", "symbol", "reasons"), ("", "", ""), lines)
    return sheet.result(coverage=plain(coverage), flags=flags)


def _breadth(
    sheet: Sheet, band: str, rows: Sequence[Row], bar: float, coverage: str | None, flags: Sequence[str]
) -> None:
    changes = [rounded(row["change"]) for row in rows]
    values = {
        "risen-share": sum(change > 0 for change in changes) / len(rows) if rows else None,
        "rebounded-share": sum(change >= bar for change in changes) / len(rows) if rows else None,
        "median-return": median(changes) if rows else None,
    }
    for name, value in values.items():
        unit = "ratio" if name == "median-return" else "share"
        sheet.add(name, plain(value), unit, dims={"band": band}, coverage=coverage, flags=flags)
    sheet.add("tokens", plain(len(rows)), "count", dims={"band": band})


def _ranking(sheet: Sheet, kept: Sequence[Row], bar: float) -> None:
    bands = {band: [row for row in kept if row["band"] == band] for band in (*BANDS, "unknown")}
    places = {row["asset_id"]: place for rows in bands.values() for place, row in enumerate(rows, 1)}
    sheet.grid(
        "ranking",
        ("rank", "band", "rank_in_band", "asset_id", "symbol", "return", "rebounded", "price", "price_before",
         "cap_before", "high_close", "high_close_day", "drawdown", "required_gain", "liquidity", "volume", "unknown"),
        ("", "", "", "", "", "ratio", "", "usd", "usd", "usd", "usd", "date", "ratio", "ratio", "usd", "usd", ""),
        [
            (str(place), row["band"], str(places[row["asset_id"]]), row["asset_id"], row["symbol"],
             plain(row["change"]), "yes" if rounded(row["change"]) >= bar else "no", shortest(row["price"]),
             shortest(row["price_before"]), usd(row["cap_before"]), shortest(row["ath"]),
             row["ath_day"].isoformat(),
             plain(row["drawdown"]), plain(required_gain(row["drawdown"])), plain(row["liquidity"]),
             plain(row["volume"]), ",".join(name for name in ("liquidity", "volume") if row[name] is None))
            for place, row in enumerate(kept, 1)
        ],
    )  # fmt: skip
