"""A segment: the rows that one parser read from one raw document, with the last value of each day beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mercato.core.errors import InvalidInput
from mercato.market.layers import rolling
from mercato.market.layers.builtins import divide, epoch_us, make_date, max_by
from mercato.market.layers.duplicates import KIND, Duplicates, reason
from mercato.market.layers.rolling import MICROS_PER_DAY
from mercato.market.layers.validate import KEPT_PER_REASON, Refusals, Rules, check, excerpt
from mercato.market.model import Parsed, Rejected
from mercato.market.schema import DAILY, OBSERVATIONS, SEGMENT_TABLES
from mercato.store.analytics import Engine

ROW_GROUP = 500_000
DAYS_ABOVE_ZERO = 1_000_000
#: What the curated layer says of a value of which only one source speaks.
ONE_SOURCE = {"sources": ibis.literal(1, "int64"), "spread": ibis.literal(0.0), "rule": ibis.literal("single/1")}


@dataclass(frozen=True, slots=True)
class Written:
    """What lies in a finished segment folder: rows by table, refused rows, and the days that it speaks of."""

    rows: Mapping[str, int]
    rejected: tuple[Rejected, ...]
    reasons: Mapping[str, int]
    first_day: date | None
    last_day: date | None

    @property
    def total_rejected(self) -> int:
        """Returns how many rows were refused, kept in quarantine or only counted."""
        return sum(self.reasons.values())


@dataclass(frozen=True, slots=True)
class Origin:
    """What every daily row of a segment says of where it came from."""

    source: str
    observed_at: datetime
    raw_sha: str


class SegmentWriter:
    """Writes one segment into a folder, batch by batch; memory does not grow with the document."""

    def __init__(self, folder: Path, rules: Rules, engine: Engine) -> None:
        self._folder, self.rules, self._engine = folder, rules, engine
        self._refusals, self._duplicates = Refusals(), Duplicates()
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._rows: dict[str, int] = {}

    @property
    def rows(self) -> int:
        """Returns how many rows were kept so far."""
        return sum(self._rows.values())

    def write(self, parsed: Parsed) -> None:
        """Adds the rows of one batch; observations are checked, and those refused go to quarantine."""
        self._refusals.all(parsed.rejected)
        if parsed.skipped:
            self._rows["skipped"] = self._rows.get("skipped", 0) + parsed.skipped
        for name, rows in parsed.tables.items():
            if name not in SEGMENT_TABLES:
                raise InvalidInput(f"segment table was {name!r}", hint=f"valid tables: {', '.join(SEGMENT_TABLES)}")
            if name == "observations":
                rows = self._duplicates.drop(check(_shaped(rows), self.rules, self._refusals), self._refusals)
            self._append(name, rows)

    def finish(self, origin: Origin) -> Written:
        """Closes the files, writes the daily rows and returns what was written."""
        for writer in self._writers.values():
            writer.close()
        if self._duplicates.suspect:
            self._drop_far_duplicates()
        first, last = self._daily(origin) if "observations" in self._writers else (None, None)
        entries = tuple(self._refusals.entries())
        return Written(dict(self._rows), entries, dict(self._refusals.counts), first, last)

    def _append(self, name: str, rows: pa.Table) -> None:
        if not rows.num_rows:
            return
        columns = SEGMENT_TABLES[name].to_pyarrow()
        rows = rows.select(columns.names).cast(columns)
        if name not in self._writers:
            self._writers[name] = pq.ParquetWriter(self._folder / f"{name}.parquet", rows.schema, compression="zstd")
        self._writers[name].write_table(rows, row_group_size=ROW_GROUP)
        self._rows[name] = self._rows.get(name, 0) + rows.num_rows

    def _drop_far_duplicates(self) -> None:
        """Finds repeats that lie in different batches; rare, because files come sorted by time or by asset."""
        path = self._folder / "observations.parquet"
        rows = self._engine.read([path], OBSERVATIONS)
        keys = ["asset_id", "field", "valid_time", "observed_at"]
        first = rows.group_by(keys).agg(kept=rows.row.min(), n=rows.count())
        first = first.filter(first.n > 1)
        same = [rows[key].identical_to(first[key]) for key in keys]
        again = rows.join(first, same).select(*[rows[name] for name in OBSERVATIONS.names], first.kept)
        again = again.filter(again.row > again.kept)
        places = pc.unique(self._engine.run(again.select("row"))["row"])
        if not len(places):
            return
        whole = again.join(rows, [again.kept == rows.row, again.asset_id == rows.asset_id, again.field == rows.field])
        shown = whole.select(*[again[name] for name in OBSERVATIONS.names], again.kept, kept_value=rows.value)
        for row in self._engine.rows(shown.order_by("row").limit(KEPT_PER_REASON)):
            why = reason(float(str(row["value"])), float(str(row["kept_value"])), int(str(row["kept"])))
            self._refusals.add(KIND, int(str(row["row"])), why, excerpt(row))
        hidden = self._engine.run(again.count().as_table())[0][0].as_py() - min(KEPT_PER_REASON, len(places))
        self._refusals.counts[KIND] += max(0, hidden)
        drop = again.select("asset_id", "field", "row").distinct()
        clean = self._folder / "clean.parquet"
        self._engine.write(rows.anti_join(drop, ["asset_id", "field", "row"]), clean)
        clean.replace(path)
        self._rows["observations"] = pq.ParquetFile(path).metadata.num_rows

    def _daily(self, origin: Origin) -> tuple[date | None, date | None]:
        return write_daily(self._engine, self._folder / "observations.parquet", self._folder / "daily.parquet", origin)


def write_daily(engine: Engine, observations: Path, daily: Path, origin: Origin) -> tuple[date | None, date | None]:
    """Rolls a file of OBSERVATIONS up to days and returns the first and the last of them.

    The engine does it where rows name the time of their publication, or where they are more than memory should hold.
    """
    published = any_values(observations, "observed_at")
    if not published and 0 < pq.ParquetFile(observations).metadata.num_rows <= rolling.MOST:
        rolling.write(rolling.daily_rows(observations, origin.source, origin.observed_at, origin.raw_sha), daily)
    else:
        engine.write(rollup(engine.read([observations], OBSERVATIONS), origin, published=published), daily)
    found = [part.statistics for part in columns_of(daily, "day")]
    if not found:
        return None, None
    return min(item.min for item in found), max(item.max for item in found)


def any_values(path: Path, column: str) -> bool:
    """Returns whether a column of a Parquet file has any value, by the file's own statistics."""
    parts = columns_of(path, column)
    return any(not part.statistics or part.statistics.null_count < part.num_values for part in parts)


