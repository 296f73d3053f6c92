"""Rows of text from CSV, plain or compressed with gzip or zstd, in blocks that fit in memory.

A line is a row: one broken line costs one row, never its neighbours. A compressed stream that was cut gives every
whole row before the cut.
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import zstandard

from mercato.core.errors import InvalidInput
from mercato.market.model import Rejected

BLOCK = 8 << 20
CHUNK = 1 << 18
LONGEST_LINE = 1 << 20
#: Quotes, NUL bytes and blank lines: blocks that hold one are read line by line.
ODD = (b'"', b"\0", b"\n\n", b"\n\r\n")
GZIP, ZSTD, BOM = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows as text columns, the 1-based number of each among the data rows, and the rows that could not be read."""

    rows: pa.Table
    numbers: np.ndarray
    rejected: tuple[Rejected, ...]


class Inflated:
    """Reads a stream through gzip or zstd where its first bytes say so. `cut` tells that it ended too early."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self.cut = stream, ""
        self._head = stream.read(4)
        self._kind = "gzip" if self._head[:2] == GZIP else "zstd" if self._head == ZSTD else ""

    def chunks(self) -> Iterator[bytes]:
        """Yields the content piece by piece."""
        if not self._kind:
            yield self._head
            while data := self._stream.read(CHUNK):
                yield data
            return
        try:
            yield from self._members()
        except (zlib.error, zstandard.ZstdError) as error:
            self.cut = f"the {self._kind} stream is damaged ({error})"

    def _members(self) -> Iterator[bytes]:
        """Yields the content of every compressed member; several may follow each other."""
        data: bytes = self._head
        engine: Any = None
        while data := data or self._stream.read(CHUNK):
            if engine is None:
                gzip = self._kind == "gzip"
                engine = zlib.decompressobj(wbits=31) if gzip else zstandard.ZstdDecompressor().decompressobj()
            yield engine.decompress(data)
            data = engine.unused_data if engine.eof else b""
            engine = None if engine.eof else engine
        if engine is not None:
            self.cut = f"the {self._kind} stream ends before its end marker"


def blocks(stream: BinaryIO) -> Iterator[tuple[bytes, str]]:
    """Yields blocks of whole lines; the last one may lack its end, and says why the stream was cut, if it was."""
    inflated = Inflated(stream)
    pieces: list[bytes] = []
    size = 0
    for chunk in inflated.chunks():
        pieces.append(chunk)
        size += len(chunk)
        if size < BLOCK:
            continue
        whole = b"".join(pieces)
        end = whole.rfind(b"\n") + 1
        if end == 0:
            raise InvalidInput(f"a line was longer than {BLOCK} bytes", hint="this is no CSV with one row per line")
        yield whole[:end], ""
        pieces, size = [whole[end:]], len(whole) - end
    yield b"".join(pieces), inflated.cut


def header(line: bytes) -> tuple[str, ...]:
    """Returns the column names of a header line; InvalidInput where it is not UTF-8 text."""
    if line[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InvalidInput("the file was UTF-16 text", hint="save it as UTF-8")
    try:
        text = line.removeprefix(BOM).decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise InvalidInput(f"the header was {line[:80]!r}, which is not UTF-8", hint="save the file as UTF-8") from None
    if "\0" in text:
        raise InvalidInput("the header held NUL bytes", hint="this is no text file; give CSV or Parquet")
    return tuple(name.strip() for name in next(csv.reader([text]), []))


class Lines:
    """The rows of a CSV stream: `columns` from its first line, then batches. InvalidInput where it is empty."""

    def __init__(self, stream: BinaryIO) -> None:
        self._blocks = blocks(stream)
        self._first, self._cut = next(self._blocks)
        line, newline, self._first = self._first.partition(b"\n")
        if not line.strip():
            reason = f": {self._cut}" if self._cut else ""
            raise InvalidInput(f"the file was empty{reason}", hint="give a file with a header and rows")
        self._headed = bool(newline)
        self.columns = header(line)

    def batches(self) -> Iterator[Batch]:
        """Yields the rows; a cut stream ends with one refused entry that names the row where it was cut."""
        done = 0
        block, cut = self._first, self._cut
        while True:
            whole, partial = _whole(block) if cut else (block, b"")
            if whole:
                batch, lines = parse(whole, self.columns, done)
                yield batch
                done += lines
            if cut:
                gone = Rejected(done + 1, f"truncated: {cut}; rows before this one were kept", _text(partial))
                yield Batch(_empty(self.columns), np.empty(0, np.int64), (gone,))
            following = next(self._blocks, None)
            if following is None:
                return
            block, cut = following


def _whole(block: bytes) -> tuple[bytes, bytes]:
    end = block.rfind(b"\n") + 1
    return block[:end], block[end:]


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r\n")


def _empty(columns: tuple[str, ...]) -> pa.Table:
    return pa.table({name: pa.array([], pa.string()) for name in columns})


def parse(block: bytes, columns: tuple[str, ...], done: int) -> tuple[Batch, int]:
    """Returns the rows of a block of whole lines, the first being number `done` + 1, and how many lines it had."""
    lines = block.count(b"\n") + (not block.endswith(b"\n"))
    if not any(mark in block for mark in ODD) and block[:1] not in (b"\n", b"\r"):
        try:
            rows = _fast(block, columns)
        except pa.ArrowInvalid:  # some line is broken: look at each on its own
            return _slow(block, columns, done), lines
        if rows.num_rows == lines:
            return Batch(rows, np.arange(done + 1, done + 1 + lines), ()), lines
    return _slow(block, columns, done), lines


def _fast(block: bytes, columns: tuple[str, ...]) -> pa.Table:
    text = pacsv.ConvertOptions(
        column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False, quoted_strings_can_be_null=False
    )
    read = pacsv.ReadOptions(column_names=list(columns), use_threads=True, block_size=BLOCK + LONGEST_LINE)
    plain = pacsv.ParseOptions(quote_char=False, ignore_empty_lines=False)
    return pacsv.read_csv(pa.BufferReader(block), read, plain, text)


def _slow(block: bytes, columns: tuple[str, ...], done: int) -> Batch:
    cells: list[list[str]] = []
    numbers: list[int] = []
    rejected: list[Rejected] = []
    for number, line in enumerate(block.splitlines() if b"\n" not in block else block.split(b"\n"), done + 1):
        if not line.strip():
            continue
        row, reason = _row(line, len(columns))
        if reason:
            rejected.append(Rejected(number, reason, _text(line)))
        else:
            cells.append(row)
            numbers.append(number)
    by_column = zip(*cells, strict=True) if cells else [()] * len(columns)
    rows = pa.table([pa.array(list(column), pa.string()) for column in by_column], names=list(columns))
    return Batch(rows, np.array(numbers, np.int64), tuple(rejected))


def _row(line: bytes, width: int) -> tuple[list[str], str]:
    try:
        text = line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        return [], f"wrong encoding: byte {error.start} was {line[error.start]:#04x}, which is not UTF-8"
    try:
        row = next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        return [], f"malformed row: {error}"
    if len(row) != width:
        return [], f"malformed row: it had {len(row)} columns, expected {width}"
    if "\0" in text:
        return [], "malformed row: it held a NUL byte"
    return row, ""
