"""Raw bytes: kept once under their SHA-256, compressed, never changed."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import zstandard

from mercato.core.errors import Conflict, NotFound
from mercato.market.layers.files import Folders, settle

CHUNK = 1 << 20
LEVEL = 3

Progress = Callable[[str, int, int], None]


class RawBlobs:
    """The store of raw bytes of one room."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders

    def path(self, sha: str) -> Path:
        """Returns where the bytes with that hash are or would be."""
        return self._folders.raw / sha[:2] / f"{sha}.zst"

    def keep(self, stream: BinaryIO, *, progress: Callable[[int], None] | None = None) -> tuple[str, int]:
        """Reads a stream to its end and keeps it; returns its SHA-256 and its size in bytes."""
        digest, size = hashlib.sha256(), 0
        with self._folders.aside() as folder:
            aside = folder / "raw.zst"
            with aside.open("wb") as out, zstandard.ZstdCompressor(level=LEVEL).stream_writer(out, closefd=False) as to:
                while chunk := stream.read(CHUNK):
                    digest.update(chunk)
                    to.write(chunk)
                    size += len(chunk)
                    if progress:
                        progress(size)
            sha = digest.hexdigest()
            if not self.path(sha).exists():
                settle(aside, self.path(sha))
        return sha, size

    def open(self, sha: str) -> BinaryIO:
        """Returns the bytes with that hash as a stream; NotFound where they are not kept here."""
        path = self.path(sha)
        if not path.exists():
            raise NotFound(f"raw document was {sha!r}, which is not kept here", hint=f"expected it at {path}")
        handle = path.open("rb")
        reader = zstandard.ZstdDecompressor().stream_reader(handle, closefd=True)
        return io.BufferedReader(reader, CHUNK)

    def read(self, sha: str) -> bytes:
        """Returns the bytes with that hash, checked against it; Conflict where the file was damaged."""
        with self.open(sha) as stream:
            content = stream.read()
        if hashlib.sha256(content).hexdigest() != sha:
            raise Conflict(f"raw document {sha!r} no longer has that hash", hint="restore the file from a backup")
        return content
