"""DefiLlama: prices with a confidence, price history, stablecoins in circulation, value locked per chain.

Shapes: DefiLlama's OpenAPI document of its free endpoints. No key and no published number: fair use, so 60 a minute.
A price with a confidence below the set one is rejected with that reason, not mixed in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from mercato.market.connectors.connector import Connector, Context, Request, chunks, pack_assets
from mercato.market.connectors.http import Limits
from mercato.market.connectors.rows import (
    Malformed,
    Rows,
    asset_map,
    entries,
    epoch,
    mapping,
    number,
    observations,
    read_json,
    require,
    sequence,
)
from mercato.market.connectors.settings import SourceSettings
from mercato.market.model import RawDocument

LICENCE = "DefiLlama public API, free endpoints"
COINS_PER_CALL = 40
POINTS_PER_CALL = 400
#: Daily points are asked for shortly before midnight: the answer is the nearest known price, and so of that day.
POINT_TIME = time(23, 50)


@observations("defillama.prices/1")
def prices(raw: RawDocument, rows: Rows) -> None:
    """Reads /prices/current and /prices/historical."""
    for row, (asset, coin) in enumerate(_coins(raw, rows), 1):
        try:
            _require_confidence(raw, coin, row)
            price = require(coin, "price", "a coin", row)
            rows.add(asset, "price_usd", epoch(require(coin, "timestamp", "a coin", row), row), price, row)
        except Malformed as error:
            rows.reject(row, str(error), str(dict(coin)))


@observations("defillama.chart/1")
def chart(raw: RawDocument, rows: Rows) -> None:
    """Reads /chart: prices of each coin over time. Rows count through the points of all coins."""
    row = 0
    for asset, coin in _coins(raw, rows):
        try:
            _require_confidence(raw, coin, row + 1)
            points = sequence(require(coin, "prices", "a coin", row + 1), "prices", row + 1)
        except Malformed as error:
            rows.reject(row + 1, str(error), str(dict(coin)))
            continue
        for point in points:
            row += 1
            try:
                entry = mapping(point, "a point", row)
                at = epoch(require(entry, "timestamp", "a point", row), row)
                rows.add(asset, "price_usd", at, require(entry, "price", "a point", row), row)
            except Malformed as error:
                rows.reject(row, str(error), repr(point))


@observations("defillama.stablecoins/1")
def stablecoins(raw: RawDocument, rows: Rows) -> None:
    """Reads /stablecoins: what circulates of each known one, and of all dollar-pegged ones together (id `all`)."""
    assets, answer = asset_map(raw), mapping(read_json(raw), "the answer")
    pegged = sequence(require(answer, "peggedAssets", "the answer"), "peggedAssets")
    total = 0.0
    for row, entry in entries(pegged, "a stablecoin", rows):
        if entry.get("pegType") != "peggedUSD":
            rows.skip()
            continue
        try:
            circulating = mapping(require(entry, "circulating", "a stablecoin", row), "circulating", row)
            amount = number(require(circulating, "peggedUSD", "circulating", row))
            total += amount
            asset = assets.get(str(entry.get("id")))
            if asset is None:
                rows.skip()
            else:
                rows.add(asset, "supply_circulating", raw.observed_at, amount, row)
                rows.add(asset, "price_usd", raw.observed_at, entry.get("price"), row)
        except Malformed as error:
            rows.reject(row, str(error), str(dict(entry)))
    if "all" in assets and total:
        rows.add(assets["all"], "market_cap_usd", raw.observed_at, total, 0)


@observations("defillama.chains/1")
def chains(raw: RawDocument, rows: Rows) -> None:
    """Reads /v2/chains: value locked on the chains that are reference assets here, by the vendor's chain name."""
    assets = asset_map(raw)
    for row, entry in entries(sequence(read_json(raw), "the list of chains"), "a chain", rows):
        asset = assets.get(str(entry.get("name")))
        if asset is None:
            rows.skip()
            continue
        try:
            rows.add(asset, "tvl_usd", raw.observed_at, require(entry, "tvl", "a chain", row), row)
        except Malformed as error:
            rows.reject(row, str(error), str(dict(entry)))


