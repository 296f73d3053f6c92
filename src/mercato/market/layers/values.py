"""Text to times and numbers, a column at a time; what is neither becomes NULL with a reason."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.compute as pc

TIME = pa.timestamp("us", "UTC")
EPOCH_DIGITS = {10: 1, 13: 1000}


def time_of(text: str) -> datetime | None:
    """Returns the moment that ISO text, or a count of seconds or milliseconds since 1970, stands for.

    A time without a zone is UTC; a bare date is the start of that day. None where it is neither.
    """
    text = text.strip()
    if text.isdigit() and len(text) in EPOCH_DIGITS:
        return datetime.fromtimestamp(int(text) / EPOCH_DIGITS[len(text)], UTC)
    try:
        moment = datetime.fromisoformat(text.removesuffix(" UTC"))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def times(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Returns a column as UTC times; distinct texts are read once each."""
    if pa.types.is_timestamp(column.type):
        return column.cast(TIME, safe=False) if column.type.tz else pc.assume_timezone(column, "UTC").cast(TIME, False)
    if pa.types.is_date(column.type):
        return pc.assume_timezone(column.cast(pa.timestamp("us")), "UTC")
    encoded = pc.dictionary_encode(column.cast(pa.string()).combine_chunks())
    read = [None if text is None else time_of(text) for text in encoded.dictionary.to_pylist()]
    return pa.chunked_array([pa.array(read, TIME).take(encoded.indices)])


def number_of(text: str) -> float | None:
    """Returns the number that plain decimal text stands for, None where it is none; `nan` and `inf` are numbers."""
    if "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None


def numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Returns a column as float64."""
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type) or pa.types.is_decimal(column.type):
        return column.cast(pa.float64(), safe=False)
    try:
        return column.cast(pa.float64())
    except pa.ArrowInvalid:
        read = [None if text is None else number_of(text) for text in column.cast(pa.string()).to_pylist()]
        return pa.chunked_array([pa.array(read, pa.float64())])


def day_end(day: date) -> datetime:
    """Returns the last second of a day: where the close of a daily bar belongs."""
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=UTC)
