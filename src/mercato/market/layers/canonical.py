"""Canonical long rows, `asset_id,field,valid_time,value`, from CSV or Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mercato.core.errors import InvalidInput
from mercato.market.layers.documents import RawFile, streams
from mercato.market.layers.textrows import Batch, Lines
from mercato.market.layers.validate import KEPT_PER_REASON
from mercato.market.layers.values import numbers, times
from mercato.market.model import Parsed, Rejected

NAME = "import.canonical/1"
COLUMNS = ("asset_id", "field", "valid_time", "value")
PARQUET_ROWS = 500_000


@streams(NAME)
def canonical(file: RawFile) -> Iterator[Parsed]:
    """Yields the observations of a canonical file; InvalidInput where the file as a whole is unusable."""
    for batch in batches(file, COLUMNS):
        yield observations(batch)


def batches(file: RawFile, expected: Sequence[str] | None) -> Iterator[Batch]:
    """Yields the rows of CSV or Parquet; InvalidInput where the columns are not the expected ones, in any order."""
    with file.open() as stream:
        if stream.read(4) == b"PAR1":
            yield from _parquet(file, expected)
            return
    with file.open() as stream:
        lines = Lines(stream)
        require(lines.columns, expected)
        rows = 0
        for batch in lines.batches():
            rows += batch.rows.num_rows + len(batch.rejected)
            yield batch
        if not rows:
            raise InvalidInput("the file had a header and no rows", hint="give a file with rows")


def require(found: Sequence[str], expected: Sequence[str] | None) -> None:
    """Raises InvalidInput that names expected and found columns where they differ."""
    if repeated := sorted({name for name in found if list(found).count(name) > 1}):
        raise InvalidInput(f"columns {repeated!r} appeared twice in the header", hint="give each column its own name")
    if expected is None or set(found) == set(expected):
        return
    missing = [name for name in expected if name not in found]
    extra = [name for name in found if name not in expected]
    raise InvalidInput(
        f"the columns were {', '.join(found)!r}, expected {', '.join(expected)!r}",
        hint=f"missing: {', '.join(missing) or 'none'}; not expected: {', '.join(extra) or 'none'}; "
        "a mapping file brings other shapes in (--mapping)",
    )


def _parquet(file: RawFile, expected: Sequence[str] | None) -> Iterator[Batch]:
    try:
        document = pq.ParquetFile(file.spill())
    except (pa.ArrowInvalid, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise InvalidInput(f"the Parquet file was not readable: {reason}", hint="was the file cut?") from None
    require(document.schema_arrow.names, expected)
    done = 0
    for record in document.iter_batches(PARQUET_ROWS, columns=list(expected) if expected else None):
        rows = pa.Table.from_batches([record])
        yield Batch(rows, np.arange(done + 1, done + 1 + rows.num_rows), ())
        done += rows.num_rows
    if not done:
        raise InvalidInput("the file was empty", hint="give a file with rows")


def observations(batch: Batch) -> Parsed:
    """Returns canonical text rows as typed ones; what is no time or no number is refused."""
    rows = pa.table(
        {
            "asset_id": _words(batch.rows["asset_id"]),
            "field": _words(batch.rows["field"]),
            "valid_time": times(batch.rows["valid_time"]),
            "value": numbers(batch.rows["value"]),
            "row": pa.array(batch.numbers),
        }
    )
    unreadable = pc.or_(pc.is_null(rows["valid_time"]), pc.is_null(rows["value"]))
    if not pc.any(unreadable).as_py():
        return Parsed({"observations": rows}, batch.rejected)
    refused = [*batch.rejected, *_unreadable(batch, rows, np.flatnonzero(unreadable.to_numpy()))]
    return Parsed({"observations": rows.filter(pc.invert(unreadable))}, refused)


def _words(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Returns names without blanks around them, kept as a dictionary: few distinct ones fill long columns."""
    encoded = column.combine_chunks().dictionary_encode() if not pa.types.is_dictionary(column.type) else None
    if encoded is None:
        encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    trimmed = pc.utf8_trim_whitespace(encoded.dictionary.cast(pa.string()))
    return pa.chunked_array([trimmed.take(encoded.indices)]).dictionary_encode()


def _unreadable(batch: Batch, rows: pa.Table, places: np.ndarray) -> Iterator[Rejected]:
    for count, place in enumerate(places.tolist()):
        row = {name: batch.rows[name][place].as_py() for name in COLUMNS}
        text = ",".join(str(value) for value in row.values()) if count < KEPT_PER_REASON else ""
        number = int(batch.numbers[place])
        if rows["valid_time"][place].as_py() is None:
            why = f"valid_time was {row['valid_time']!r}, expected an ISO date or time"
            yield Rejected(number, f"malformed time: {why}", text)
        else:
            yield Rejected(number, f"malformed number: value was {row['value']!r}, expected a number", text)
