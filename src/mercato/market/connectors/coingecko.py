"""CoinGecko: markets, categories, the whole market, and price history.

Shapes: the public API v3 documents of CoinGecko, and answers recorded in 2021 (coingecko_ruby's test suite). Demo plan:
30 calls a minute, 10,000 a month. Keys go into `x-cg-demo-api-key` or `x-cg-pro-api-key`.

A point stamped exactly at midnight is the close of the day before: in the recorded answers the daily point at 00:00 of
a day equals, to six digits, the first hourly point after that midnight, and not the last one of that day. It is
therefore stored one millisecond earlier, in the day that it closes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from mercato.core.settings import Secret
from mercato.market.connectors.connector import Connector, Context, Request, chunks, pack_assets
from mercato.market.connectors.http import Limits
from mercato.market.connectors.rows import (
    Malformed,
    Rows,
    asset_map,
    entries,
    epoch,
    iso,
    known_zero,
    mapping,
    observations,
    read_json,
    require,
    sequence,
)
from mercato.market.connectors.settings import SourceSettings
from mercato.market.model import RawDocument

PAGE = 250
LICENCE = "CoinGecko API terms: attribution, no redistribution of raw data"
#: Days of history that a plan may ask for; hourly points end after 90 days on every plan.
LONGEST_DAILY = {"public": 365, "demo": 365, "pro": 5000}
LONGEST_HOURLY = 90
MIDNIGHT_SHIFT = timedelta(milliseconds=1)
#: Keys of a market entry, the fields they become, and whether 0 means "not verified".
MARKET_FIELDS = (
    ("current_price", "price_usd", False),
    ("market_cap", "market_cap_usd", True),
    ("total_volume", "volume_usd_24h", False),
    ("circulating_supply", "supply_circulating", True),
    ("total_supply", "supply_total", True),
    ("max_supply", "supply_max", True),
)
CHART_FIELDS = (
    ("prices", "price_usd", False),
    ("market_caps", "market_cap_usd", True),
    ("total_volumes", "volume_usd_24h", False),
)


@observations("coingecko.markets/1")
def markets(raw: RawDocument, rows: Rows) -> None:
    """Reads /coins/markets in USD. Coins that were not asked for are skipped."""
    currency, assets = raw.options.get("vs_currency", "usd"), asset_map(raw)
    if currency != "usd":
        raise Malformed(f"wrong currency: was {currency!r}, expected 'usd'")
    for row, entry in entries(sequence(read_json(raw), "the list of coins"), "a coin", rows):
        _market(entry, row, assets, rows)


def _market(entry: Mapping[str, object], row: int, assets: Mapping[str, str], rows: Rows) -> None:
    try:
        asset = assets.get(str(require(entry, "id", "a coin", row)))
        if asset is None:
            rows.skip()
            return
        stamp = require(entry, "last_updated", "a coin", row)
        if stamp is None:  # listed, never traded
            rows.skip()
            return
        at = iso(stamp, row)
        for key, field, zero_unknown in MARKET_FIELDS:
            value = require(entry, key, "a coin", row) if key == "current_price" else entry.get(key)
            rows.add(asset, field, at, known_zero(value) if zero_unknown else value, row)
    except Malformed as error:
        rows.reject(row, str(error), str(dict(entry)))


@observations("coingecko.categories/1")
def categories(raw: RawDocument, rows: Rows) -> None:
    """Reads /coins/categories: the vendor's own cap and volume of the categories that are reference assets here."""
    assets = asset_map(raw)
    for row, entry in entries(sequence(read_json(raw), "the list of categories"), "a category", rows):
        asset = assets.get(str(entry.get("id")))
        if asset is None or entry.get("updated_at") is None:
            rows.skip()
            continue
        try:
            at = iso(entry["updated_at"], row)
            rows.add(asset, "market_cap_usd", at, known_zero(require(entry, "market_cap", "a category", row)), row)
            rows.add(asset, "volume_usd_24h", at, entry.get("volume_24h"), row)
        except Malformed as error:
            rows.reject(row, str(error), str(dict(entry)))


@observations("coingecko.global/1")
def whole_market(raw: RawDocument, rows: Rows) -> None:
    """Reads /global: total cap and volume of crypto, in USD."""
    data = mapping(require(mapping(read_json(raw), "the answer"), "data", "the answer"), "data")
    at = epoch(require(data, "updated_at", "data"))
    for asset in asset_map(raw).values():
        for key, field in (("total_market_cap", "market_cap_usd"), ("total_volume", "volume_usd_24h")):
            totals = mapping(require(data, key, "data"), key)
            rows.add(asset, field, at, require(totals, "usd", key), 1)


