"""Where the room's files lie, and how one is written so that a reader never sees half of it.

HOME/market/
    raw/ab/abcd….zst         the bytes as they came, named by their SHA-256
    segments/ID/*.parquet    rows of one raw document, as one parser read it
    curated/, panel/         rebuilt from segments at any time
    translations/            SQL that expressions were translated to, made again at any time
    work/                    files being written; whatever a killed process left here is swept
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SWEEP_AFTER_SECONDS = 3600.0
#: The analytics engine keeps house in its own folder.
SPILL = "spill"


class Folders:
    """The folders of one room. Makes them when first used."""

    def __init__(self, home: Path) -> None:
        self.root = home / "market"
        self.raw = self.root / "raw"
        self.segments = self.root / "segments"
        self.curated = self.root / "curated"
        self.panel = self.root / "panel"
        self.work = self.root / "work"
        self.translations = self.root / "translations"

    def make(self) -> None:
        """Creates what is missing."""
        for folder in (self.raw, self.segments, self.curated, self.panel, self.work):
            folder.mkdir(parents=True, exist_ok=True)

    def sweep(self, older_than: float = SWEEP_AFTER_SECONDS) -> int:
        """Removes what killed processes left in `work`, once it is older than so many seconds; returns how many."""
        count = 0
        for path in self.work.iterdir() if self.work.is_dir() else ():
            with _missing_is_fine():
                if path.name != SPILL and time.time() - path.stat().st_mtime > older_than:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                    count += 1
        return count

    @contextmanager
    def aside(self) -> Iterator[Path]:
        """Gives an empty folder under `work` that is gone afterwards, unless it was moved into place."""
        self.make()
        folder = self.work / uuid.uuid4().hex
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def settle(path: Path, target: Path) -> None:
    """Moves a finished file or folder to its final name, flushed to disk. A target that exists already stays."""
    for item in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if item.is_file():
            _flush(item)
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        _flush(path)
        with _exists_is_fine():
            path.rename(target)
    else:
        os.replace(path, target)
    _flush(target.parent)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _missing_is_fine() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        return


@contextmanager
def _exists_is_fine() -> Iterator[None]:
    """Swallows only that a folder of this name is there with files in it: same name, same content."""
    try:
        yield
    except OSError as error:
        if error.errno not in (17, 39, 66):  # EEXIST, ENOTEMPTY on Linux and macOS
            raise
