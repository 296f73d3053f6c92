"""What a job's handler holds while it works: the job, and steps that are remembered across crashes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa

from mercato.core.clock import Clock
from mercato.core.errors import MercatoError
from mercato.core.events import Json, as_json
from mercato.store import jobs
from mercato.store.engine import Read, Store, Transaction
from mercato.store.model import Job
from mercato.store.tables import step


class Run:
    """One try at one job. Long handlers call `check` now and then, and stop where it raises.

    `once` and `atomically` remember what they returned, so that a later try goes on where an earlier one ended.
    """

    def __init__(self, store: Store, clock: Clock, job: Job, stopping: threading.Event) -> None:
        self.store, self.clock, self.job = store, clock, job
        self._stopping = stopping
        self._interrupt: MercatoError | None = None

    @property
    def stopping(self) -> bool:
        """Returns whether the worker wants to end; a handler may then raise Transient work back, or finish soon."""
        return self._stopping.is_set()

    def check(self) -> None:
        """Raises Lost or Cancelled where this try should not go on."""
        if self._interrupt:
            raise self._interrupt

    def once(self, name: str, work: Callable[[], object]) -> Json:
        """Does work outside the database and returns its result; a later try gets the remembered result instead.

        A crash between the work and the memory of it repeats the work, so hand its receiver a key such as the job's
        id and this name.
        """
        with self.store.read() as session:
            if known := _remembered(session, self.job, name):
                return known[0]
        self.check()
        result = as_json(work())
        with self.store.transaction() as tx:
            _remember(tx, self.job, name, result)
        return result

    def atomically(self, name: str, work: Callable[[Transaction], object]) -> Json:
        """Changes the database and remembers it in one transaction: the change happens exactly once.

        Raises Lost, and changes nothing, where another worker took the job over.
        """
        with self.store.transaction() as tx:
            if known := _remembered(tx, self.job, name):
                return known[0]
            jobs.fence(tx, self.job)
            result = as_json(work(tx))
            _remember(tx, self.job, name, result)
        return result

    def renew(self, lease: timedelta) -> None:
        """Lengthens the lease; what stands against it is raised by the next `check`."""
        try:
            with self.store.transaction() as tx:
                jobs.renew(tx, self.job, self.clock.now(), lease)
        except MercatoError as error:
            self._interrupt = error


def _remembered(session: Read, job: Job, name: str) -> list[Json]:
    query = sa.select(step.c.result).where(step.c.job == job.id, step.c.name == name)
    return list(session.execute(query).scalars())


def _remember(tx: Transaction, job: Job, name: str, result: Json) -> None:
    jobs.fence(tx, job)
    tx.execute(sa.insert(step).values(job=job.id, name=name, result=result))
