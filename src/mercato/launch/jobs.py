"""What the room does later: rounds whose time is over, auctions that are due, deposits to give back.

A job every minute does it anywhere; `Watch` is a thread that does it more often beside a chain of one's own, so that
pages see a bid soon after it was made. Both look at what is there first, so they may meet, die and start over freely.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from mercato.core.errors import MercatoError
from mercato.store.model import Schedule
from mercato.store.run import Run
from mercato.store.worker import Handler

if TYPE_CHECKING:
    from mercato.launch.service import Launches

KEEP = "launch.keep"
SUBSCRIPTIONS: Mapping[str, list[str]] = {}
SCHEDULES = (Schedule(KEEP, KEEP, every=timedelta(minutes=1)),)
log = logging.getLogger("mercato.launch")


def handlers(room: Launches) -> Mapping[str, Handler]:
    """Returns what to do for each kind of job."""
    return {KEEP: lambda run: kept(room, run)}


def kept(room: Launches, run: Run) -> None:
    """Does everything that is due; a worker that wants to end is obeyed between two parts."""
    for part in (room.advance_due, room.sync_all, room.keep_all, room.settle_deposits, room.forget_drafts):
        run.check()
        part()


class Watch:
    """A thread that keeps and mirrors launches every `seconds`."""

    def __init__(self, room: Launches, seconds: float = 1.0) -> None:
        self._room, self._seconds = room, seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._look, name="mercato-launch-watch", daemon=True)

    def start(self) -> None:
        """Starts the thread; returns at once."""
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Ends it after what it is doing."""
        self._stopping.set()
        self._thread.join(timeout)

    def _look(self) -> None:
        while not self._stopping.wait(self._seconds):
            try:
                self.turn()
            except MercatoError as error:  # the chain or the database may be away for a while; the next turn goes on
                log.warning("launches could not be kept: %s", error)

    def turn(self) -> int:
        """Does once what is due on the chain; returns how many transactions it took."""
        sent = self._room.keep_all()
        self._room.sync_all()
        return sent