@observations("coingecko.chart/1")
def chart(raw: RawDocument, rows: Rows) -> None:
    """Reads /coins/{id}/market_chart, daily or hourly. An exact midnight belongs to the day before (see above)."""
    answer, (asset,) = mapping(read_json(raw), "the answer"), asset_map(raw).values()
    for key, field, zero_unknown in CHART_FIELDS:
        for row, point in enumerate(sequence(require(answer, key, "the answer"), key), 1):
            try:
                stamp, value = sequence(point, "a point", row)
                at = epoch(stamp, row, milliseconds=True)
            except (Malformed, ValueError) as error:
                rows.reject(row, f"{error}: {key}", repr(point))
                continue
            rows.add(asset, field, closing(at), known_zero(value) if zero_unknown else value, row)


def closing(at: datetime) -> datetime:
    """Returns the time of a point, moved just before midnight where it is stamped exactly at midnight."""
    return at - MIDNIGHT_SHIFT if at.time() == time(0) else at


def plan_markets(context: Context) -> Sequence[Request]:
    """Returns the hourly snapshot: every coin of the universe by id, the whole market, the categories."""
    base, ids = context.settings.coingecko_url, context.ids("coingecko")
    requests = [
        Request(
            f"{base}/coins/markets",
            "coingecko.markets/1",
            params={"vs_currency": "usd", "ids": ",".join(page), "per_page": str(PAGE), "page": "1"},
            options=pack_assets({vendor: ids[vendor] for vendor in page}) | {"vs_currency": "usd"},
        )
        for page in chunks(list(ids), PAGE)
    ]
    if total := context.ids("coingecko_global"):
        requests.append(Request(f"{base}/global", "coingecko.global/1", options=pack_assets(total)))
    if groups := context.ids("coingecko_category"):
        requests.append(Request(f"{base}/coins/categories", "coingecko.categories/1", options=pack_assets(groups)))
    return requests


def plan_daily(context: Context) -> Sequence[Request]:
    """Returns one daily chart per coin, from the day last read (or `since`) to today."""
    return [_chart(context, vendor, asset, "daily") for vendor, asset in context.ids("coingecko").items()]


def plan_hourly(context: Context) -> Sequence[Request]:
    """Returns one hourly chart per coin, at most as long as the vendor's hourly data goes back."""
    return [_chart(context, vendor, asset, "hourly") for vendor, asset in context.ids("coingecko").items()]


def _chart(context: Context, vendor: str, asset: str, step: str) -> Request:
    name = f"{step}:{vendor}"
    today = context.now.astimezone(UTC).date()
    first = context.since or today - timedelta(days=365 if step == "daily" else 90)
    if context.since is None and (mark := context.marks.get(name)):
        first = datetime.fromisoformat(mark).date() - timedelta(days=2)  # late corrections of the last points
    most = LONGEST_HOURLY if step == "hourly" else LONGEST_DAILY[context.settings.coingecko_plan]
    days = min(max(2, (today - first).days + 1), most)
    params = {"vs_currency": "usd", "days": str(days)}
    return Request(
        f"{context.settings.coingecko_url}/coins/{vendor}/market_chart",
        "coingecko.chart/1",
        params=params | ({"interval": "daily"} if step == "daily" else {}),
        options=pack_assets({vendor: asset}),
        marks={name: today.isoformat()},
    )


def limits(settings: SourceSettings) -> Limits:
    """Returns what the plan allows; all CoinGecko connectors share one account."""
    return Limits(per_minute=settings.coingecko_per_minute, burst=5, monthly_calls=settings.coingecko_monthly_calls)


def secrets(settings: SourceSettings) -> Mapping[str, Secret]:
    """Returns the key header of the plan in use."""
    if settings.coingecko_plan == "public":
        return {}
    return {f"x-cg-{settings.coingecko_plan}-api-key": settings.coingecko_key}


def missing(settings: SourceSettings) -> str:
    """Returns what must be set before this source can be asked, empty where nothing is missing."""
    keyless = settings.coingecko_plan != "public" and not settings.coingecko_key
    return "sources.coingecko_key is empty, but the plan needs one" if keyless else ""


Plan = Callable[[Context], Sequence[Request]]


def _connector(name: str, title: str, every: timedelta, plan: Plan) -> Connector:
    return Connector(
        name, "coingecko", title, LICENCE, every, plan, limits, "coingecko", secrets=secrets, missing=missing
    )


def _only_named(item: Connector) -> Connector:
    """Hourly points of past days would be newer knowledge than the closes of those days, and replace them."""
    return replace(item, on_request=True)


MARKETS = _connector("coingecko", "CoinGecko markets, categories, whole market", timedelta(hours=1), plan_markets)
DAILY = _connector("coingecko-daily", "CoinGecko daily history", timedelta(days=1), plan_daily)
HOURLY = _only_named(_connector("coingecko-hourly", "CoinGecko hourly history", timedelta(days=7), plan_hourly))
