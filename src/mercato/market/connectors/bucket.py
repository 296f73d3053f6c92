"""A token bucket: at most so many calls a minute to one account, with a small burst."""

from __future__ import annotations

import threading

from mercato.core.clock import Clock


class TokenBucket:
    """Holds `burst` calls and refills at `per_minute`. Shared by every thread that talks to the same account."""

    def __init__(self, per_minute: float, burst: int, clock: Clock) -> None:
        if per_minute <= 0 or burst < 1:
            raise ValueError(f"per_minute was {per_minute!r} and burst {burst!r}; both must be positive")
        self.per_second, self.burst, self._clock = per_minute / 60, burst, clock
        self._tokens = float(burst)
        self._at = clock.now().timestamp()
        self._lock = threading.Lock()

    def take(self) -> float:
        """Takes one call, waiting until it is due. Returns the seconds waited."""
        with self._lock:
            now = self._clock.now().timestamp()
            self._tokens = min(self.burst, self._tokens + max(0.0, now - self._at) * self.per_second)
            self._at = now
            self._tokens -= 1  # may go below zero: later callers queue behind this one
            wait = max(0.0, -self._tokens / self.per_second)
        if wait:
            self._clock.sleep(wait)
        return wait
