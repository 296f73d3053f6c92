"""The worker: threads that take jobs, one that keeps their leases, one that lets events out and makes recurring jobs.

Starting and recovering are the same thing: whatever a killed worker held is taken over once its lease ends.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from mercato.core.clock import Clock, SystemClock
from mercato.store import jobs, outbox, schedules
from mercato.store.engine import Store
from mercato.store.errors import Cancelled, Lost
from mercato.store.feed import Feed
from mercato.store.model import Backoff, Job, Schedule, hopeless
from mercato.store.run import Run
from mercato.store.wake import listen

Handler = Callable[[Run], None]
log = logging.getLogger("mercato.store")
ERROR_LETTERS = 2000


class Worker:
    """Does the jobs of some kinds until it is stopped. Several, in one process or many, share one database.

    `handlers` says what to do for each kind of job, `subscriptions` which jobs an event makes, `schedules` what recurs.
    """

    def __init__(
        self,
        store: Store,
        handlers: Mapping[str, Handler],
        *,
        subscriptions: outbox.Subscriptions | None = None,
        schedules: Sequence[Schedule] = (),
        clock: Clock | None = None,
        threads: int = 2,
        lease: timedelta = timedelta(seconds=60),
        poll: timedelta = timedelta(seconds=1),
        backoff: Backoff | None = None,
    ) -> None:
        self.store, self.handlers, self.feed = store, dict(handlers), Feed(store)
        self._subscriptions, self._schedules = dict(subscriptions or {}), list(schedules)
        self._clock, self._backoff = clock or SystemClock(), backoff or Backoff()
        self._count, self._lease, self._poll = threads, lease, poll.total_seconds()
        self._kinds = sorted(self.handlers)
        self._stopping, self._ended = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []
        self._runs: dict[str, Run] = {}

    def start(self) -> None:
        """Starts the threads; returns at once."""
        self.prepare()
        loops = [self._work] * self._count + [self._relay, self._keep]
        loops += [self._listen] if self.store.dialect == "postgresql" else []
        self._threads = [threading.Thread(target=loop, name=f"mercato{loop.__name__}", daemon=True) for loop in loops]
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = 30.0) -> bool:
        """Takes no new job, waits for running ones, and returns whether all ended in time.

        What is left then still runs, with its lease kept, until the process ends and another worker takes it over.
        """
        self._stopping.set()
        self.store.wake.set()
        end = time.monotonic() + timeout
        working, others = self._threads[: self._count], self._threads[self._count :]
        for thread in working:
            thread.join(max(0.0, end - time.monotonic()))
        drained = not any(thread.is_alive() for thread in working)
        if drained:
            self._ended.set()
            self.store.wake.set()
            for thread in others:
                thread.join(max(1.0, end - time.monotonic()))
        return drained

    def prepare(self) -> None:
        """Writes down when each schedule is due."""
        with self.store.transaction() as tx:
            schedules.install(tx, self._schedules, self._clock.now())

    def relay_once(self) -> int:
        """Lets waiting events out, makes recurring jobs that are due, tells live readers; returns how much it did."""
        with self.store.read() as session:
            busy = outbox.waiting(session) or self._due(schedules.next_due(session))
        done = 0
        if busy:
            with self.store.transaction() as tx:
                done = outbox.relay(tx, self._subscriptions, self._clock.now())
                done += schedules.tick(tx, self._schedules, self._clock.now())
        return done + self.feed.pump()

    def work_once(self) -> bool:
        """Does one job that is due, in this thread; returns whether there was one."""
        if not self._kinds:
            return False
        owner = secrets.token_hex(16)
        with self.store.transaction() as tx:
            job = jobs.claim(tx, self._kinds, owner, self._clock.now(), self._lease)
        if job is None:
            return False
        run = Run(self.store, self._clock, job, self._stopping)
        self._runs[owner] = run
        try:
            self._do(run)
        finally:
            del self._runs[owner]
        return True

    def drain(self, limit: int = 10_000) -> int:
        """Relays and works in this thread until nothing is due; returns how many jobs it did. For tests and scripts."""
        done = 0
        while done < limit and (self.relay_once() or self.work_once()):
            done += 1
        return done

    def _do(self, run: Run) -> None:
        try:
            try:
                self.handlers[run.job.kind](run)
            except Lost:
                raise
            except Cancelled:
                with self.store.transaction() as tx:
                    jobs.stop(tx, run.job, self._clock.now())
            except Exception as error:  # whatever a handler raises decides the job's fate, not the worker's
                self._failed(run.job, error)
            else:
                with self.store.transaction() as tx:
                    jobs.finish(tx, run.job, self._clock.now())
        except Lost:
            log.warning("job %s (%s) was taken over by another worker", run.job.id, run.job.kind)

    def _failed(self, job: Job, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}"[:ERROR_LETTERS]
        last = hopeless(error) or job.tries >= job.max_tries
        log.warning("job %s (%s) failed at try %s: %s", job.id, job.kind, job.tries, text, exc_info=error)
        with self.store.transaction() as tx:
            if last:
                jobs.bury(tx, job, text, self._clock.now())
            else:
                jobs.retry(tx, job, text, self._clock.now() + self._backoff.delay(job.tries, error))

    def _due(self, due: Mapping[str, object]) -> bool:
        now = self._clock.now()
        return any(due.get(item.name, now) <= now for item in self._schedules)  # type: ignore[operator] # the default has the type of the value

    def _work(self) -> None:
        self._loop(self.work_once, self._stopping)

    def _relay(self) -> None:
        self._loop(lambda: bool(self.relay_once()), self._ended)

    def _keep(self) -> None:
        while not self._ended.wait(self._lease.total_seconds() / 3):
            for run in list(self._runs.values()):
                self._safely(lambda run=run: run.renew(self._lease))  # type: ignore[misc] # a default argument binds the run of this turn

    def _listen(self) -> None:
        while not self._ended.is_set():
            self._safely(lambda: listen(self.store.url, self.store.wake, self._ended.is_set))
            self._ended.wait(self._poll)

    def _loop(self, turn: Callable[[], bool], ended: threading.Event) -> None:
        while not ended.is_set():
            seen = self.store.wake.count
            if not self._safely(turn):
                self.store.wake.wait(seen, self._poll)

    def _safely(self, turn: Callable[[], object]) -> bool:
        try:
            return bool(turn())
        except Exception:  # the database may be away for a while; the worker outlives that
            log.exception("worker met an error and goes on")
            self._ended.wait(self._poll)
            return False
