"""SIGKILL at any moment: nothing is lost, nothing is doubled, and another worker goes on."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from mercato.store import Store, Worker, enqueue, jobs
from mercato.store.model import State
from mercato.store.tables import event
from tests.conformance.store import victim
from tests.conformance.store.samples import look
from tests.profiles import PROFILE
from tests.waiting import lines, wait_for

ROOT = Path(__file__).parents[3]
KILLS = {"nightly": 50}.get(PROFILE, 6)


@contextmanager
def running(store: Store, folder: Path, way: str) -> Iterator[None]:
    """Runs a victim for the length of the block, then kills it."""
    before = len(lines(folder / "started"))
    url = store.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.conformance.store.victim", url, str(folder), way]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            wait_for(lambda: len(lines(folder / "started")) > before)
            yield
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def finish(store: Store, folder: Path) -> None:
    """Does what is left, here, once the leases of the dead have ended."""
    worker = Worker(store, {"light": lambda run: victim.light(folder, run)}, poll=timedelta(seconds=0.05))
    worker.start()
    wait_for(lambda: not open_jobs(store), 60)
    assert worker.stop()


def open_jobs(store: Store) -> int:
    with store.read() as session:
        counted = jobs.counts(session)
    return counted.get(State.WAITING, 0) + counted.get(State.RUNNING, 0)


def column(store: Store, query: str) -> list[str]:
    with store.read() as session:
        return list(session.execute(sa.text(query)).scalars())


def lamps(store: Store) -> list[str]:
    with store.read() as session:
        return [str(body["lamp"]) for body in session.execute(sa.select(event.c.body)).scalars()]


@pytest.mark.timeout(280)
def test_killing_the_worker_at_random_moments_loses_and_doubles_nothing(store: Store, tmp_path: Path) -> None:
    chance = random.Random(20260302)
    for _ in range(KILLS):
        with running(store, tmp_path, "light"):
            time.sleep(chance.uniform(0.02, 0.5))
    finish(store, tmp_path)

    keys = column(store, "SELECT key FROM store_job")
    names = lamps(store)
    asked = [name for name in names if not name.startswith("booked ")]
    booked = [name.removeprefix("booked ") for name in names if name.startswith("booked ")]
    sent = Counter(lines(tmp_path / "sent"))

    assert len(keys) > KILLS
    assert sorted(asked) == sorted(keys)
    assert sorted(booked) == sorted(keys)
    assert set(sent) == set(keys)
    # Only a kill between the sending and the memory of it may repeat a sending: at most one per thread and kill.
    assert sum(sent.values()) - len(sent) <= 2 * KILLS
    assert set(column(store, "SELECT state FROM store_job")) == {State.DONE}


def test_a_job_of_a_killed_worker_is_taken_over_and_its_remembered_step_is_not_repeated(
    store: Store, tmp_path: Path
) -> None:
    with store.transaction() as tx:
        id = enqueue(tx, "light", {}, key="hall", now=datetime.now(UTC))
    with running(store, tmp_path, "hang"):
        wait_for(lambda: lines(tmp_path / "remembered") == ["hall"])
    assert look(store, id).state is State.RUNNING

    finish(store, tmp_path)

    assert lines(tmp_path / "sent") == ["hall"]
    assert lines(tmp_path / "remembered") == ["hall", "hall"]
    assert (look(store, id).state, look(store, id).tries) == (State.DONE, 2)
