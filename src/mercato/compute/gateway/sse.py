"""Server-sent events cut out of a stream of bytes, which may come in any pieces, without changing one of them.

    for event in events.feed(chunk):
        event.raw            # the bytes as they came, with the blank line that ends them
        event.data           # what follows `data:`, b"" for a comment

Lines end by CRLF, LF or CR (WHATWG HTML, section 9.2.5). Joining every `raw` and `rest` gives the stream again.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mercato.compute.errors import Unreached

_BLANK = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?!\n))")
_LINES = re.compile(rb"\r\n|\n|\r")
_MARK = b"\xef\xbb\xbf"
DONE = b"[DONE]"


class Event(NamedTuple):
    """One event: its bytes, and its data with lines joined."""

    raw: bytes
    data: bytes


class Events:
    """Cuts a stream into events. An event larger than `most` octets raises Unreached."""

    def __init__(self, most: int = 8 << 20) -> None:
        self._most, self._rest = most, bytearray()
        self._returns = False  # whether a CR may be in the rest

    @property
    def rest(self) -> bytes:
        """Returns what came after the last whole event."""
        return bytes(self._rest)

    def feed(self, chunk: bytes) -> list[Event]:
        """Returns the events that a chunk completes."""
        if not self._rest and b"\r" not in chunk:
            found, end = _cut(chunk, 0)
            self._keep(chunk[end:])
            return found
        seen = max(0, len(self._rest) - 3)
        self._returns |= b"\r" in chunk
        self._rest += chunk  # in place: an event that comes in very many pieces is not copied for each of them
        if not self._returns:
            found, end = _cut(self._rest, seen)
        else:
            found, end = [], 0
            for blank in _BLANK.finditer(self._rest, seen):
                found.append(_event(bytes(self._rest[end : blank.end()])))
                end = blank.end()
        del self._rest[:end]
        self._returns &= bool(self._rest)
        self._keep(b"")
        return found

    def _keep(self, tail: bytes) -> None:
        self._rest += tail
        if len(self._rest) > self._most:
            raise Unreached("size", f"provider sent an event of more than {self._most} octets")


def _cut(text: bytes | bytearray, seen: int) -> tuple[list[Event], int]:
    """Returns the events of a text whose lines end by LF, and where the last one ends."""
    found: list[Event] = []
    start = 0
    while (at := text.find(b"\n\n", max(seen, start))) >= 0:
        found.append(_event(bytes(text[start : at + 2])))
        start = at + 2
    return found, start


def _event(raw: bytes) -> Event:
    if raw.startswith(b"data:") and raw.find(b"\n") == len(raw) - 2:  # nearly all are one line, ended by LF
        return Event(raw, raw[5:].strip())
    lines = _LINES.split(raw.removeprefix(_MARK))
    data = [line[5:].removeprefix(b" ") if line != b"data" else b"" for line in lines if _is_data(line)]
    return Event(raw, b"\n".join(data).strip())


def _is_data(line: bytes) -> bool:
    return line.startswith(b"data:") or line == b"data"
