"""The clock of the local economy: it stands where the season is, and shows this computer's time afterwards."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SeasonClock:
    """Serves the rooms as their clock and the chain as its own, so that both always agree."""

    def __init__(self) -> None:
        self._fixed: int | None = None

    def stand(self, seconds: int) -> None:
        """Stands at a moment, in seconds since 1970, until it is moved or let go."""
        self._fixed = seconds

    def go(self) -> None:
        """Shows this computer's time from now on."""
        self._fixed = None

    def seconds(self) -> float:
        """Returns the present moment in seconds since 1970."""
        return time.time() if self._fixed is None else self._fixed

    def now(self) -> datetime:
        """Returns the present moment in UTC."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def sleep(self, seconds: float) -> None:
        """Waits that long; while it stands it moves on instead."""
        if self._fixed is None:
            time.sleep(max(0.0, seconds))
        else:
            self._fixed += max(0, round(seconds))
