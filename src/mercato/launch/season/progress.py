"""How far a season is: told to a terminal and to pages."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import Literal

Stage = Literal["waiting", "living", "measuring", "live", "failed"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the local economy stands: `day` of `days`, what happens now, and the parts of a thousand that are done."""

    stage: Stage = "waiting"
    day: int = 0
    days: int = 0
    doing: str = ""
    done: int = 0


class Board:
    """Holds the newest progress; written by one thread, read by any."""

    def __init__(self) -> None:
        self._lock, self._now = Lock(), Progress()

    def post(self, progress: Progress) -> None:
        """Replaces the progress."""
        with self._lock:
            self._now = progress

    def read(self) -> Progress:
        """Returns the newest progress."""
        with self._lock:
            return self._now
