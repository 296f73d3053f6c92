"""The index is kept up to date by a worker, and beside a chain of one's own by a thread."""

from __future__ import annotations

import random
from datetime import timedelta

from mercato.chains.jobs import INDEX, SCHEDULES, SUBSCRIPTIONS, Follower, handlers
from mercato.chains.testing import Interrupted, faults
from mercato.core.clock import SystemClock
from mercato.store import Store, Worker, enqueue
from mercato.store.jobs import get
from mercato.store.model import Backoff, State
from tests.chains.index.conftest import ALL, World, agrees, indexer
from tests.waiting import wait_for


def test_a_job_reads_to_the_tip(store: Store, world: World) -> None:
    index = indexer(store, world.chain)
    index.watch(*world.watches())
    world.speak(20)
    worker = Worker(store, handlers(index), subscriptions=SUBSCRIPTIONS, schedules=SCHEDULES)
    with store.transaction() as tx:
        id = enqueue(tx, INDEX, {}, now=SystemClock().now())
    worker.drain()

    agrees(store, index, world.chain.logs(ALL))
    with store.read() as session:
        assert get(session, id).state is State.DONE


def test_a_job_waits_where_the_node_is_away_and_is_not_given_up(store: Store, world: World) -> None:
    world.speak(1)
    away = indexer(store, Interrupted(world.chain, faults(random.Random(3), 100)))
    away.watch(*world.watches())
    soon = Backoff(first=timedelta(0), cap=timedelta(0))
    with store.transaction() as tx:
        id = enqueue(tx, INDEX, {}, now=SystemClock().now(), max_tries=9)
    Worker(store, handlers(away), backoff=soon).work_once()
    with store.read() as session:
        waiting = get(session, id)
    Worker(store, handlers(indexer(store, world.chain))).drain()

    assert (waiting.state, waiting.tries) == (State.WAITING, 1)
    agrees(store, indexer(store, world.chain), world.chain.logs(ALL))


def test_a_thread_follows_a_chain_through_faults_until_it_is_stopped(store: Store, world: World) -> None:
    faulty = indexer(store, Interrupted(world.chain, faults(random.Random(3), 20)))
    faulty.watch(*world.watches())
    follower = Follower(faulty, seconds=0.01)
    follower.start()
    world.speak(5)
    wait_for(lambda: len(faulty.logs(ALL)) == 5)
    follower.stop()
    world.speak(1)

    assert faulty.read_to("one") < world.chain.block().number
