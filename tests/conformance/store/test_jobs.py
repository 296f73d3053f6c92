"""Jobs commit with the change, are unique by key, and move only as the transition table says."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from mercato.core.clock import HandClock
from mercato.core.errors import Conflict, InvalidInput, NotFound
from mercato.core.ids import JobId
from mercato.store import Store, Transaction, enqueue, jobs
from mercato.store.errors import Cancelled, Lost
from mercato.store.model import Job, State
from tests.conformance.store.samples import LEASE, add, look, take, taken


def test_a_job_of_a_transaction_that_fails_never_was(store: Store, clock: HandClock) -> None:
    def fail(tx: Transaction) -> None:
        enqueue(tx, "light", {}, now=clock.now())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), store.transaction() as tx:
        fail(tx)

    assert take(store, clock) is None


def test_asking_twice_with_one_key_makes_one_job_and_keeps_the_first_body(store: Store, clock: HandClock) -> None:
    first = add(store, clock, body={"n": 1}, key="k")
    second = add(store, clock, body={"n": 2}, key="k")
    other_kind = add(store, clock, kind="dark", key="k")

    assert first == second != other_kind
    assert look(store, first).body == {"n": 1}


def test_a_key_stays_taken_after_its_job_is_done(store: Store, clock: HandClock) -> None:
    first = add(store, clock, key="k")
    held = taken(store, clock)
    with store.transaction() as tx:
        jobs.finish(tx, held, clock.now())

    assert add(store, clock, key="k") == first
    assert take(store, clock) is None


def test_without_a_key_every_call_makes_a_job(store: Store, clock: HandClock) -> None:
    assert add(store, clock) != add(store, clock)


def test_a_body_that_json_would_change_is_refused(store: Store, clock: HandClock) -> None:
    with pytest.raises(InvalidInput, match="text"):
        add(store, clock, body={"wei": 2**200})


def test_a_body_comes_back_as_it_went_in(store: Store, clock: HandClock) -> None:
    body = {"text": "ü 'quoted' \\ \"x\"", "none": None, "list": [1, {"deep": [True, 2.5]}], "edge": 2**53}

    assert look(store, add(store, clock, body=body)).body == body


def test_the_job_that_is_due_longest_comes_first_and_none_before_its_time(store: Store, clock: HandClock) -> None:
    later = add(store, clock, due=clock.now() + timedelta(minutes=5))
    soon = add(store, clock, due=clock.now() + timedelta(minutes=1))

    assert take(store, clock) is None
    clock.move(timedelta(minutes=6))
    assert [taken(store, clock).id, taken(store, clock).id] == [soon, later]


def test_only_wanted_kinds_are_taken(store: Store, clock: HandClock) -> None:
    wanted = add(store, clock, kind="dark")
    add(store, clock, kind="light")

    found = take(store, clock, kinds=("dark", "dim"))

    assert found is not None
    assert found.id == wanted


def test_many_threads_never_take_one_job_twice(store: Store, clock: HandClock) -> None:
    wanted = {add(store, clock, key=str(number)) for number in range(40)}
    found: list[JobId] = []

    def work(owner: str) -> None:
        while job := take(store, clock, owner):
            found.append(job.id)

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 40
    assert set(found) == wanted


def test_a_job_whose_lease_ran_out_is_taken_over_and_the_first_owner_is_refused(store: Store, clock: HandClock) -> None:
    id = add(store, clock)
    first = taken(store, clock, "first")
    clock.move(LEASE - timedelta(seconds=1))
    assert take(store, clock, "second") is None
    clock.move(timedelta(seconds=1))

    second = taken(store, clock, "second")

    assert (second.id, second.tries) == (id, 2)
    writes: list[Callable[[Transaction], None]] = [
        lambda tx: jobs.finish(tx, first, clock.now()),
        lambda tx: jobs.retry(tx, first, "x", clock.now()),
        lambda tx: jobs.bury(tx, first, "x", clock.now()),
        lambda tx: jobs.release(tx, first, clock.now()),
        lambda tx: jobs.renew(tx, first, clock.now(), LEASE),
        lambda tx: jobs.fence(tx, first),
    ]
    for write in writes:
        with pytest.raises(Lost), store.transaction() as tx:
            write(tx)
    assert look(store, id) == second


def test_a_renewed_lease_keeps_the_job(store: Store, clock: HandClock) -> None:
    add(store, clock)
    held = taken(store, clock)
    clock.move(LEASE - timedelta(seconds=1))
    with store.transaction() as tx:
        jobs.renew(tx, held, clock.now(), LEASE)
    clock.move(LEASE - timedelta(seconds=1))

    assert take(store, clock, "second") is None


def test_a_job_that_outlives_no_worker_is_buried_after_its_last_try(store: Store, clock: HandClock) -> None:
    id = add(store, clock, max_tries=2)
    for _ in range(2):
        taken(store, clock)
        clock.move(LEASE)

    assert take(store, clock) is None
    assert (look(store, id).state, look(store, id).error) == (State.DEAD, "no worker survived it in 2 tries")


def test_a_retried_job_waits_until_it_is_due_and_keeps_its_error(store: Store, clock: HandClock) -> None:
    id = add(store, clock)
    held = taken(store, clock)
    with store.transaction() as tx:
        jobs.retry(tx, held, "it rained", clock.now() + timedelta(seconds=30))

    assert take(store, clock) is None
    assert (look(store, id).state, look(store, id).error) == (State.WAITING, "it rained")
    clock.move(timedelta(seconds=30))
    assert taken(store, clock).tries == 2


def test_a_released_job_is_there_at_once_and_its_try_does_not_count(store: Store, clock: HandClock) -> None:
    add(store, clock)
    held = taken(store, clock)
    with store.transaction() as tx:
        jobs.release(tx, held, clock.now())

    assert taken(store, clock).tries == 1


def test_a_waiting_job_is_cancelled_at_once(store: Store, clock: HandClock) -> None:
    id = add(store, clock)
    with store.transaction() as tx:
        jobs.cancel(tx, id, clock.now())

    assert take(store, clock) is None
    assert look(store, id).state is State.CANCELLED


def test_a_running_job_hears_of_its_cancelling_when_it_renews(store: Store, clock: HandClock) -> None:
    id = add(store, clock)
    held = taken(store, clock)
    with store.transaction() as tx:
        jobs.cancel(tx, id, clock.now())

    with pytest.raises(Cancelled), store.transaction() as tx:
        jobs.renew(tx, held, clock.now(), LEASE)
    with store.transaction() as tx:
        jobs.stop(tx, held, clock.now())
    assert look(store, id).state is State.CANCELLED


def test_a_cancelled_job_whose_worker_died_is_not_started_again(store: Store, clock: HandClock) -> None:
    id = add(store, clock)
    taken(store, clock)
    with store.transaction() as tx:
        jobs.cancel(tx, id, clock.now())
    clock.move(LEASE)

    assert take(store, clock, "second") is None
    assert look(store, id).state is State.CANCELLED


def end(store: Store, clock: HandClock, way: Callable[[Transaction, Job], None]) -> JobId:
    id = add(store, clock)
    held = taken(store, clock)
    with store.transaction() as tx:
        way(tx, held)
    return id


def test_what_has_ended_cannot_be_cancelled(store: Store, clock: HandClock) -> None:
    id = end(store, clock, lambda tx, held: jobs.finish(tx, held, clock.now()))

    with pytest.raises(Conflict, match="done"), store.transaction() as tx:
        jobs.cancel(tx, id, clock.now())


def test_a_dead_job_can_be_revived_with_all_its_tries(store: Store, clock: HandClock) -> None:
    id = end(store, clock, lambda tx, held: jobs.bury(tx, held, "hopeless", clock.now()))
    with store.read() as session:
        dead = jobs.listing(session, State.DEAD)
    with store.transaction() as tx:
        jobs.revive(tx, id, clock.now())

    assert [(item.id, item.error) for item in dead] == [(id, "hopeless")]
    assert taken(store, clock).tries == 1


def test_only_the_dead_are_revived(store: Store, clock: HandClock) -> None:
    id = add(store, clock)

    with pytest.raises(Conflict, match="waiting"), store.transaction() as tx:
        jobs.revive(tx, id, clock.now())


def test_an_unknown_job_is_not_found(store: Store, clock: HandClock) -> None:
    with pytest.raises(NotFound, match="job_x"):
        look(store, JobId("job_x"))
    with pytest.raises(NotFound, match="job_x"), store.transaction() as tx:
        jobs.cancel(tx, JobId("job_x"), clock.now())


def test_counts_and_pruning_follow_the_states(store: Store, clock: HandClock) -> None:
    done = end(store, clock, lambda tx, held: jobs.finish(tx, held, clock.now()))
    dead = end(store, clock, lambda tx, held: jobs.bury(tx, held, "x", clock.now()))
    add(store, clock)
    with store.read() as session:
        counted = jobs.counts(session)
    clock.move(timedelta(days=1))
    with store.transaction() as tx:
        pruned = jobs.prune(tx, clock.now())

    assert counted == {State.DONE: 1, State.DEAD: 1, State.WAITING: 1}
    assert pruned == 1
    assert look(store, dead).state is State.DEAD
    with pytest.raises(NotFound):
        look(store, done)
