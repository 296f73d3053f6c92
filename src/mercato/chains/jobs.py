"""What keeps the index up to date: a job every minute anywhere, and a thread beside a chain of one's own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from datetime import timedelta

from mercato.chains.service import Indexer
from mercato.core.errors import MercatoError
from mercato.store import Schedule
from mercato.store.run import Run
from mercato.store.worker import Handler

INDEX = "chains.index"
SUBSCRIPTIONS: Mapping[str, list[str]] = {}
SCHEDULES = (Schedule(INDEX, INDEX, every=timedelta(minutes=1)),)
log = logging.getLogger("mercato.chains")


def handlers(indexer: Indexer) -> Mapping[str, Handler]:
    """Returns what to do for each kind of job."""
    return {INDEX: lambda run: indexed(indexer, run)}


def indexed(indexer: Indexer, run: Run) -> None:
    """Reads on from where the index stands until it is at the top, or the worker wants to end."""

    def stop() -> bool:
        run.check()
        return run.stopping

    indexer.sync(stop)


class Follower:
    """A thread that reads every `seconds`, so that pages see a block soon after it was made."""

    def __init__(self, indexer: Indexer, seconds: float = 0.5) -> None:
        self._indexer, self._seconds = indexer, seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="mercato-chains-follower", daemon=True)

    def start(self) -> None:
        """Starts the thread; returns at once."""
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Ends it after the range that it is reading."""
        self._stopping.set()
        self._thread.join(timeout)

    def _follow(self) -> None:
        while not self._stopping.wait(self._seconds):
            try:
                self._indexer.sync(self._stopping.is_set)
            except MercatoError as error:  # the chain may be away for a while; the next turn goes on
                log.warning("chain %s could not be read: %s", self._indexer.chain.name, error)
