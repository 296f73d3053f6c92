"""Drawdown (M7): how far the level, the index and each token are below their highest close, and what regains it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

import ibis

from mercato.market.metrics import params
from mercato.market.metrics.base import Inputs, Sheet, require_sector
from mercato.market.metrics.index import VARIANTS, coverage_of, linked, price_links, tracks
from mercato.market.metrics.level import Row, assets_of, flags_of, levels, members
from mercato.market.metrics.numbers import plain, shortest, usd
from mercato.market.model import Query, Result
from mercato.market.schema import HIGHS

DEFINITION = "M7.1"
FORMULA = (
    "DD_d = x_d / max(x up to d) - 1 on daily closes, for the level (sum of caps) and the index apart. The date of the "
    "high is the first day that reached it. Gain to the high = 1 / (1 + DD) - 1. Intraday highs are known by token "
    "only: tokens do not peak at one moment, so a sector has none."
)

#: Later than any day of a history.
FAR = date(9999, 1, 1)

Series = Mapping[date, float | None]


def required_gain(drawdown: float | None) -> float | None:
    """Returns 1/(1+DD) - 1, None where the drawdown is unknown or total."""
    return None if drawdown is None or drawdown <= -1 else 1 / (1 + drawdown) - 1


def highs(rows: ibis.Table, before: ibis.Table | None = None) -> ibis.Table:
    """Returns HIGHS rows: for each asset its highest close and intraday price up to the last row, first day of each.

    `before` are the highs up to the day before the first row.
    """
    own = own_closes(rows)
    closes = own.select("asset_id", close=_at(own.price, own.day), peak=_at(_peak(own), own.day))
    if before is not None:
        older = before.select(
            "asset_id", close=_at(before.ath, before.ath_day), peak=_at(before.intraday, before.intraday_day)
        )
        closes = closes.union(older)
    found = closes.group_by("asset_id").agg(close=closes.close.max(), peak=closes.peak.max())
    columns = {"ath": found.close.price, "intraday": found.peak.price}
    days = {"ath_day": _day(found.close), "intraday_day": _day(found.peak)}
    return found.select("asset_id", **columns, **days)


def _peak(rows: ibis.Table) -> ibis.ir.FloatingValue:
    return ibis.greatest(rows.price_high, rows.price)


def _at(price: ibis.ir.FloatingValue, day: ibis.ir.DateValue) -> ibis.ir.StructValue:
    """Returns a price with its day such that the greatest is the highest price, on the first day that reached it."""
    return ibis.struct({"price": price, "until": ibis.literal(FAR).delta(day, unit="day").cast("int32")})


def _day(at: ibis.ir.StructValue) -> ibis.ir.DateValue:
    return (ibis.literal(FAR) - at.until.as_interval("D")).cast("date")


def highs_after(
    panel: ibis.Table, first: ibis.ir.DateValue, last: ibis.ir.DateValue, before: ibis.Table | None = None
) -> ibis.Table:
    """Returns the HIGHS of every token at the end of `last`, from the days since `first` and the highs before them."""
    return highs(members(panel, "all", first, last), before).cast(HIGHS)


def known_highs(inputs: Inputs, rows: ibis.Table) -> ibis.Table:
    """Returns the `highs` of rows that end on the as-of day, from what is carried where it is."""
    return highs(rows) if inputs.highs is None else inputs.highs


def own_closes(rows: ibis.Table) -> ibis.Table:
    """Returns the rows on whose own day there was a price."""
    return rows.filter(rows.price.notnull(), rows.price_age == 0)


def tops(rows: ibis.Table, column: str = "price", name: str = "ath") -> ibis.Table:
    """Returns for each asset the highest value of a column, under a new name."""
    return rows.group_by("asset_id").agg(**{name: rows[column].max()})


def fallen(rows: ibis.Table, day: date, highest: ibis.Table) -> ibis.Table:
    """Returns the tokens that still trade on a day with their drawdown from `highs`, deepest first, ties by id."""
    today = rows.filter(rows.day == day, rows.state != "inactive", rows.price.notnull())
    both = today.join(highest, "asset_id")
    found = both.select(
        "asset_id", "symbol", "state", "price", "ath", "ath_day", "intraday", "intraday_day",
        drawdown=both.price / both.ath.nullif(0.0) - 1.0,
        from_intraday=both.price / both.intraday.nullif(0.0) - 1.0,
    )  # fmt: skip
    return found.order_by(found.drawdown.isnull(), found.drawdown.round(9), found.asset_id)


def peak(series: Series) -> tuple[date | None, float | None]:
    """Returns the first day of the highest known value, and that value."""
    known = [(day, value) for day, value in sorted(series.items()) if value is not None]
    return max(known, key=lambda item: item[1], default=(None, None))


def drawdown(inputs: Inputs, query: Query) -> Result:
    """Returns the drawdown of the level, of the index and of every token (M7)."""
    params.known(query, ())
    require_sector(inputs, query.sector)
    rows = members(inputs.panel, query.sector, None, query.as_of)
    today = inputs.engine.rows(rows.filter(rows.day == query.as_of).order_by("asset_id"))
    tokens = inputs.engine.rows(fallen(rows, query.as_of, known_highs(inputs, rows)))
    known = _rows(inputs, levels(inputs, query.sector, None, query.as_of))
    caps: dict[date, int] = {row["day"]: int(row["level"]) for row in known if row["level"] is not None}
    sheet = Sheet(
        "drawdown", DEFINITION, query, inputs.evidence("panel", assets_of(_rows(inputs, rows.select("asset_id"))))
    )
    coverage = coverage_of(today)
    flags = flags_of(today, coverage)
    _level(sheet, caps, plain(coverage), flags)
    indices = _indices(inputs, query, rows)
    for name in (*VARIANTS, "all-members"):
        _index(sheet, name, indices.get(name, {}), plain(coverage), flags)
    _series(sheet, caps, indices)
    _tokens(sheet, tokens)
    return sheet.result(coverage=plain(coverage), flags=flags)


def _rows(inputs: Inputs, expression: ibis.Table) -> Sequence[Row]:
    return inputs.engine.rows(expression)


def _indices(inputs: Inputs, query: Query, rows: ibis.Table) -> dict[str, Series]:
    found = tracks(inputs, query)
    series: dict[str, Series] = {name: item.daily for name, item in found.items()}
    if found:
        base = min(found["capped"].daily)
        series["all-members"] = linked(_rows(inputs, price_links(rows, base, query.as_of)), base)
    return series


def _level(sheet: Sheet, levels: Mapping[date, int], coverage: str | None, flags: Sequence[str]) -> None:
    dims = {"of": "level"}
    day = max(levels, key=lambda day: (levels[day], -day.toordinal()), default=None)
    top, now = (None if day is None else levels[day]), levels.get(sheet.query.as_of)
    depth = float(Decimal(now) / Decimal(top)) - 1 if now is not None and top else None
    _write(sheet, dims, depth, day, coverage, flags)
    sheet.add("high", usd(top), "usd", dims=dims, coverage=coverage, flags=flags)
    sheet.add("intraday-high", None, "usd", dims=dims, flags=["not-simultaneous"])


def _index(sheet: Sheet, variant: str, series: Series, coverage: str | None, flags: Sequence[str]) -> None:
    dims = {"of": f"index-{variant}"}
    day, top = peak(series)
    now = series.get(sheet.query.as_of)
    depth = now / top - 1 if now is not None and top else None
    _write(sheet, dims, depth, day, coverage, flags)
    sheet.add("high", plain(top), "points", dims=dims, coverage=coverage, flags=flags)


def _write(
    sheet: Sheet,
    dims: Mapping[str, str],
    depth: float | None,
    day: date | None,
    coverage: str | None,
    flags: Sequence[str],
) -> None:
    sheet.add("drawdown", plain(depth), "ratio", dims=dims, coverage=coverage, flags=flags)
    sheet.add("required-gain", plain(required_gain(depth)), "ratio", dims=dims, coverage=coverage, flags=flags)
    sheet.add("high-day", day.isoformat() if day else None, "date", dims=dims, coverage=coverage, flags=flags)


def _series(sheet: Sheet, levels: Mapping[date, int], indices: Mapping[str, Series]) -> None:
    columns: list[Series] = [
        {day: float(value) for day, value in levels.items()},
        *(indices.get(name, {}) for name in (*VARIANTS, "all-members")),
    ]
    deep = [_depths(column) for column in columns]
    table = [
        (day.isoformat(), *(plain(column.get(day)) for column in deep))
        for day in sorted({day for column in deep for day in column})
    ]
    names = ("level", *(f"index-{name}" for name in (*VARIANTS, "all-members")))
    sheet.grid("daily", ("day", *names), ("date", *["ratio"] * len(names)), table)


def _depths(series: Series) -> dict[date, float]:
    top, found = 0.0, {}
    for day, value in sorted(series.items()):
        if value is not None:
            top = max(top, value)
            found[day] = value / top - 1 if top else 0.0
    return found


def _tokens(sheet: Sheet, tokens: Sequence[Row]) -> None:
    sheet.grid(
        "tokens",
        ("asset_id", "symbol", "price", "high_close", "high_close_day", "drawdown", "required_gain",
         "high_intraday", "high_intraday_day", "drawdown_intraday", "state"),
        ("", "", "usd", "usd", "date", "ratio", "ratio", "usd", "date", "ratio", ""),
        [
            (row["asset_id"], row["symbol"], shortest(row["price"]), shortest(row["ath"]), row["ath_day"].isoformat(),
             plain(row["drawdown"]), plain(required_gain(row["drawdown"])), shortest(row["intraday"]),
             row["intraday_day"].isoformat(), plain(row["from_intraday"]), row["state"])
            for row in tokens
        ],
    )  # fmt: skip
