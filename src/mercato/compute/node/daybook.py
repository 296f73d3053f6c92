"""A node's own record: one line of JSON for each request, never what was asked or answered.

    {"at": …, "request": "req_…", "model": "tiny", "status": 200, "end": "done", "ms": 812, "prompt": 20, …}

It is what the owner compares with the gateway's receipts, and what the day's caps continue from after a restart.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path

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


class Daybook:
    """The file. It is only added to; the owner may move it away at any time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"daybook {str(path)!r} was not writable: {error.strerror}", hint="a file") from None
        path.chmod(0o600)

    def write(self, line: Line) -> None:
        """Adds a line."""
        self._file.write(json.dumps(asdict(line), separators=(",", ":")) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def day(path: Path, today: date) -> Used:
    """Returns what the daybook has for one day in UTC; lines that are none, such as one cut off, count nothing."""
    requests = tokens = worth = 0
    if path.exists():
        with path.open(encoding="utf-8", errors="replace") as file:
            for text in file:
                found = _line(text)
                if found and datetime.fromisoformat(found.at).date() == today:
                    requests, worth = requests + 1, worth + found.worth
                    tokens += found.prompt + found.completion
    return Used(today, requests, tokens, worth)


def latest(path: Path, most: int) -> dict[str, Line]:
    """Returns the last lines of a daybook by their request, so that receipts that come late find them."""
    if not path.exists():
        return {}
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - most * LONGEST))
        lines = [_line(text.decode("utf-8", "replace")) for text in file.readlines()[-most:]]
    return {line.request: line for line in lines if line}


def _line(text: str) -> Line | None:
    try:
        return Line(**json.loads(text))
    except (ValueError, TypeError):
        return None
