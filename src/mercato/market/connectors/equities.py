"""Equities: daily closes from a CSV address with the symbol in it, or from a folder of CSV files.

`equities_url` is a template: `{symbol}` is the asset's `equity` id, `{lower}` the same in lower case, `{first}` and
`{last}` are days as YYYYMMDD (as in Stooq's download address `…/q/d/l/?s={lower}.us&i=d&d1={first}&d2={last}`) and
`{first_iso}`, `{last_iso}` as YYYY-MM-DD.
The file needs the columns Date and Close; High and Low are read where they are. Which vendor may be used, and for what,
is its own licence's matter: set `equities_licence`, it is kept with every document.

Closes must not be adjusted for dividends, because caps multiply them with the shares of their day. Most vendors do
adjust for splits; shares from filings are not adjusted. An asset's `splits` id, such as `2024-06-10:10`, undoes that:
closes before that day are multiplied by the ratio.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, date, timedelta
from pathlib import Path

from mercato.core.errors import ConfigError
from mercato.market.connectors.connector import Connector, Context, Request, pack_assets
from mercato.market.connectors.http import Limits
from mercato.market.connectors.rows import Malformed, Rows, asset_map, iso, number, observations
from mercato.market.connectors.settings import SourceSettings
from mercato.market.model import RawDocument

FIELDS = (("close", "price_usd"), ("high", "price_high_usd"), ("low", "price_low_usd"))


@observations("equities.daily/1")
def daily(raw: RawDocument, rows: Rows) -> None:
    """Reads a CSV of days with a header. Times are bare dates: the session belongs to that UTC day."""
    (asset,) = asset_map(raw).values()
    splits = parse_splits(raw.options.get("splits", ""))
    try:
        lines = raw.content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise Malformed("not text: the file was not UTF-8") from error
    row = 0
    try:
        reader = csv.reader(lines, strict=True)
        header = [name.strip().lower() for name in next(reader, [])]
        if not {"date", "close"} <= set(header):
            raise Malformed(f"schema change: the header was {header!r}, expected Date and Close")
        for cells in reader:
            row += 1
            _day(asset, dict(zip(header, cells, strict=False)), row, splits, rows)
    except csv.Error as error:
        raise Malformed(f"not CSV: {error}", row + 1) from error


def _day(asset: str, cells: Mapping[str, str], row: int, splits: Sequence[tuple[date, float]], rows: Rows) -> None:
    try:
        at = iso(cells["date"], row)
        ratio = 1.0
        for day, factor in splits:
            ratio *= factor if at.date() < day else 1.0
        values = {name: number(cells[name]) * ratio for name, _ in FIELDS if cells.get(name)}
        if "close" not in values:
            raise Malformed("not a number: the close was empty")
    except (Malformed, KeyError) as error:
        rows.reject(row, str(error), ",".join(cells.values()))
        return
    for name, field in FIELDS:
        rows.add(asset, field, at, values.get(name), row)


def parse_splits(text: str) -> list[tuple[date, float]]:
    """Returns days and ratios of `2024-06-10:10,2021-07-20:4`. Raises ConfigError where it cannot be read."""
    try:
        pairs = [item.split(":") for item in text.split(",") if item]
        return [(date.fromisoformat(day), float(ratio)) for day, ratio in pairs]
    except ValueError as error:
        raise ConfigError(f"splits was {text!r}", hint="expected days and ratios such as 2024-06-10:10") from error


def plan(context: Context) -> Sequence[Request]:
    """Returns one request per equity: a file of the folder where there is one, else the address."""
    settings, today = context.settings, context.now.astimezone(UTC).date()
    splits = {asset.asset_id: asset.ids.get("splits", "") for asset in context.assets}
    requests = []
    for symbol, asset in context.ids("equity").items():
        mark = context.marks.get(symbol)
        first = context.since or (date.fromisoformat(mark) - timedelta(days=7) if mark else date(2023, 1, 1))
        file = Path(settings.equities_folder or "/") / f"{symbol}.csv"
        url = file.as_uri() if settings.equities_folder and file.exists() else fill(settings, symbol, first, today)
        if url:
            requests.append(
                Request(
                    url,
                    "equities.daily/1",
                    options=pack_assets({symbol: asset}) | {"splits": splits[asset]},
                    accept="text/csv",
                    marks={symbol: today.isoformat()},
                )
            )
    return requests


def fill(settings: SourceSettings, symbol: str, first: date, last: date) -> str:
    """Returns the address of a symbol's days, empty where none is set; ConfigError for an unknown placeholder."""
    try:
        return settings.equities_url.format(
            symbol=symbol,
            lower=symbol.lower(),
            first=f"{first:%Y%m%d}",
            last=f"{last:%Y%m%d}",
            first_iso=first,
            last_iso=last,
        )
    except (KeyError, IndexError, ValueError) as error:
        raise ConfigError(
            f"sources.equities_url was {settings.equities_url!r}",
            hint="it may hold {symbol}, {lower}, {first}, {last}, {first_iso} and {last_iso}",
        ) from error


def limits(settings: SourceSettings) -> Limits:
    """Returns the set limit: the vendor is the user's choice."""
    return Limits(per_minute=settings.equities_per_minute, monthly_calls=settings.equities_monthly_calls)


def missing(settings: SourceSettings) -> str:
    """Returns what must be set before this source can be asked, empty where nothing is missing."""
    unset = not settings.equities_url and not settings.equities_folder
    return "neither sources.equities_url nor sources.equities_folder is set" if unset else ""


CONNECTOR = Connector(
    "equities",
    "equities",
    "Daily closes of equities",
    "the licence of the vendor that you set",
    timedelta(days=1),
    plan,
    limits,
    missing=missing,
)