def columns_of(path: Path, column: str) -> list[pq.ColumnChunkMetaData]:
    """Returns what a Parquet file says of a column, row group by row group."""
    document = pq.ParquetFile(path)
    place = document.schema_arrow.names.index(column)
    return [document.metadata.row_group(group).column(place) for group in range(document.metadata.num_row_groups)]


def rollup(rows: ibis.Table, origin: Origin, *, published: bool = True) -> ibis.Table:
    """Returns DAILY rows: the last value, low and high of each asset, field and day (market.md M1).

    A row that carries its own publication time counts from that day on, if it is later than the day it speaks of;
    `published` says that there are such rows.
    """
    usable = epoch_us(rows.valid_time)
    if published:
        usable = ibis.greatest(usable, ibis.coalesce(epoch_us(rows.observed_at), usable))
    # Whole days by arithmetic: a cast of a zoned time to a date asks the calendar for every row, at thrice the cost.
    # A quotient is cut towards zero, so days before 1970 are moved above it and back.
    after = divide(usable + DAYS_ABOVE_ZERO * MICROS_PER_DAY, MICROS_PER_DAY) - DAYS_ABOVE_ZERO
    placed = rows.mutate(days=after.cast("int32"))
    daily = placed.group_by(["asset_id", "field", "days"]).agg(
        value=max_by(placed.value, placed.valid_time),
        low=placed.value.min(),
        high=placed.value.max(),
        last=placed.valid_time.max(),
        observations=placed.count(),
        **({"published": placed.observed_at.max()} if published else {}),
    )
    daily = daily.mutate(day=make_date(daily.days))
    moment = ibis.literal(origin.observed_at, "timestamp('UTC')")
    filled = daily.mutate(
        valid_time=daily["last"],
        source=ibis.literal(origin.source),
        observed_at=ibis.coalesce(daily.published, moment) if published else moment,
        raw_sha=ibis.literal(origin.raw_sha),
        **ONE_SOURCE,
    )
    return filled.select(*DAILY.names).cast(DAILY)


def _shaped(rows: pa.Table) -> pa.Table:
    """Returns rows with the OBSERVATIONS columns; text columns may stay dictionaries, which write and check faster."""
    columns = []
    for item in OBSERVATIONS.to_pyarrow():
        column = rows[item.name] if item.name in rows.column_names else pa.nulls(rows.num_rows, item.type)
        narrow = pa.types.is_dictionary(column.type)
        columns.append(column if narrow else column.cast(item.type))
    return pa.table(columns, names=OBSERVATIONS.names)
