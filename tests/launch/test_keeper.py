"""A keeper may be killed at any moment and run anywhere: every auction is cleared once, and its story told once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mercato.chains import LogQuery
from mercato.chains.facade import Facade
from mercato.chains.testing import ACCOUNTS
from mercato.core.clock import HandClock
from mercato.launch.contracts import interface
from mercato.launch.jobs import KEEP, SCHEDULES, SUBSCRIPTIONS, Watch, handlers
from mercato.launch.model import Launch
from mercato.launch.opening import deploy_here
from mercato.launch.record import place
from mercato.launch.settings import LaunchSettings
from mercato.launch.states import State, Step
from mercato.launch.testing import House, application
from mercato.store import Store, Worker, enqueue
from mercato.store.testing import sqlite_store
from tests.profiles import PROFILE
from tests.waiting import wait_for

KILLS = {"nightly": 20}.get(PROFILE, 3)
LAUNCHES = 4
ANN = "0x" + "aa" * 20
DOLLAR = 10**6
KEEPER = "import sys; from mercato.cli import main; main(['launch', 'keeper', '--seconds', '1', '--json'])"


@pytest.fixture
def house(store: Store, clock: HandClock, settings: LaunchSettings) -> House:
    return House.open(store, clock, settings)


def crowded(house: House, count: int = LAUNCHES) -> list[Launch]:
    """Launches that end one after another, the last of them without enough bids."""
    made = []
    for number in range(count):
        opens = house.chain.time() + 7200 + 3600 * number
        made.append(house.scheduled(application(symbol=f"CALL{number}"), opens))
    for number, launch in enumerate(made):
        house.to_open(launch, sync=False)
        house.bid(launch, ANN, 9, (500 if number < count - 1 else 10) * DOLLAR)
    return made


def cleared(house: House) -> int:
    """How many auctions were settled on the chain, whoever did it."""
    topics = frozenset(interface("auction").topic(name) for name in ("Cleared", "Failed"))
    return len(house.chain.logs(LogQuery(0, house.chain.block().number, topics=(topics,))))


@contextmanager
def keeper(home: Path, rpc: str) -> Iterator[subprocess.Popen[str]]:
    """A keeper in a process of its own; killed, not asked, at the end."""
    environment = {**os.environ, "MERCATO_HOME": str(home), "MERCATO_CHAINS_RPC": rpc, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", KEEPER], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


@pytest.mark.timeout(280)
def test_a_keeper_killed_at_random_moments_clears_every_auction_once(
    tmp_path: Path, clock: HandClock, settings: LaunchSettings
) -> None:
    chance = random.Random(20260303)
    store = sqlite_store(tmp_path)
    house = House.open(store, clock, settings, record=place(tmp_path / "deployments", "eip155:31337"))
    made = crowded(house)
    with Facade(house.chain, 0, accounts=ACCOUNTS) as facade:
        for _ in range(KILLS):
            with keeper(tmp_path, facade.url) as process:
                assert process.stdout is not None
                json.loads(process.stdout.readline())
                house.chain.mine(seconds=9 * 3600)
                time.sleep(chance.uniform(0.0, 1.5))
        house.chain.mine(seconds=48 * 3600)
        with keeper(tmp_path, facade.url):
            wait_for(lambda: all(house.room.launch(item.id).state in (State.LIVE, State.FAILED) for item in made))
    told = [[change.step for change in house.room.history(item.id)] for item in made]
    states = [house.room.launch(item.id).state for item in made]
    store.close()

    assert states == [State.LIVE] * (LAUNCHES - 1) + [State.FAILED]
    assert cleared(house) == LAUNCHES
    for steps in told:
        assert len(steps) == len(set(steps))
        assert steps[:5] == [Step.SUBMIT, Step.APPROVE, Step.SCHEDULE, Step.OPEN, Step.LOCK]


def test_two_keepers_at_once_do_everything_once(house: House) -> None:
    made = crowded(house)
    house.chain.mine(seconds=72 * 3600)
    threads = [threading.Thread(target=house.room.keep_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    house.room.sync_all()

    assert cleared(house) == LAUNCHES
    assert [house.room.launch(item.id).state for item in made] == [State.LIVE] * (LAUNCHES - 1) + [State.FAILED]
    for item in made:
        steps = [change.step for change in house.room.history(item.id)]
        assert len(steps) == len(set(steps))


def test_the_job_of_the_room_does_it_too(house: House) -> None:
    (launch,) = crowded(house, 1)
    house.chain.mine(seconds=72 * 3600)
    worker = Worker(house.room.store, handlers(house.room), subscriptions=SUBSCRIPTIONS, clock=house.room.clock)
    with house.room.store.transaction() as tx:
        enqueue(tx, KEEP, {}, now=house.room.clock.now())

    assert worker.drain() > 0
    assert house.room.launch(launch.id).state is State.FAILED
    assert [item.kind for item in SCHEDULES] == [KEEP]


def test_a_watch_keeps_until_it_is_stopped(house: House) -> None:
    (launch,) = crowded(house, 1)
    watch = Watch(house.room, seconds=0.05)
    watch.start()
    house.chain.mine(seconds=72 * 3600)
    wait_for(lambda: house.room.launch(launch.id).state is State.FAILED)
    watch.stop()

    assert cleared(house) == 1


def test_a_chain_of_ones_own_gets_everything_and_a_record_for_other_processes(
    house: House, settings: LaunchSettings, tmp_path: Path
) -> None:
    path = place(tmp_path / "deployments", "eip155:31337")
    first = deploy_here(house.chain, settings, path)
    second = deploy_here(house.chain, settings, path)

    assert path.exists()
    assert first.factory != second.factory
