"""How far a season is: told to the terminal and to open pages, and read by pages that are opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import ClassVar, Literal

from mercato.core.events import Event
from mercato.store import Store, emit

Stage = Literal["waiting", "living", "measuring", "live", "failed"]
STEPS = 40  # times that open pages hear of it


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the local economy stands: `day` of `days`, what happens now, and the parts of a thousand that are done."""

    stage: Stage = "waiting"
    day: int = 0
    days: int = 0
    doing: str = ""
    done: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonMoved(Event):
    """The season is further than before, or over."""

    room: ClassVar[str] = "season"

    stage: str
    day: int
    days: int
    done: int


Listener = Callable[[Progress], None]


class Board:
    """Holds the newest progress; written by one thread, read by any."""

    def __init__(self, listeners: Iterable[Listener] = ()) -> None:
        self._lock, self._now, self._listeners = Lock(), Progress(), tuple(listeners)

    def post(self, progress: Progress) -> None:
        """Replaces the progress and tells the listeners."""
        with self._lock:
            self._now = progress
        for listener in self._listeners:
            listener(progress)

    def read(self) -> Progress:
        """Returns the newest progress."""
        with self._lock:
            return self._now


class Announcer:
    """Tells open pages, through the outbox: at every change of stage, and some times in between."""

    def __init__(self, store: Store) -> None:
        self._store, self._told = store, ("", -1)

    def __call__(self, progress: Progress) -> None:
        """Emits an event where enough has changed."""
        step = (progress.stage, progress.done * STEPS // 1000)
        if step == self._told:
            return
        self._told = step
        said = SeasonMoved(
            time=datetime.now(UTC), stage=progress.stage, day=progress.day, days=progress.days, done=progress.done
        )
        with self._store.transaction() as tx:
            emit(tx, said)
