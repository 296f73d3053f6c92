"""How parsers read what sources sent: rows are collected, what is wrong is noted with its place, nothing is guessed."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from mercato.market.layers.parsers import Parser, register
from mercato.market.model import Parsed, RawDocument, Rejected
from mercato.market.schema import OBSERVATIONS

ARROW = OBSERVATIONS.to_pyarrow()
EXCERPT = 120


class Malformed(Exception):
    """A part of a document is not what its schema says. `row` 0 speaks of the whole document."""

    def __init__(self, reason: str, row: int = 0, text: str = "") -> None:
        super().__init__(reason)
        self.row, self.text = row, text


class Rows:
    """Collects observations, rejects and the count of entries that speak of nothing we know."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, str, datetime, float, int, datetime | None]] = []
        self._rejected: list[Rejected] = []
        self._skipped = 0

    def add(
        self, asset: str, field: str, time: datetime, value: object, row: int, *, observed_at: datetime | None = None
    ) -> None:
        """Notes one observation. None is an absent value and notes nothing; what is no number is rejected."""
        if value is None:
            return
        try:
            self._rows.append((asset, field, time, number(value), row, observed_at))
        except Malformed as error:
            self.reject(row, f"{error}: {field} of {asset}", repr(value))

    def reject(self, row: int, reason: str, text: str = "") -> None:
        """Notes that a row, or with row 0 the whole document, was not taken."""
        self._rejected.append(Rejected(row, reason, text[:EXCERPT]))

    def skip(self, count: int = 1) -> None:
        """Counts entries that are well formed but speak of things that the universe does not hold."""
        self._skipped += count

    def parsed(self) -> Parsed:
        """Returns what was collected, as the parser's answer."""
        columns = list(zip(*self._rows, strict=True)) or [()] * len(ARROW.names)
        arrays = [pa.array(column, kind) for column, kind in zip(columns, ARROW.types, strict=True)]
        return Parsed(
            {"observations": pa.Table.from_arrays(arrays, schema=ARROW)}, tuple(self._rejected), self._skipped
        )


def observations(name: str) -> Callable[[Callable[[RawDocument, Rows], None]], Parser]:
    """Returns a decorator that registers `function(raw, rows)` as the parser `name`.

    Whatever the bytes are, the parser answers: a document that cannot be read becomes one reject with row 0.
    """

    def wrap(function: Callable[[RawDocument, Rows], None]) -> Parser:
        @functools.wraps(function)
        def parse(raw: RawDocument) -> Parsed:
            rows = Rows()
            try:
                function(raw, rows)
            except Malformed as error:
                rows.reject(error.row, str(error), error.text or excerpt(raw.content))
            return rows.parsed()

        return register(name)(parse)

    return wrap


def excerpt(content: bytes) -> str:
    """Returns the start of a document as printable text."""
    return content[:EXCERPT].decode("utf-8", "replace")


def read_json(raw: RawDocument) -> object:
    """Returns the JSON of a document. Raises Malformed for another content type, or text that is not JSON."""
    kind = raw.media_type.partition(";")[0].strip().lower()
    if kind and not kind.endswith(("json", "octet-stream")):
        raise Malformed(f"wrong content type: was {kind!r}, expected JSON")
    try:
        return json.loads(raw.content, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"not JSON: {error}") from error


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is no JSON number")


def number(value: object) -> float:
    """Returns a JSON number, or a number written as text, as a float. Raises Malformed for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Malformed("not a number")
    try:
        result = float(value)
    except (ValueError, OverflowError):
        raise Malformed("not a number") from None
    if not math.isfinite(result):
        raise Malformed("not finite")
    return result


def known_zero(value: object) -> object:
    """Returns None for 0: vendors write 0 for caps and supplies that they have not verified."""
    return None if value in (0, "0", "0.0") else value


def mapping(value: object, what: str, row: int = 0) -> Mapping[str, object]:
    """Returns a JSON object. Raises Malformed where it is something else."""
    if not isinstance(value, dict):
        raise Malformed(f"schema change: {what} was {type(value).__name__}, expected an object", row)
    return value


def sequence(value: object, what: str, row: int = 0) -> list[object]:
    """Returns a JSON array. Raises Malformed where it is something else."""
    if not isinstance(value, list):
        raise Malformed(f"schema change: {what} was {type(value).__name__}, expected an array", row)
    return value


def entries(values: list[object], what: str, rows: Rows) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Yields the objects of an array with their 1-based places; what is no object is rejected on its own."""
    for row, value in enumerate(values, 1):
        if isinstance(value, dict):
            yield row, value
        else:
            rows.reject(row, f"schema change: {what} was {type(value).__name__}, expected an object", repr(value))


def require(entry: Mapping[str, object], key: str, what: str, row: int = 0) -> object:
    """Returns the value of a key. Raises Malformed, naming the keys that are there, where it is missing."""
    if key not in entry:
        raise Malformed(f"schema change: {what} had no {key!r}, only {sorted(entry)[:8]!r}", row)
    return entry[key]


def epoch(value: object, row: int = 0, *, milliseconds: bool = False) -> datetime:
    """Returns the UTC time of a Unix timestamp. Raises Malformed where it is none or out of range."""
    try:
        seconds = number(value) / (1000 if milliseconds else 1)
        return datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)
    except (Malformed, OverflowError) as error:
        raise Malformed(f"not a time: was {value!r}", row) from error


def iso(value: object, row: int = 0) -> datetime:
    """Returns the UTC time of ISO text; text without a zone is read as UTC, a bare date as its midnight."""
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise Malformed(f"not a time: was {value!r}", row) from error
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def asset_map(raw: RawDocument) -> dict[str, str]:
    """Returns the asset ids by vendor id that were asked for, as the request was planned (option `assets`)."""
    return dict(json.loads(raw.options.get("assets", "{}")))
