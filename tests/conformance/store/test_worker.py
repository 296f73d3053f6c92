"""What becomes of a job is decided by how its handler ends; steps are remembered; schedules make one job per time."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from mercato.core.clock import HandClock
from mercato.core.errors import InvalidInput, SourceError
from mercato.store import Run, Schedule, Store, Transaction, Worker, emit, enqueue, jobs, schedules
from mercato.store.errors import Lost
from mercato.store.model import Backoff, Job, State
from mercato.store.tables import schedule
from tests.conformance.store.samples import LEASE, LampLit, add, look, taken
from tests.waiting import wait_for


def worker(store: Store, clock: HandClock, handler: Callable[[Run], None], **more: object) -> Worker:
    backoff = Backoff(first=timedelta(seconds=10), cap=timedelta(seconds=60), chance=random.Random(1))
    return Worker(store, {"light": handler}, clock=clock, backoff=backoff, lease=LEASE, **more)  # type: ignore[arg-type] # the rest goes through as it came


def failing(*errors: Exception) -> Callable[[Run], None]:
    """Returns a handler that raises these one after the other, and then works."""
    left = list(errors)

    def handler(run: Run) -> None:
        for error in left[:1]:
            left.pop(0)
            raise error

    return handler


def test_a_job_whose_handler_returns_is_done(store: Store, clock: HandClock) -> None:
    seen: list[Job] = []
    id = add(store, clock, body={"n": 1})

    assert worker(store, clock, lambda run: seen.append(run.job)).drain() == 1
    assert [(job.id, job.body) for job in seen] == [(id, {"n": 1})]
    assert (look(store, id).state, look(store, id).ended) == (State.DONE, clock.now())


def test_a_failed_job_is_tried_again_later_and_later(store: Store, clock: HandClock) -> None:
    id = add(store, clock)
    doer = worker(store, clock, failing(*[RuntimeError("rain")] * 4))
    waits = []
    for _ in range(4):
        doer.drain()
        waits.append((look(store, id).due - clock.now()).total_seconds())
        clock.move(look(store, id).due - clock.now())
    doer.drain()

    assert all(
        low <= wait <= high for wait, (low, high) in zip(waits, [(5, 10), (10, 20), (20, 40), (30, 60)], strict=True)
    )
    assert look(store, id).state is State.DONE


def test_a_source_that_names_its_time_is_not_asked_before(store: Store, clock: HandClock) -> None:
    id = add(store, clock)
    worker(store, clock, failing(SourceError("busy", retry_after=3600))).drain()

    assert look(store, id).due >= clock.now() + timedelta(hours=1)


def test_a_job_is_put_aside_after_its_last_try_with_the_error(store: Store, clock: HandClock) -> None:
    id = add(store, clock, max_tries=2)
    doer = worker(store, clock, failing(RuntimeError("one"), RuntimeError("two")))
    doer.drain()
    clock.move(timedelta(hours=1))
    doer.drain()

    assert (look(store, id).state, look(store, id).error) == (State.DEAD, "RuntimeError: two")


def test_a_hopeless_error_puts_the_job_aside_at_once(store: Store, clock: HandClock) -> None:
    id = add(store, clock)
    worker(store, clock, failing(InvalidInput("age was -1", hint="count from 0"))).drain()

    assert (look(store, id).state, look(store, id).tries) == (State.DEAD, 1)
    assert look(store, id).error == "InvalidInput: age was -1 (count from 0)"


def test_a_running_job_that_is_cancelled_stops_at_its_next_check(store: Store, clock: HandClock) -> None:
    id = add(store, clock)

    def handler(run: Run) -> None:
        with store.transaction() as tx:
            jobs.cancel(tx, id, clock.now())
        run.renew(LEASE)
        run.check()
        raise AssertionError("unreachable")

    worker(store, clock, handler).drain()

    assert look(store, id).state is State.CANCELLED


def test_a_worker_that_lost_its_job_changes_nothing(store: Store, clock: HandClock) -> None:
    id = add(store, clock)

    def slow(run: Run) -> None:
        clock.move(LEASE)
        second = taken(store, clock, "second")
        with store.transaction() as tx:
            jobs.finish(tx, second, clock.now())
        raise RuntimeError("late")

    worker(store, clock, slow).drain()

    assert (look(store, id).state, look(store, id).error) == (State.DONE, None)


def test_a_remembered_step_is_not_done_again(store: Store, clock: HandClock) -> None:
    done: list[str] = []
    results: list[object] = []
    id = add(store, clock)
    rain = iter([RuntimeError("rain"), None])

    def pay() -> dict[str, str]:
        done.append("paid")
        return {"tx": "0x1"}

    def handler(run: Run) -> None:
        results.append(run.once("pay", pay))
        for error in filter(None, [next(rain)]):
            raise error

    doer = worker(store, clock, handler)
    doer.drain()
    clock.move(timedelta(hours=1))
    doer.drain()

    assert done == ["paid"]
    assert results == [{"tx": "0x1"}, {"tx": "0x1"}]
    assert look(store, id).state is State.DONE


def test_steps_of_different_names_and_jobs_are_apart_and_may_give_nothing(store: Store, clock: HandClock) -> None:
    results: list[object] = []
    add(store, clock)
    add(store, clock)

    def handler(run: Run) -> None:
        results.append([run.once("a", lambda: None), run.once("a", lambda: 1), run.once("b", lambda: run.job.tries)])

    worker(store, clock, handler).drain()

    assert results == [[None, None, 1], [None, None, 1]]


def test_an_atomic_step_changes_the_database_exactly_once(store: Store, clock: HandClock) -> None:
    id = add(store, clock)
    rain = iter([RuntimeError("rain"), None])

    def light(tx: Transaction) -> str:
        emit(tx, LampLit(time=clock.now(), lamp="hall"))
        return "lit"

    def handler(run: Run) -> None:
        assert run.atomically("light", light) == "lit"
        for error in filter(None, [next(rain)]):
            raise error

    doer = worker(store, clock, handler)
    doer.drain()
    clock.move(timedelta(hours=1))
    doer.drain()
    with store.read() as session:
        events = session.execute(sa.text("SELECT count(*) FROM store_event")).scalar_one()

    assert (events, look(store, id).state) == (1, State.DONE)


def test_an_atomic_step_of_a_lost_job_changes_nothing(store: Store, clock: HandClock) -> None:
    add(store, clock)
    run = Run(store, clock, taken(store, clock, "first"), threading.Event())
    clock.move(LEASE)
    taken(store, clock, "second")

    with pytest.raises(Lost):
        run.atomically("light", lambda tx: emit(tx, LampLit(time=clock.now(), lamp="hall")))
    with store.read() as session:
        assert session.execute(sa.text("SELECT count(*) FROM store_event")).scalar_one() == 0


DAILY = Schedule("daily", "light", every=timedelta(days=1), offset=timedelta(hours=6), body={"n": 1})


def due_jobs(store: Store) -> Sequence[object]:
    with store.read() as session:
        return [job.body["due"] for job in reversed(jobs.listing(session, State.DONE))]


def test_a_schedule_makes_one_job_per_time_however_many_workers_run(store: Store, clock: HandClock) -> None:
    workers = [worker(store, clock, lambda run: None, schedules=[DAILY]) for _ in range(3)]
    for each in workers:
        each.prepare()
    for _ in range(5):
        for each in workers:
            each.drain()
        clock.move(timedelta(hours=12))

    assert due_jobs(store) == ["2026-03-03T06:00:00+00:00", "2026-03-04T06:00:00+00:00"]


def test_missed_times_become_one_job(store: Store, clock: HandClock) -> None:
    doer = worker(store, clock, lambda run: None, schedules=[DAILY])
    doer.prepare()
    clock.move(timedelta(days=10))
    doer.drain()
    with store.read() as session:
        following = schedules.next_due(session)

    assert due_jobs(store) == ["2026-03-03T06:00:00+00:00"]
    assert following == {"daily": datetime(2026, 3, 13, 6, tzinfo=UTC)}


def test_a_restart_keeps_a_schedules_time_and_an_earlier_one_wins(store: Store, clock: HandClock) -> None:
    with store.transaction() as tx:
        schedules.install(tx, [DAILY], clock.now())
    clock.move(timedelta(hours=20))
    sooner = Schedule("daily", "light", every=timedelta(hours=1))
    for again in (DAILY, sooner):
        with store.transaction() as tx:
            schedules.install(tx, [again], clock.now())
    with store.read() as session:
        assert schedules.next_due(session) == {"daily": datetime(2026, 3, 3, 6, tzinfo=UTC)}


def test_a_started_worker_wakes_at_once_for_new_work_and_drains_on_stop(store: Store) -> None:
    done: list[str] = []
    begun = threading.Event()

    def handler(run: Run) -> None:
        begun.set()
        time.sleep(0.2)
        done.append(run.job.key)

    doer = Worker(store, {"light": handler}, subscriptions={"house.LampLit": ["light"]}, poll=timedelta(hours=1))
    doer.start()
    time.sleep(0.3)  # so that its threads wait: without a wake the poll would take an hour
    event = LampLit(time=datetime.now(UTC), lamp="hall")
    with store.transaction() as tx:
        emit(tx, event)
    assert begun.wait(60)
    drained = doer.stop()

    assert drained
    assert done == [event.id]


def test_a_worker_hears_of_work_that_another_process_committed(store: Store) -> None:
    """Another Store stands for the other process: it shares no memory with this one. SQLite is polled."""
    begun = threading.Event()
    patience = {"sqlite": 0.2, "postgresql": 3600.0}[store.dialect]
    doer = Worker(store, {"light": lambda run: begun.set()}, poll=timedelta(seconds=patience))
    doer.start()
    time.sleep(0.3)
    other = Store(store.url.render_as_string(hide_password=False))
    with other.transaction() as tx:
        enqueue(tx, "light", {}, now=datetime.now(UTC))
    other.close()

    assert begun.wait(60)
    assert doer.stop()


def test_a_long_job_keeps_its_lease_while_its_worker_lives(store: Store) -> None:
    tries: list[int] = []

    def slow(run: Run) -> None:
        tries.append(run.job.tries)
        time.sleep(5)  # longer than the lease, which is long enough for a busy machine to renew it

    workers = [
        Worker(store, {"light": slow}, lease=timedelta(seconds=3), poll=timedelta(seconds=0.1)) for _ in range(2)
    ]
    with store.transaction() as tx:
        id = enqueue(tx, "light", {}, now=datetime.now(UTC))
    for each in workers:
        each.start()
    wait_for(lambda: look(store, id).state is State.DONE)

    assert [each.stop() for each in workers] == [True, True]
    assert tries == [1]


def test_a_worker_outlives_a_database_that_is_away_for_a_while(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    done = threading.Event()
    doer = Worker(store, {"light": lambda run: done.set()}, poll=timedelta(seconds=0.05))
    with store.transaction() as tx:
        enqueue(tx, "light", {}, now=datetime.now(UTC) + timedelta(seconds=1))
        tx.execute(sa.text("ALTER TABLE store_job RENAME TO away"))
    doer.start()
    wait_for(lambda: "worker met an error" in caplog.text)
    with store.transaction() as tx:
        tx.execute(sa.text("ALTER TABLE away RENAME TO store_job"))

    assert done.wait(60)
    assert doer.stop()


def test_a_job_that_does_not_end_in_time_keeps_its_lease(store: Store) -> None:
    go_on, begun = threading.Event(), threading.Event()

    def handler(run: Run) -> None:
        begun.set()
        go_on.wait(120)

    doer = Worker(store, {"light": handler}, poll=timedelta(seconds=0.05))
    with store.transaction() as tx:
        id = enqueue(tx, "light", {}, now=datetime.now(UTC))
    doer.start()
    assert begun.wait(60)

    assert not doer.stop(timeout=0.1)
    assert look(store, id).state is State.RUNNING
    go_on.set()
    assert doer.stop()


def test_rows_of_other_tables_are_untouched_by_workers(store: Store, clock: HandClock) -> None:
    with store.transaction() as tx:
        tx.execute(sa.insert(schedule).values(name="someone else's", due=clock.now()))
    doer = worker(store, clock, lambda run: None, schedules=[DAILY])
    doer.prepare()

    assert doer.drain() == 0
