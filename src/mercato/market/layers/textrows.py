"""Rows of text from CSV, plain or compressed with gzip or zstd, in blocks that fit in memory.

A line is a row: one broken line costs one row, never its neighbours. A compressed stream that was cut gives every
whole row before the cut.
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import zstandard

from mercato.core.errors import InvalidInput
from mercato.market.model import Rejected

BLOCK = 8 << 20
CHUNK = 1 << 18
LONGEST_LINE = 1 << 20
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
        head = stream.read(4)
        self._kind = "gzip" if head[:2] == GZIP else "zstd" if head == ZSTD else ""
        self._engine, self._pending = self._new(), head

    def _new(self) -> zlib._Decompress | zstandard.ZstdDecompressionObj | None:
        if self._kind == "gzip":
            return zlib.decompressobj(wbits=31)
        return zstandard.ZstdDecompressor().decompressobj() if self._kind else None

    def chunks(self) -> Iterator[bytes]:
        """Yields the content piece by piece."""
        while data := self._pending or self._stream.read(CHUNK):
            self._pending = b""
            if self._engine is None:
                yield data
                continue
            try:
                yield self._engine.decompress(data)
            except (zlib.error, zstandard.ZstdError) as error:
                self.cut = f"the {self._kind} stream is damaged ({error})"
                return
            if self._engine.eof:
                self._pending = self._engine.unused_data
                self._engine = self._new()
        if self._kind and self._begun():
            self.cut = f"the {self._kind} stream ends before its end marker"

    def _begun(self) -> bool:
        """Returns whether the current compressed member was left unfinished; a fresh one after the last is not."""
        return self._engine is not None and bool(getattr(self, "_member", True)) and not self._fresh

    _fresh = False


def blocks(stream: BinaryIO) -> Iterator[tuple[bytes, str]]:
    """Yields blocks of whole lines, and with the last one, which may lack its end, why the stream was cut."""
    inflated, rest = Inflated(stream), b""
    for chunk in inflated.chunks():
        rest += chunk
        if len(rest) >= BLOCK:
            end = rest.rfind(b"\n") + 1
            if end == 0 and len(rest) > BLOCK + LONGEST_LINE:
                raise InvalidInput(f"a line was longer than {BLOCK} bytes", hint="this is no CSV with one row per line")
            if end:
                yield rest[:end], ""
                rest = rest[end:]
    yield rest, inflated.cut
