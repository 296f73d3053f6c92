"""The outbox: events commit with the change that they tell of, and leave for jobs and live readers afterwards.

Delivery is at least once, so whoever handles an event uses its id as a key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from mercato.core.events import Event
from mercato.store import jobs
from mercato.store.bare import Bare
from mercato.store.engine import Read, Transaction
from mercato.store.model import Delivered
from mercato.store.tables import event

BATCH = 200
_EMIT = sa.insert(event)  # built once: events are written in the middle of what should be quick
_LOCK = 0x6D6572636F7574  # one relay at a time on PostgreSQL, so that positions are given in order

Subscriptions = Mapping[str, Sequence[str]]
"""The kinds of jobs to make for each name of an event, such as {"launch.TokenLaunched": ["market.watch"]}."""


def emit(tx: Transaction | Bare, *events: Event) -> None:
    """Writes events that leave once the caller's transaction has committed, and never where it does not."""
    if not events:
        return
    if isinstance(tx, Bare):
        rows = [(item.id, item.name, tx.moment(item.time), json.dumps(item.body())) for item in events]
        tx.many("INSERT INTO store_event (id, name, time, body)", rows)
    else:
        tx.execute(_EMIT, [{"id": it.id, "name": it.name, "time": it.time, "body": it.body()} for it in events])
    tx.wake()


def relay(tx: Transaction, subscriptions: Subscriptions, now: datetime) -> int:
    """Gives waiting events their positions and makes the jobs that asked for them; returns how many it moved."""
    if tx.dialect == "postgresql":
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    waiting = sa.select(event).where(event.c.position.is_(None)).order_by(event.c.id).limit(BATCH)
    found = tx.execute(waiting).mappings().all()
    if not found:
        return 0
    placed = [{"which": row["id"], "place": place} for place, row in enumerate(found, start=last(tx) + 1)]
    tx.execute(
        sa.update(event).where(event.c.id == sa.bindparam("which")).values(position=sa.bindparam("place")), placed
    )
    for row in found:
        for kind in subscriptions.get(row["name"], ()):
            about = {"event": row["id"], "name": row["name"], "time": row["time"].isoformat(), "body": row["body"]}
            jobs.enqueue(tx, kind, about, key=row["id"], now=now)
    tx.wake()
    return len(found)


def after(session: Read, position: int, limit: int = BATCH) -> list[Delivered]:
    """Returns the events that left after a position, oldest first. None that leaves later has a smaller position."""
    query = sa.select(event).where(event.c.position > position).order_by(event.c.position).limit(limit)
    return [
        Delivered(position=row["position"], id=row["id"], name=row["name"], time=row["time"], body=row["body"])
        for row in session.execute(query).mappings()
    ]


def last(session: Read) -> int:
    """Returns the position of the newest event that left, 0 before the first."""
    newest: int | None = session.execute(sa.select(sa.func.max(event.c.position))).scalar()
    return newest or 0


def waiting(session: Read) -> int:
    """Returns how many events have not left yet."""
    count: int = session.execute(sa.select(sa.func.count()).where(event.c.position.is_(None))).scalar_one()
    return count


def prune(tx: Transaction, before: datetime) -> int:
    """Forgets events that left and are older than a time, except the newest, which keeps the count of positions."""
    newest = sa.select(sa.func.max(event.c.position)).scalar_subquery()
    old = sa.delete(event).where(event.c.position < newest, event.c.time < before)
    return tx.execute(old).rowcount
