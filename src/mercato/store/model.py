"""Jobs as values: the states they pass through, when they are tried again, and when they recur.

waiting --claim--> running --finish--> done
   ^  ^               | |
   |  +----retry------+ +--bury--> dead --revive--> waiting
   +-------release----+            (a waiting or running job may also end as cancelled)
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from mercato.core.errors import InvalidInput, MercatoError, Terminal
from mercato.core.events import Json
from mercato.core.ids import EventId, JobId

_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


class State(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"
    CANCELLED = "cancelled"


class Move(StrEnum):
    """What may happen to a job."""

    CLAIM = "claim"
    TAKE_OVER = "take over"
    FINISH = "finish"
    RETRY = "retry"
    RELEASE = "release"
    BURY = "bury"
    CANCEL = "cancel"
    STOP = "stop"
    REVIVE = "revive"


MOVES: Mapping[tuple[State, Move], State] = {
    (State.WAITING, Move.CLAIM): State.RUNNING,
    (State.RUNNING, Move.TAKE_OVER): State.RUNNING,
    (State.RUNNING, Move.FINISH): State.DONE,
    (State.RUNNING, Move.RETRY): State.WAITING,
    (State.RUNNING, Move.RELEASE): State.WAITING,
    (State.RUNNING, Move.BURY): State.DEAD,
    (State.WAITING, Move.CANCEL): State.CANCELLED,
    (State.RUNNING, Move.STOP): State.CANCELLED,
    (State.DEAD, Move.REVIVE): State.WAITING,
}
"""Every step that a job can take. What is not here cannot happen: each update names the states it may start from."""

OPEN = frozenset({State.WAITING, State.RUNNING})


def sources(move: Move) -> list[State]:
    """Returns the states from which a move may start."""
    return [state for state, made in MOVES if made is move]


def target(move: Move) -> State:
    """Returns the state to which a move leads; it is the same from wherever it starts."""
    (end,) = {end for (_, made), end in MOVES.items() if made is move}
    return end


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work. `key` is unique within its kind, so that asking twice makes one job."""

    id: JobId
    kind: str
    key: str
    body: Mapping[str, Json]
    state: State
    due: datetime
    tries: int
    max_tries: int
    cancelling: bool = False
    error: str | None = None
    owner: str | None = None
    made: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """An event as it left the outbox. `position` grows by one from event to event."""

    position: int
    id: EventId
    name: str
    time: datetime
    body: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait after the n-th failure: doubling from `first` up to `cap`, then shortened by up to half.

    The random part keeps jobs that failed together from coming back together.
    """

    first: timedelta = timedelta(seconds=1)
    cap: timedelta = timedelta(hours=1)
    chance: random.Random = field(default_factory=random.Random, compare=False)

    def delay(self, tries: int, error: BaseException | None = None) -> timedelta:
        """Returns the wait after `tries` tries; never less than the `retry_after` seconds that the error asks for."""
        doublings = min(max(tries, 1) - 1, 62)
        longest = min(self.cap.total_seconds(), self.first.total_seconds() * 2**doublings)
        asked = error.facts.get("retry_after") if isinstance(error, MercatoError) else None
        least = float(asked) if isinstance(asked, int | float) and 0 <= asked < 86_400 * 7 else 0.0
        return timedelta(seconds=max(least, longest * self.chance.uniform(0.5, 1.0)))


@dataclass(frozen=True, slots=True)
class Schedule:
    """A job that recurs: at `offset` after every multiple of `every`, counted from a Monday at midnight UTC.

    `every=timedelta(days=7), offset=timedelta(hours=6)` means Mondays at 06:00. Times missed while nothing ran
    become one job, not many.
    """

    name: str
    kind: str
    every: timedelta
    offset: timedelta = timedelta(0)
    body: Mapping[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.every < timedelta(seconds=1) or not timedelta(0) <= self.offset < self.every:
            raise InvalidInput(
                f"schedule {self.name!r} was every {self.every!r} at {self.offset!r}",
                hint="every is at least a second, and the offset lies within it",
            )

    def after(self, moment: datetime) -> datetime:
        """Returns the first time strictly later than a moment."""
        passed = (moment - _MONDAY - self.offset) // self.every
        return _MONDAY + self.offset + (passed + 1) * self.every


def hopeless(error: BaseException) -> bool:
    """Returns whether trying again cannot help: the error says so."""
    return isinstance(error, Terminal)
