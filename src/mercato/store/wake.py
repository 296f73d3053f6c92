"""How a worker learns at once that there is something to do. It only wakes: what to do is always read from tables."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg
from sqlalchemy.engine import URL

from mercato.store.bare import CHANNEL

LISTEN_SECONDS = 1.0


class Wake:
    """A bell that several threads of this process can wait for."""

    def __init__(self) -> None:
        self._rung = threading.Condition()
        self._count = 0

    def set(self) -> None:
        """Rings: everyone who waits goes on."""
        with self._rung:
            self._count += 1
            self._rung.notify_all()

    @property
    def count(self) -> int:
        """Returns how often it rang; read it before looking for work, then wait for a later ring."""
        return self._count

    def wait(self, seen: int, seconds: float) -> None:
        """Waits until it has rung more often than `seen`, at most that long."""
        with self._rung:
            self._rung.wait_for(lambda: self._count > seen, timeout=seconds)


def listen(url: URL, wake: Wake, stopped: Callable[[], bool]) -> None:
    """Rings for every notification from PostgreSQL until `stopped`; polling goes on without it where it fails."""
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"LISTEN {CHANNEL}")
        while not stopped():
            for _ in connection.notifies(timeout=LISTEN_SECONDS, stop_after=1):
                wake.set()
