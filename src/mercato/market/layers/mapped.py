"""Rows of any table, brought into canonical form by a mapping file (mapping.py)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mercato.market.layers.canonical import batches
from mercato.market.layers.documents import RawFile, streams
from mercato.market.layers.mapping import TableMapping, Value, read_mapping
from mercato.market.layers.textrows import Batch
from mercato.market.layers.values import TIME, number_of, numbers
from mercato.market.model import Asset, Parsed, Rejected

NAME = "import.mapped/1"
MICRO = 1_000_000


@streams(NAME)
def mapped(file: RawFile) -> Iterator[Parsed]:
    """Yields the observations of a table; its mapping is the option `mapping`, so that replay reads it the same."""
    mapping = read_mapping(file.options["mapping"], file.options.get("mapping_file", "mapping"))
    reader = _Reader(mapping, _tickers(file.assets))
    for batch in batches(file, mapping.columns):
        yield reader.read(batch)
    yield reader.totals()


def _tickers(assets: Sequence[Asset]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in assets:
        found.setdefault(item.symbol.upper(), []).append(item.asset_id)
    return found


@dataclass
class _Reader:
    """Reads batches of one document; keeps the totals, and the assets that it has introduced."""

    mapping: TableMapping
    tickers: Mapping[str, list[str]]
    introduced: dict[str, Asset] = field(default_factory=dict)
    sums: dict[tuple[int, object], tuple[int, int]] = field(default_factory=dict)

    def read(self, batch: Batch) -> Parsed:
        """Returns the observations of one batch."""
        rejected = list(batch.rejected)
        rows = batch.rows.append_column("#", pa.array(batch.numbers))
        for column, wanted in self.mapping.filters:
            rows = rows.filter(pc.is_in(rows[column].cast(pa.string()), value_set=pa.array(sorted(wanted))))
        rows = self._timed(rows, rejected)
        self._add_up(rows)
        known = set(self.introduced)
        rows, skipped = self._joined(rows, rejected)
        tables = [self._values(rows, value, rejected) for value in self.mapping.values]
        tables = [table for table in tables if table.num_rows]
        found = {"observations": pa.concat_tables(tables)} if tables else {}
        fresh = [item for name, item in self.introduced.items() if name not in known]
        return Parsed(found, rejected, skipped, fresh)

    def _timed(self, rows: pa.Table, rejected: list[Rejected]) -> pa.Table:
        cells = rows[self.mapping.time].cast(pa.string())
        read = {text: self.mapping.moment(text or "") for text in pc.unique(cells).to_pylist()}
        moments = pa.array([read[text] for text in cells.to_pylist()], TIME)
        wrong = pc.is_null(moments)
        for row in rows.filter(wrong).to_pylist():
            why = f"{self.mapping.time} was {row[self.mapping.time]!r}, expected {self.mapping.format}"
            rejected.append(Rejected(row["#"], f"malformed time: {why}", _text(row)))
        return rows.append_column("@", moments).filter(pc.invert(wrong))

    def _joined(self, rows: pa.Table, rejected: list[Rejected]) -> tuple[pa.Table, int]:
        if self.mapping.by == "constant":
            return rows.append_column("asset_id", pa.array([self.mapping.asset] * rows.num_rows, pa.string())), 0
        find = self._by_table if self.mapping.by == "table" else self._by_symbol
        found: list[str | None] = []
        skipped = 0
        cache: dict[tuple[str, ...], tuple[str | None, str]] = {}
        extra = (self.mapping.derive.name, self.mapping.derive.symbol) if self.mapping.derive else ()
        wanted = [rows[name].to_pylist() for name in (*self.mapping.keys, *extra)]
        for place, cells in enumerate(zip(*wanted, strict=True)):
            if cells not in cache:
                cache[cells] = find(tuple(str(cell) for cell in cells))
            asset_id, why = cache[cells]
            found.append(asset_id)
            if why:
                row = rows.slice(place, 1).to_pylist()[0]
                rejected.append(Rejected(row["#"], why, _text(row)))
            elif asset_id is None:
                skipped += 1
        joined = rows.append_column("asset_id", pa.array(found, pa.string()))
        return joined.filter(pc.is_valid(joined["asset_id"])), skipped

    def _by_table(self, cells: tuple[str, ...]) -> tuple[str | None, str]:
        key = "/".join(cells[: len(self.mapping.keys)])
        if key in self.mapping.table:
            return self.mapping.table[key], ""
        return self._unnamed(key, cells)

    def _by_symbol(self, cells: tuple[str, ...]) -> tuple[str | None, str]:
        symbol = cells[0]
        ids = self.tickers.get(symbol.upper(), [])
        if len(ids) > 1:
            return None, f"ticker clash: {symbol!r} may be {' or '.join(sorted(ids))}; name the right one in a table"
        return (ids[0], "") if ids else self._unnamed(symbol, cells)

    def _unnamed(self, key: str, cells: tuple[str, ...]) -> tuple[str | None, str]:
        if self.mapping.otherwise == "skip":
            return None, ""
        if self.mapping.otherwise == "quarantine" or self.mapping.derive is None:
            return None, f"unknown asset: the mapping names no asset for {key!r}"
        item = _derived(self.mapping, *cells[-2:])
        self.introduced.setdefault(item.asset_id, item)
        return item.asset_id, ""

    def _values(self, rows: pa.Table, value: Value, rejected: list[Rejected]) -> pa.Table:
        """Returns one field of every row; an empty cell is no value, anything else that is no number is refused."""
        empty = pc.equal(pc.utf8_trim_whitespace(pc.fill_null(rows[value.column].cast(pa.string()), "")), "")
        rows = rows.filter(pc.invert(empty))
        read = numbers(rows[value.column])
        wrong = pc.is_null(read)
        for row in rows.filter(wrong).to_pylist():
            why = f"malformed number: {value.column} was {row[value.column]!r}"
            rejected.append(Rejected(row["#"], why, _text(row)))
        scaled = pc.multiply(read, value.scale)
        count = rows.num_rows
        made = pa.table(
            {
                "asset_id": rows["asset_id"],
                "field": pa.array([value.field] * count, pa.string()),
                "valid_time": rows["@"],
                "value": scaled,
                "row": rows["#"],
            }
        )
        return made.filter(pc.invert(wrong))

    def _add_up(self, rows: pa.Table) -> None:
        """Adds the cells of each total in exact millionths, so that the order of rows does not matter."""
        for place, total in enumerate(self.mapping.sums):
            names = rows[self.mapping.keys[0]].to_pylist() if total.exclude else [None] * rows.num_rows
            cells = zip(
                rows["@"].to_pylist(), names, rows[total.column].to_pylist(), rows["#"].to_pylist(), strict=True
            )
            for moment, name, cell, number in cells:
                amount = number_of(str(cell))
                if amount is None or name in total.exclude or not np.isfinite(amount):
                    continue
                before, first = self.sums.get((place, moment), (0, number))
                self.sums[(place, moment)] = (before + round(amount * MICRO), min(first, number))

    def totals(self) -> Parsed:
        """Returns one observation per total and time."""
        rows = [
            {
                "asset_id": self.mapping.sums[place].asset,
                "field": self.mapping.sums[place].field,
                "valid_time": moment,
                "value": amount / MICRO * self.mapping.sums[place].scale,
                "row": number,
            }
            for (place, moment), (amount, number) in self.sums.items()
        ]
        return Parsed({"observations": pa.Table.from_pylist(rows)} if rows else {})


def _derived(mapping: TableMapping, name: str, symbol: str) -> Asset:
    derive = mapping.derive
    assert derive is not None, "derived assets need a [derive] table, as read_mapping checks"
    name = derive.rename.get(name.strip(), name.strip())
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return Asset(
        asset_id=derive.prefix + slug,
        symbol=symbol,
        name=name,
        kind="token",
        sector=derive.sectors.get(name, derive.sector),
        wraps=derive.wraps.get(name, ""),
    )


def _text(row: Mapping[str, object]) -> str:
    return ",".join(str(value) for name, value in row.items() if name not in {"#", "@", "asset_id"})
