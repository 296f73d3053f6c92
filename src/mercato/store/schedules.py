"""Jobs that recur. However many processes run, each time makes one job."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from mercato.store import jobs
from mercato.store.engine import Read, Transaction
from mercato.store.model import Schedule
from mercato.store.tables import schedule


def install(tx: Transaction, wanted: Sequence[Schedule], now: datetime) -> None:
    """Writes down when each schedule is next due; one whose times changed since starts anew, others keep their time."""
    insert = postgresql.insert if tx.dialect == "postgresql" else sqlite.insert
    for item in wanted:
        row = {"name": item.name, "due": item.after(now)}
        tx.execute(insert(schedule).values(row).on_conflict_do_nothing(index_elements=["name"]))
        late = sa.update(schedule).where(schedule.c.name == item.name, schedule.c.due > item.after(now))
        tx.execute(late.values(due=item.after(now)))


def tick(tx: Transaction, wanted: Sequence[Schedule], now: datetime) -> int:
    """Makes the jobs that are due and moves their schedules on; returns how many it made."""
    made = 0
    for item in wanted:
        ready = sa.select(schedule.c.due).where(schedule.c.name == item.name, schedule.c.due <= now)
        due = tx.execute(ready.with_for_update(skip_locked=True)).scalar()
        if due is None:
            continue
        key = f"{item.name}@{due.isoformat()}"
        jobs.enqueue(tx, item.kind, {**item.body, "due": due.isoformat()}, key=key, now=now)
        tx.execute(sa.update(schedule).where(schedule.c.name == item.name).values(due=item.after(now)))
        made += 1
    return made


def next_due(session: Read) -> dict[str, datetime]:
    """Returns when each schedule that was ever installed makes its next job."""
    rows = session.execute(sa.select(schedule.c.name, schedule.c.due))
    return {row.name: row.due for row in rows}
