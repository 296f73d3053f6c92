"""Live readers of events in this process, such as the hub that updates open pages."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from mercato.store import outbox
from mercato.store.engine import Store
from mercato.store.model import Delivered

PATIENCE = 5
log = logging.getLogger("mercato.store")

Reader = Callable[[Delivered], None]
"""Called from a worker's thread, once or more for each event, in the order of positions."""


class _Place:
    """How far one reader has come, and how often it failed at the next event."""

    def __init__(self, read: Reader, position: int) -> None:
        self.read, self.position, self.failures = read, position, 0


class Feed:
    """Hands each event that left the outbox to every reader of this process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._places: list[_Place] = []

    def subscribe(self, read: Reader, *, since: int | None = None) -> Callable[[], None]:
        """Adds a reader of the events after a position, by default of those yet to come; call the result to leave."""
        if since is None:
            with self._store.read() as session:
                since = outbox.last(session)
        place = _Place(read, since)
        with self._lock:
            self._places.append(place)

        def leave() -> None:
            with self._lock:
                if place in self._places:
                    self._places.remove(place)

        return leave

    def pump(self) -> int:
        """Hands out what is new and returns how many events that were, over all readers.

        A reader that raises gets the same event again at the next pump, and after five failures the one after it.
        """
        with self._lock:
            places = list(self._places)
        if not places:
            return 0
        with self._store.read() as session:
            events = outbox.after(session, min(place.position for place in places))
        return sum(_advance(place, events) for place in places)


def _advance(place: _Place, events: list[Delivered]) -> int:
    taken = 0
    for event in events:
        if event.position <= place.position:
            continue
        try:
            place.read(event)
        except Exception:  # a reader's fault must not stop the others
            place.failures += 1
            log.exception("reader failed at event %s (%s of %s tries)", event.id, place.failures, PATIENCE)
            if place.failures < PATIENCE:
                return taken
        place.position, place.failures = event.position, 0
        taken += 1
    return taken
