"""Events leave only when their change has committed, in one order for everyone, and at least once."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from mercato.core.clock import HandClock
from mercato.store import Delivered, Store, Transaction, Worker, emit, jobs, outbox
from mercato.store.model import State
from mercato.store.tables import schedule
from tests.conformance.store.samples import LampLit, add

LIT = "house.LampLit"


def light(store: Store, clock: HandClock, *lamps: str) -> list[LampLit]:
    events = [LampLit(time=clock.now(), lamp=lamp) for lamp in lamps]
    with store.transaction() as tx:
        emit(tx, *events)
    return events


def relay(store: Store, clock: HandClock, *kinds: str) -> int:
    with store.transaction() as tx:
        return outbox.relay(tx, {LIT: kinds}, clock.now())


def left(store: Store, position: int = 0) -> list[Delivered]:
    with store.read() as session:
        return outbox.after(session, position)


def test_an_event_of_a_transaction_that_fails_never_was(store: Store, clock: HandClock) -> None:
    def fail(tx: Transaction) -> None:
        tx.execute(sa.insert(schedule).values(name="a", due=clock.now()))
        emit(tx, LampLit(time=clock.now(), lamp="hall"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), store.transaction() as tx:
        fail(tx)

    assert relay(store, clock) == 0
    assert left(store) == []


def test_an_event_leaves_once_with_everything_it_said(store: Store, clock: HandClock) -> None:
    (event,) = light(store, clock, "hall")

    assert left(store) == []
    assert (relay(store, clock), relay(store, clock)) == (1, 0)
    assert left(store) == [Delivered(position=1, id=event.id, name=LIT, time=event.time, body={"lamp": "hall"})]


def test_positions_follow_the_order_of_events_without_gaps(store: Store, clock: HandClock) -> None:
    lamps = [f"lamp {number}" for number in range(250)]
    for first in range(0, 250, 50):
        light(store, clock, *lamps[first : first + 50])

    assert [relay(store, clock), relay(store, clock), relay(store, clock)] == [outbox.BATCH, 50, 0]
    found = left(store) + left(store, outbox.BATCH)
    assert [event.position for event in found] == list(range(1, 251))
    assert [event.body["lamp"] for event in found] == lamps


def test_an_event_makes_one_job_of_each_kind_that_asked(store: Store, clock: HandClock) -> None:
    (event,) = light(store, clock, "hall")
    relay(store, clock, "count", "cheer")
    with store.read() as session:
        waiting = jobs.listing(session, State.WAITING)

    assert sorted((job.kind, job.key) for job in waiting) == [("cheer", event.id), ("count", event.id)]
    assert waiting[0].body == {
        "event": event.id, "name": LIT, "time": event.time.isoformat(), "body": {"lamp": "hall"}
    }  # fmt: skip


def test_an_event_relayed_again_makes_no_second_job(store: Store, clock: HandClock) -> None:
    (event,) = light(store, clock, "hall")
    first = add(store, clock, kind="count", key=event.id)
    relay(store, clock, "count")
    with store.read() as session:
        waiting = jobs.listing(session, State.WAITING)

    assert [job.id for job in waiting] == [first]


def test_live_readers_get_each_event_after_they_came_in_order(store: Store, clock: HandClock) -> None:
    worker = Worker(store, {}, clock=clock)
    light(store, clock, "before")
    worker.relay_once()
    seen: list[str] = []
    leave = worker.feed.subscribe(lambda event: seen.append(str(event.body["lamp"])))
    light(store, clock, "one", "two")
    worker.relay_once()
    leave()
    light(store, clock, "after")
    worker.relay_once()

    assert seen == ["one", "two"]


def test_a_reader_may_begin_at_an_earlier_position(store: Store, clock: HandClock) -> None:
    worker = Worker(store, {}, clock=clock)
    light(store, clock, "one", "two", "three")
    worker.relay_once()
    seen: list[str] = []
    worker.feed.subscribe(lambda event: seen.append(str(event.body["lamp"])), since=1)
    worker.relay_once()

    assert seen == ["two", "three"]


def test_a_reader_in_another_process_sees_what_this_one_relayed(store: Store, clock: HandClock) -> None:
    here, there = Worker(store, {}, clock=clock), Worker(store, {}, clock=clock)
    seen: list[str] = []
    there.feed.subscribe(lambda event: seen.append(str(event.body["lamp"])))
    light(store, clock, "one")
    here.relay_once()
    there.relay_once()

    assert seen == ["one"]


def test_a_reader_that_fails_gets_the_event_again_and_holds_up_nobody(
    store: Store, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    worker = Worker(store, {}, clock=clock)
    calls: list[str] = []
    others: list[str] = []
    answers = iter([ZeroDivisionError, None, None])

    def shaky(event: Delivered) -> None:
        calls.append(str(event.body["lamp"]))
        for error in filter(None, [next(answers)]):
            raise error

    worker.feed.subscribe(shaky)
    worker.feed.subscribe(lambda event: others.append(str(event.body["lamp"])))
    light(store, clock, "one", "two")
    for _ in range(2):
        worker.relay_once()

    assert calls == ["one", "one", "two"]
    assert others == ["one", "two"]
    assert "reader failed" in caplog.text


def test_a_reader_that_never_succeeds_is_passed_by_after_five_tries(store: Store, clock: HandClock) -> None:
    worker = Worker(store, {}, clock=clock)
    calls: list[int] = []

    def broken(event: Delivered) -> None:
        calls.append(event.position)
        raise ZeroDivisionError

    worker.feed.subscribe(broken)
    light(store, clock, "one", "two")
    for _ in range(6):
        worker.relay_once()

    assert calls == [1, 1, 1, 1, 1, 2, 2]


def test_pruning_keeps_the_newest_so_that_positions_go_on(store: Store, clock: HandClock) -> None:
    light(store, clock, "one", "two")
    relay(store, clock)
    clock.move(timedelta(days=30))
    light(store, clock, "waiting")
    clock.move(timedelta(days=30))
    with store.transaction() as tx:
        pruned = outbox.prune(tx, clock.now())
    relay(store, clock)

    assert pruned == 1
    assert [(event.position, event.body["lamp"]) for event in left(store)] == [(2, "two"), (3, "waiting")]
