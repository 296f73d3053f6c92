"""Jobs: work that commits with the change that asked for it, and is done at least once, whoever dies on the way.

A worker holds a job by a lease. One that stops renewing it loses the job to another, and whatever the first still
tries to write is refused, because every write names the owner that it expects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from mercato.core.errors import Conflict, NotFound
from mercato.core.events import Json, as_json
from mercato.core.ids import JOBS, JobId
from mercato.store import tables
from mercato.store.engine import Read, Transaction
from mercato.store.errors import Cancelled, Lost
from mercato.store.model import Job, Move, State, sources, target
from mercato.store.tables import job

MAX_TRIES = 10
_COLUMNS = [column.name for column in job.columns]


def enqueue(
    tx: Transaction,
    kind: str,
    body: Mapping[str, object],
    *,
    now: datetime,
    key: str = "",
    due: datetime | None = None,
    max_tries: int = MAX_TRIES,
) -> JobId:
    """Adds a job to the caller's transaction and returns its id; where kind and key exist already, that job's id.

    Without a key every call makes a job. `due` puts it off until then.
    """
    made = JOBS.new()
    row = {
        "id": made,
        "kind": kind,
        "key": key or made,
        "body": as_json(body),
        "state": State.WAITING,
        "due": due or now,
        "tries": 0,
        "max_tries": max_tries,
        "cancelling": False,
        "made": now,
    }
    insert = _insert(tx).values(row).on_conflict_do_nothing(index_elements=["kind", "key"]).returning(job.c.id)
    if tx.execute(insert).first():
        tx.wake()
        return made
    return JobId(tx.execute(sa.select(job.c.id).where(job.c.kind == kind, job.c.key == key)).scalar_one())


def claim(tx: Transaction, kinds: Sequence[str], owner: str, now: datetime, lease: timedelta) -> Job | None:
    """Takes the job that is due longest, one whose owner let the lease run out included; None where nothing is due.

    A job taken over after its last try is buried instead, because it may be what kills the workers.
    """
    ready = sa.select(job.c.id).where(tables.OPEN, job.c.due <= now, job.c.kind.in_(kinds))
    ready = ready.order_by(job.c.due, job.c.id).limit(1)
    if tx.dialect == "postgresql":
        ready = ready.with_for_update(skip_locked=True)
    taken = {"owner": owner, "due": now + lease, "tries": job.c.tries + 1, "state": target(Move.CLAIM)}
    change = sa.update(job).where(job.c.id == ready.scalar_subquery()).values(taken).returning(*job.columns)
    row = tx.execute(change).mappings().first()
    if row is None:
        return None
    found = _job(row)
    if found.cancelling:
        _end(tx, found, Move.STOP, now)
        return claim(tx, kinds, owner, now, lease)
    if found.tries > found.max_tries:
        bury(tx, found, f"no worker survived it in {found.max_tries} tries", now)
        return claim(tx, kinds, owner, now, lease)
    return found


def renew(tx: Transaction, held: Job, now: datetime, lease: timedelta) -> None:
    """Lengthens the lease; Lost where another took the job, Cancelled where someone wants it stopped."""
    change = sa.update(job).where(*_held(held)).values(due=now + lease).returning(job.c.cancelling)
    row = tx.execute(change).first()
    if row is None:
        raise Lost(f"job {held.id!r} is no longer ours", hint="another worker goes on with it")
    if row.cancelling:
        raise Cancelled(f"job {held.id!r} was cancelled while it ran", hint="stop soon and leave things consistent")


def finish(tx: Transaction, held: Job, now: datetime) -> None:
    """Marks a job as done; Lost where another took it."""
    _end(tx, held, Move.FINISH, now)


def stop(tx: Transaction, held: Job, now: datetime) -> None:
    """Ends a running job that was cancelled; Lost where another took it."""
    _end(tx, held, Move.STOP, now)


def bury(tx: Transaction, held: Job, error: str, now: datetime) -> None:
    """Puts a job aside for a person to look at, with its last error; Lost where another took it."""
    _end(tx, held, Move.BURY, now, error=error)


def retry(tx: Transaction, held: Job, error: str, due: datetime) -> None:
    """Lets a job wait until it is tried again; Lost where another took it."""
    _move(tx, held, Move.RETRY, due=due, error=error, owner=None)


def release(tx: Transaction, held: Job, now: datetime) -> None:
    """Gives a job back untried, so that another worker takes it at once; Lost where another already did."""
    _move(tx, held, Move.RELEASE, due=now, owner=None, tries=held.tries - 1)
    tx.wake()


def cancel(tx: Transaction, id: JobId, now: datetime) -> None:
    """Cancels a waiting job at once and asks a running one to stop; Conflict where it has ended already."""
    ended = sa.update(job).where(job.c.id == id, job.c.state.in_(sources(Move.CANCEL)))
    if tx.execute(ended.values(state=target(Move.CANCEL), ended=now)).rowcount:
        return
    asked = sa.update(job).where(job.c.id == id, job.c.state.in_(sources(Move.STOP))).values(cancelling=True)
    if not tx.execute(asked).rowcount:
        raise Conflict(f"job {id!r} was {get(tx, id).state!r}", hint="only waiting and running jobs can be cancelled")


def revive(tx: Transaction, id: JobId, now: datetime) -> None:
    """Gives a dead job all its tries again; Conflict where it is not dead. Its remembered steps stay."""
    change = sa.update(job).where(job.c.id == id, job.c.state.in_(sources(Move.REVIVE)))
    values = {"state": target(Move.REVIVE), "due": now, "tries": 0, "owner": None, "ended": None}
    if not tx.execute(change.values(values)).rowcount:
        raise Conflict(f"job {id!r} was {get(tx, id).state!r}", hint="only dead jobs can be revived")
    tx.wake()


def get(session: Read, id: JobId) -> Job:
    """Returns a job; NotFound where there is none of that id."""
    row = session.execute(sa.select(job).where(job.c.id == id)).mappings().first()
    if row is None:
        raise NotFound(f"job was {id!r}, which does not exist", hint="finished jobs are forgotten after a while")
    return _job(row)


def listing(session: Read, state: State, limit: int = 100) -> list[Job]:
    """Returns the newest jobs in a state, such as the dead ones that a person should look at."""
    query = sa.select(job).where(job.c.state == state).order_by(job.c.id.desc()).limit(limit)
    return [_job(row) for row in session.execute(query).mappings()]


def counts(session: Read) -> dict[State, int]:
    """Returns how many jobs there are in each state."""
    rows = session.execute(sa.select(job.c.state, sa.func.count().label("count_")).group_by(job.c.state))
    return {State(row.state): row.count_ for row in rows}


def prune(tx: Transaction, before: datetime) -> int:
    """Forgets done and cancelled jobs that ended before a time, with their steps and keys; dead ones stay."""
    ended = [State.DONE, State.CANCELLED]
    return tx.execute(sa.delete(job).where(job.c.state.in_(ended), job.c.ended < before)).rowcount


def fence(tx: Transaction, held: Job) -> None:
    """Locks a held job for the rest of the transaction; Lost where another took it."""
    query = sa.select(job.c.id).where(*_held(held)).with_for_update()
    if tx.execute(query).first() is None:
        raise Lost(f"job {held.id!r} is no longer ours", hint="another worker goes on with it")


def _held(held: Job) -> list[sa.ColumnElement[bool]]:
    return [job.c.id == held.id, job.c.owner == held.owner, job.c.state == State.RUNNING]


def _end(tx: Transaction, held: Job, move: Move, now: datetime, **values: object) -> None:
    _move(tx, held, move, ended=now, owner=None, **values)


def _move(tx: Transaction, held: Job, move: Move, **values: object) -> None:
    change = sa.update(job).where(*_held(held), job.c.state.in_(sources(move)))
    if not tx.execute(change.values(state=target(move), **values)).rowcount:
        raise Lost(f"job {held.id!r} is no longer ours", hint="another worker goes on with it")


def _insert(tx: Transaction) -> Any:
    return postgresql.insert(job) if tx.dialect == "postgresql" else sqlite.insert(job)


def _job(row: sa.RowMapping) -> Job:
    values: dict[str, Any] = {name: row[name] for name in _COLUMNS}
    body: Mapping[str, Json] = values.pop("body")
    return Job(**{**values, "body": body, "state": State(values["state"])})
