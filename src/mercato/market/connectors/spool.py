"""Answers on their way to the market: on disk from the moment they are complete until they are committed.

A run that is killed between an answer and its commit finds the answer here, so it is committed without being fetched
again. Written to a temporary file, synced, renamed: a file that is here is whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mercato.core.errors import Conflict
from mercato.market.connectors.http import Answer


@dataclass(frozen=True, slots=True)
class Spool:
    """The folder of one source's answers that are not committed yet."""

    folder: Path

    def put(self, request: str, answer: Answer) -> None:
        """Keeps an answer until `drop`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        head = {"url": answer.url, "observed_at": answer.observed_at.isoformat(), "headers": dict(answer.headers)}
        path = self._path(request)
        temporary = path.with_suffix(".part")
        with temporary.open("wb") as file:
            file.write(json.dumps(head).encode() + b"\n" + answer.content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)

    def take(self, request: str) -> Answer | None:
        """Returns the answer that is kept for a request, if any."""
        path = self._path(request)
        if not path.exists():
            return None
        head, _, content = path.read_bytes().partition(b"\n")
        values = json.loads(head)
        return Answer(content, values["url"], datetime.fromisoformat(values["observed_at"]), values["headers"])

    def drop(self, request: str) -> None:
        """Forgets the answer of a request: it is committed."""
        self._path(request).unlink(missing_ok=True)

    def clear(self) -> None:
        """Forgets every answer: a new run begins."""
        for path in self.folder.glob("*.answer"):
            path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def held(self, source: str) -> Iterator[None]:
        """A context in which no other process works on this source. Raises Conflict where one does already."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("a") as file:
            try:
                _lock(file.fileno())
            except OSError as error:
                raise Conflict(
                    f"source {source!r} is being fetched by another process", hint="wait until it has finished"
                ) from error
            yield

    def _path(self, request: str) -> Path:
        return self.folder / f"{hashlib.sha256(request.encode()).hexdigest()[:32]}.answer"


def _lock(handle: int) -> None:
    """Takes an exclusive lock that ends with the process. Raises OSError where it is taken."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
