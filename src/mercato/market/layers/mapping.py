"""A mapping file: how the columns of any table become canonical rows.

version = 1
columns = ["date", "symbol", "close"]      # the header that is expected; other columns are a schema change
ignore = ["open"]                          # columns of the file that are not used
licence = "…"                              # kept with every raw document
[time]
column = "date"
format = "%Y-%m-%d"                        # or "iso"
at = "close"                               # day: its start; close: its last second; month-end: end of that month
[join]                                     # which asset a row speaks of
columns = ["symbol"]                       # their values, joined by "/", are looked up
by = "table"                               # table: [join.table]; symbol: tickers of the universe; constant: `asset`
otherwise = "skip"                         # or quarantine, or derive: a new asset named by the row
[[value]]
column = "close"
field = "price_usd"
scale = 1.0
[[filter]]
column = "venue"
equals = ["bybit"]
[[sum]]                                    # one total per time, over every row that passed the filters
column = "cap"
field = "market_cap_usd"
asset = "top-200"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from mercato.core.errors import InvalidInput
from mercato.market.layers.values import day_end, time_of
from mercato.market.model import FIELDS

At = Literal["day", "close", "month-end"]
By = Literal["table", "symbol", "constant"]
Otherwise = Literal["skip", "quarantine", "derive"]
KEYS = {"version", "columns", "ignore", "licence", "time", "join", "value", "filter", "sum", "derive"}


@dataclass(frozen=True, slots=True)
class Value:
    """One column that becomes one field; `asset` is set for totals over all rows."""

    column: str
    field: str
    scale: float = 1.0
    asset: str = ""
    exclude: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Derive:
    """How an asset is made of a row that no table names: a prefix, its columns, other names for it, its sector."""

    prefix: str
    name: str
    symbol: str
    sector: str = "other"
    rename: Mapping[str, str] = field(default_factory=dict)
    sectors: Mapping[str, str] = field(default_factory=dict)
    wraps: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TableMapping:
    """A mapping file, read and checked."""

    columns: tuple[str, ...]
    time: str
    format: str
    at: At
    keys: tuple[str, ...]
    by: By
    otherwise: Otherwise
    asset: str
    table: Mapping[str, str]
    values: tuple[Value, ...]
    sums: tuple[Value, ...]
    filters: tuple[tuple[str, frozenset[str]], ...]
    derive: Derive | None
    licence: str

    def moment(self, text: str) -> datetime | None:
        """Returns the time that a cell stands for, placed within its day or month."""
        try:
            found = time_of(text) if self.format == "iso" else _strptime(text.strip(), self.format)
        except ValueError:
            return None
        if found is None:
            return None
        found = found.astimezone(UTC)
        if self.at == "close":
            return day_end(found.date())
        if self.at == "month-end":
            return day_end((found.replace(day=1) + timedelta(days=32)).replace(day=1).date() - timedelta(days=1))
        return found


def _strptime(text: str, layout: str) -> datetime:
    found = datetime.strptime(text, layout)  # noqa: DTZ007  # the zone is set in the next line, where none is written
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def read_mapping(text: str, file: str) -> TableMapping:
    """Returns a mapping from its TOML text; InvalidInput names the file and the key that was wrong."""
    try:
        body = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"mapping {file!r} was not readable as TOML: {error}") from None
    if unknown := sorted(set(body) - KEYS):
        raise InvalidInput(
            f"mapping {file!r} has the key {unknown[0]!r}", hint=f"valid keys: {', '.join(sorted(KEYS))}"
        )
    try:
        found = _mapping(body)
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(f"mapping {file!r} lacks or misuses {error}", hint="see docs/rooms/market-data.md") from None
    _check(found, file)
    return found


def _mapping(body: Mapping[str, Any]) -> TableMapping:
    time, join = body["time"], body.get("join", {})
    derive = body.get("derive")
    return TableMapping(
        columns=(*body["columns"], *body.get("ignore", [])),
        time=time["column"],
        format=time.get("format", "iso"),
        at=time.get("at", "day"),
        keys=tuple(join.get("columns", [])),
        by=join.get("by", "table"),
        otherwise=join.get("otherwise", "quarantine"),
        asset=join.get("asset", ""),
        table=dict(join.get("table", {})),
        values=tuple(Value(**item) for item in body.get("value", [])),
        sums=tuple(Value(**{**item, "exclude": frozenset(item.get("exclude", []))}) for item in body.get("sum", [])),
        filters=tuple((item["column"], frozenset(item["equals"])) for item in body.get("filter", [])),
        derive=Derive(**derive) if derive else None,
        licence=body.get("licence", ""),
    )


def _check(found: TableMapping, file: str) -> None:
    used = [found.time, *found.keys, *[item.column for item in (*found.values, *found.sums)]]
    used += [column for column, _ in found.filters]
    if found.derive:
        used += [found.derive.name, found.derive.symbol]
    if lost := [name for name in used if name not in found.columns]:
        raise InvalidInput(f"mapping {file!r} uses the column {lost[0]!r}", hint="name it under `columns` too")
    for item in (*found.values, *found.sums):
        if item.field not in FIELDS:
            raise InvalidInput(
                f"mapping {file!r} writes the field {item.field!r}", hint=f"valid fields: {', '.join(FIELDS)}"
            )
    for name, value, valid in (
        ("time.at", found.at, get_args(At)),
        ("join.by", found.by, get_args(By)),
        ("join.otherwise", found.otherwise, get_args(Otherwise)),
    ):
        if value not in valid:
            raise InvalidInput(f"mapping {file!r}: {name} was {value!r}", hint=f"valid values: {', '.join(valid)}")
    if found.otherwise == "derive" and not found.derive:
        raise InvalidInput(f"mapping {file!r} derives assets without a [derive] table", hint="add prefix, name, symbol")
