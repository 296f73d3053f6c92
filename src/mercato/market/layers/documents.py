"""What an import parser is given: a raw document that is read as a stream, because it may not fit in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from mercato.core.errors import Conflict
from mercato.market.model import Asset, Parsed


@dataclass(frozen=True, slots=True)
class RawFile:
    """One raw document to read. `spill` copies it to a plain file, for formats that need to jump about."""

    name: str
    source: str
    open: Callable[[], BinaryIO]
    spill: Callable[[], Path]
    options: Mapping[str, str] = field(default_factory=dict)
    assets: Sequence[Asset] = ()


Stream = Callable[[RawFile], Iterator[Parsed]]

STREAMS: dict[str, Stream] = {}


def streams(name: str) -> Callable[[Stream], Stream]:
    """Returns a decorator that makes a function known as the import parser `name`, such as `import.canonical/1`."""

    def keep(function: Stream) -> Stream:
        if name in STREAMS:
            raise Conflict(f"import parser {name!r} exists already", hint="a changed parser needs a new version number")
        STREAMS[name] = function
        return function

    return keep
