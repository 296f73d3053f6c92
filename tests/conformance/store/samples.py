"""An event, and short ways to do one thing in one transaction."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from mercato.core.clock import HandClock
from mercato.core.events import Event
from mercato.core.ids import JobId
from mercato.store import Store, enqueue, jobs
from mercato.store.model import Job

LEASE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class LampLit(Event):
    room: ClassVar[str] = "house"
    lamp: str


def add(store: Store, clock: HandClock, kind: str = "light", body: dict[str, Any] | None = None, **more: Any) -> JobId:
    with store.transaction() as tx:
        return enqueue(tx, kind, body or {}, now=clock.now(), **more)


def take(store: Store, clock: HandClock, owner: str = "a", kinds: tuple[str, ...] = ("light",)) -> Job | None:
    with store.transaction() as tx:
        return jobs.claim(tx, kinds, owner, clock.now(), LEASE)


def taken(store: Store, clock: HandClock, owner: str = "a") -> Job:
    found = take(store, clock, owner)
    assert found is not None
    return found


def look(store: Store, id: JobId) -> Job:
    with store.read() as session:
        return jobs.get(session, id)
