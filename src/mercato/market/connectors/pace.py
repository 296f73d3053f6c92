"""Time as connectors need it: what o'clock it is, how long something took, and waiting."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Pace(Protocol):
    """Where connectors get time from. Tests move it by hand."""

    def now(self) -> datetime:
        """Returns the current time in UTC."""

    def monotonic(self) -> float:
        """Returns seconds from an arbitrary start that never go back."""

    def sleep(self, seconds: float) -> None:
        """Waits."""


class SystemPace:
    """The machine's own time."""

    def now(self) -> datetime:
        """Returns the current time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Returns seconds from an arbitrary start that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Waits."""
        time.sleep(seconds)
