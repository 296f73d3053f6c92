"""One asset on one day: price, supply and cap with how each is known, its change and its distance to the peak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from mercato.core.errors import InvalidInput
from mercato.market.metrics import params
from mercato.market.metrics.base import Inputs, Sheet
from mercato.market.metrics.numbers import plain, rounded, usd
from mercato.market.model import Query, Result

DEFINITION = "M1.1"
FORMULA = (
    "cap = price x best circulating supply; change = p_d / p_{d-n} - 1 on exact calendar dates; drawdown = p_d / "
    "highest daily close so far - 1; gain-to-peak = 1 / (1 + drawdown) - 1."
)
DAYS = 180
WEEK = 7

Row = Mapping[str, Any]


def token(inputs: Inputs, query: Query) -> Result:
    """Returns the figures of the asset named by the parameter `asset`, and its daily series.

    Raises InvalidInput where the parameter is absent or names no known asset.
    """
    params.known(query, ("asset",))
    asset = query.params.get("asset", "")
    known = inputs.engine.rows(inputs.assets.filter(inputs.assets.asset_id == asset))
    if not known:
        raise InvalidInput(f"asset was {asset!r}, which is not known", hint="see `mercato market assets`")
    panel = inputs.panel
    rows = panel.filter(panel.asset_id == asset, panel.day <= query.as_of)
    columns = ("day", "price", "price_age", "supply", "supply_tier", "supply_max", "volume", "cap", "state")
    history = inputs.engine.rows(rows.select(*columns).order_by("day"))
    sheet = Sheet("token", DEFINITION, query, inputs.evidence("panel", [asset]))
    today: Row = history[-1] if history and history[-1]["day"] == query.as_of else {}
    flags = [str(today["state"])] if today and today["state"] != "fresh" else [] if today else ["no-data"]
    _today(sheet, asset, today, flags)
    _past(sheet, asset, history, today, flags)
    _series(sheet, query, history)
    return sheet.result(flags=flags)


def _today(sheet: Sheet, asset: str, today: Row, flags: Sequence[str]) -> None:
    dims = {"asset": asset}
    sheet.add("price", plain(today.get("price")), "usd", dims=dims, flags=flags)
    sheet.add("cap", usd(today.get("cap")), "usd", dims=dims, flags=flags)
    sheet.add("supply", plain(today.get("supply"), 17), "units", dims=dims, flags=flags)
    sheet.add("supply-tier", today.get("supply_tier"), "text", dims=dims)
    sheet.add("supply-max", plain(today.get("supply_max"), 17), "units", dims=dims)
    sheet.add("volume", plain(today.get("volume")), "usd", dims=dims)
    sheet.add("price-age", plain(today.get("price_age")), "days", dims=dims)


def _past(sheet: Sheet, asset: str, history: Sequence[Row], today: Row, flags: Sequence[str]) -> None:
    dims, closes = {"asset": asset}, {row["day"]: row["price"] for row in history if row["price"] is not None}
    now = today.get("price")
    before = closes.get(sheet.query.as_of - timedelta(days=WEEK))
    week = rounded(now / before - 1) if now is not None and before else None
    sheet.add("change-week", plain(week), "ratio", dims=dims, flags=[*flags, *([] if before else ["no-data-at-start"])])
    peak = max(closes.values(), default=None)
    below = rounded(now / peak - 1) if now is not None and peak else None
    sheet.add("peak", plain(peak), "usd", dims=dims)
    sheet.add("drawdown", plain(below), "ratio", dims=dims, flags=flags)
    gain = rounded(1 / (1 + below) - 1) if below is not None and below > -1 else None
    sheet.add("gain-to-peak", plain(gain), "ratio", dims=dims, flags=flags)


def _series(sheet: Sheet, query: Query, history: Sequence[Row]) -> None:
    first = query.as_of - timedelta(days=query.days or DAYS)
    peak, rows = 0.0, []
    for row in history:
        price = row["price"]
        peak = max(peak, price or 0.0)
        below = plain(rounded(price / peak - 1)) if price is not None and peak else None
        if row["day"] >= first:
            rows.append((row["day"].isoformat(), plain(price), usd(row["cap"]), below, plain(row["volume"]),
                         row["supply_tier"], row["state"]))  # fmt: skip
    columns = ("day", "price", "cap", "drawdown", "volume", "supply_tier", "state")
    sheet.grid("daily", columns, ("date", "usd", "usd", "ratio", "usd", "", ""), rows)