def _coins(raw: RawDocument, rows: Rows) -> list[tuple[str, Mapping[str, object]]]:
    """Returns the known coins of an answer by asset, in the vendor's order."""
    assets = {key.lower(): asset for key, asset in asset_map(raw).items()}
    coins = mapping(require(mapping(read_json(raw), "the answer"), "coins", "the answer"), "coins")
    found: list[tuple[str, Mapping[str, object]]] = []
    for row, (key, value) in enumerate(coins.items(), 1):
        asset = assets.get(key.lower())
        if asset is None:
            rows.skip()
        elif isinstance(value, dict):
            found.append((asset, value))
        else:
            rows.reject(row, f"schema change: a coin was {type(value).__name__}, expected an object", repr(value))
    return found


def _require_confidence(raw: RawDocument, coin: Mapping[str, object], row: int) -> None:
    least = float(raw.options.get("min_confidence", "0"))
    stated = coin.get("confidence")
    if stated is not None and number(stated) < least:
        raise Malformed(f"low confidence: was {stated!r}, below {least}", row)


def plan_now(context: Context) -> Sequence[Request]:
    """Returns current prices of every coin, what circulates of stablecoins, and value locked per chain."""
    settings = context.settings
    requests = [_coin_request(context, f"{settings.defillama_coins_url}/prices/current", page, "prices", {})
                for page in chunks(list(coin_keys(context)), COINS_PER_CALL)]  # fmt: skip
    if stable := context.ids("defillama_stablecoin"):
        requests.append(
            Request(
                f"{settings.defillama_stablecoins_url}/stablecoins",
                "defillama.stablecoins/1",
                params={"includePrices": "true"},
                options=pack_assets(stable),
            )
        )
    if places := context.ids("defillama_chain"):
        requests.append(
            Request(f"{settings.defillama_url}/v2/chains", "defillama.chains/1", options=pack_assets(places))
        )
    return requests


def plan_daily(context: Context) -> Sequence[Request]:
    """Returns daily prices of every coin from the day last read (or `since`) to yesterday."""
    yesterday = context.now.astimezone(UTC).date() - timedelta(days=1)
    by_start: dict[date, list[str]] = {}
    for key in coin_keys(context):
        mark = context.marks.get(f"daily:{key}")
        first = context.since or (date.fromisoformat(mark) if mark else yesterday - timedelta(days=365))
        by_start.setdefault(first, []).append(key)
    return [request for first, keys in by_start.items() for request in _charts(context, keys, first, yesterday)]


def _charts(context: Context, keys: Sequence[str], first: date, last: date) -> list[Request]:
    span = (last - first).days + 1
    if span < 1:
        return []
    start = int(datetime.combine(first, POINT_TIME, UTC).timestamp())
    params = {"start": str(start), "span": str(span), "period": "1d"}
    base = f"{context.settings.defillama_coins_url}/chart"
    pages = chunks(keys, max(1, min(POINTS_PER_CALL // span, COINS_PER_CALL)))
    return [
        replace(
            _coin_request(context, base, page, "chart", params),
            marks={f"daily:{key}": last.isoformat() for key in page},
        )
        for page in pages
    ]


def coin_keys(context: Context) -> dict[str, str]:
    """Returns asset ids by DefiLlama key: its own where the universe has one, else CoinGecko's id."""
    own = context.ids("defillama")
    borrowed = {f"coingecko:{vendor}": asset for vendor, asset in context.ids("coingecko").items()}
    taken = set(own.values())
    return own | {key: asset for key, asset in borrowed.items() if asset not in taken}


def _coin_request(context: Context, base: str, keys: Sequence[str], kind: str, params: Mapping[str, str]) -> Request:
    known = coin_keys(context)
    options = pack_assets({key: known[key] for key in keys})
    return Request(
        f"{base}/{','.join(keys)}",
        f"defillama.{kind}/1",
        params=params,
        options=options | {"min_confidence": json.dumps(context.settings.defillama_min_confidence)},
    )


def limits(settings: SourceSettings) -> Limits:
    """Returns a fair use: the vendor states no number."""
    return Limits(per_minute=settings.defillama_per_minute, burst=5)


NOW = Connector("defillama", "defillama", "DefiLlama prices, stablecoins and chains", LICENCE, timedelta(hours=1),
                plan_now, limits, "defillama")  # fmt: skip
DAILY = Connector("defillama-daily", "defillama", "DefiLlama daily prices", LICENCE, timedelta(days=1),
                  plan_daily, limits, "defillama")  # fmt: skip
