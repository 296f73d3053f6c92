"""Makes a raw document from a file of posts: JSON Lines, or CSV with its columns named."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from mercato.core.errors import InvalidInput
from mercato.market.connectors.documents import jsonl, table
from mercato.market.connectors.narratives import CURRENT
from mercato.market.model import RawDocument

LARGEST = 1_000_000_000


def document(path: Path, source: str, columns: Sequence[str], now: datetime) -> RawDocument:
    """Returns the file as a raw document for the parser of its kind.

    Raises InvalidInput where it cannot be read, is too large or is a broken gzip, or where `columns` (`meaning=column`)
    do not fit the kind of file.
    """
    name = path.name.removesuffix(".gz")
    options = dict(part.split("=", 1) for part in columns if "=" in part)
    if len(options) != len(columns):
        raise InvalidInput(f"--column was {columns!r}", hint="write meaning=column, such as id=tweet_id, once each")
    if name.endswith((".jsonl", ".ndjson")) and not columns:
        parser, kind = jsonl.PARSER, "application/x-ndjson"
    elif name.endswith(".csv") and columns:
        parser, kind = table.PARSER, "text/csv"
    else:
        raise InvalidInput(f"file was {path.name!r}", hint="give .jsonl, or .csv with --column options")
    return RawDocument(
        content=_content(path),
        source=source,
        parser=parser,
        observed_at=now,
        request=f"file {path.name}",
        media_type=kind,
        licence="as the source of the file says",
        options={**options, "classifier": CURRENT},
    )


def _content(path: Path) -> bytes:
    try:
        with gzip.open(path) if path.name.endswith(".gz") else path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InvalidInput(f"{str(path)!r} was no whole gzip file: {error}", hint="fetch it again") from error
    except OSError as error:
        raise InvalidInput(f"{str(path)!r} could not be read: {error.strerror}") from error
    if len(content) > LARGEST:
        raise InvalidInput(f"{str(path)!r} held more than {LARGEST} bytes", hint="split it")
    return bytes(content)
