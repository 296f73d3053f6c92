"""A node's own record: one line of JSON for each request, never what was asked or answered.

    {"at": …, "request": "req_…", "model": "tiny", "status": 200, "end": "done", "ms": 812, "prompt": 20, …}

It is what the owner compares with the gateway's receipts, and what the day's caps continue from after a restart.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import TextIO

from mercato.compute.node.caps import Used
from mercato.core.errors import ConfigError

LONGEST = 600  # octets of a line, about


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one request. `usage` was said by the upstream; `worth` is in micro-dollars at the offered price;
    `answered` is the SHA-256 of the answer's octets as they were sent."""

    at: str
    request: str
    model: str
    status: int
    end: str
    ms: int
    prompt: int
    completion: int
    cached: int
    worth: int
    answered: str = ""


FIELDS = tuple(one.name for one in fields(Line))


class Daybook:
    """A folder with a file for each day in UTC, such as `2026-01-31.jsonl`. Files are only added to; the owner may
    move old ones away."""

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise ConfigError(f"daybook {str(folder)!r} was not made: {error.strerror}", hint="a folder") from None
        self._folder, self._day = folder, ""
        self._file: TextIO | None = None

    def write(self, line: Line) -> None:
        """Adds a line to the file of its day; OSError where the disk does not take it."""
        today = line.at[:10]
        if self._file is None or today != self._day:
            self.close()
            self._file = open(_file(self._folder, today), "a", encoding="utf-8", opener=_private)  # noqa: SIM115  # it stays open for the day
            self._day = today
        self._file.write(json.dumps({name: getattr(line, name) for name in FIELDS}, separators=(",", ":")) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Closes the file that is open."""
        if self._file is not None:
            self._file.close()
            self._file = None


def day(folder: Path, today: date) -> Used:
    """Returns what the daybook has for one day in UTC; lines that are none, such as one cut off, count nothing."""
    requests = tokens = worth = 0
    path = _file(folder, today.isoformat())
    if path.exists():
        with path.open(encoding="utf-8", errors="replace") as file:
            for found in filter(None, map(_line, file)):
                requests, worth = requests + 1, worth + found.worth
                tokens += found.prompt + found.completion
    return Used(today, requests, tokens, worth)


def latest(folder: Path, most: int) -> dict[str, Line]:
    """Returns the last lines of the last two days by their request, so that receipts that come late find them."""
    texts: list[bytes] = []
    for path in sorted(folder.glob("*.jsonl"))[-2:]:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - most * LONGEST))
            texts += file.readlines()
    lines = [_line(text.decode("utf-8", "replace")) for text in texts[-most:]]
    return {line.request: line for line in lines if line}


def _file(folder: Path, day: str) -> Path:
    return folder / f"{day}.jsonl"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _line(text: str) -> Line | None:
    try:
        found = Line(**json.loads(text))
    except (ValueError, TypeError):
        return None
    whole = all(type(value) is int for value in (found.prompt, found.completion, found.cached, found.worth))
    return found if whole else None
