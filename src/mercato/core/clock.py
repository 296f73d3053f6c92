"""Time that can be handed in: the system's clock at run time, one moved by hand in tests.

The time of a block on a chain is a different thing, and is never read from here.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from mercato.core.errors import InvalidInput


class Clock(Protocol):
    """Tells the time and waits. Everything that depends on time takes one."""

    def now(self) -> datetime:
        """Returns the present moment, aware, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Waits that long; zero or less returns at once."""
        ...


class SystemClock:
    """The clock of this computer."""

    def now(self) -> datetime:
        """Returns the present moment in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Waits that many seconds."""
        time.sleep(max(0.0, seconds))


class HandClock:
    """A clock that stands still until a test moves it. `sleep` moves it too and writes down how long, in `slept`."""

    def __init__(self, start: datetime) -> None:
        self._now = utc(start)
        self._lock = threading.Lock()
        self.slept: list[float] = []

    def now(self) -> datetime:
        """Returns the moment at which the clock stands."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Moves the clock by that many seconds, at once."""
        with self._lock:
            self.slept.append(seconds)
        self.move(timedelta(seconds=max(0.0, seconds)))

    def move(self, by: timedelta) -> None:
        """Moves the clock forward; InvalidInput for a negative step, because time does not run back."""
        if by < timedelta(0):
            raise InvalidInput(f"clock step was {by!r}", hint="a clock moves forward only")
        with self._lock:
            self._now += by


def utc(moment: datetime) -> datetime:
    """Returns the same moment in UTC; InvalidInput where it has no time zone, because a guess would be wrong."""
    if moment.utcoffset() is None:
        raise InvalidInput(f"time was {moment!r}, without a time zone", hint="give an aware time, such as one in UTC")
    return moment.astimezone(UTC)
