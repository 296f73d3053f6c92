"""Four workers that spend one balance at once, some killed at random moments: one truth, to the micro-dollar."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mercato.compute.books import Clerk, epochs, keys
from mercato.compute.books.replay import replay
from mercato.compute.books.till import Till
from mercato.compute.books.words import State
from mercato.core.clock import SystemClock
from tests.compute.books.counter import SIGNER
from tests.compute.books.spender import LEASE
from tests.profiles import examples
from tests.waiting import lines, wait_for

ROOT = Path(__file__).parents[3]
PROCESSES, KILLED = 4, 2
FUNDS, CAP = 5_000, 4_500


def spend(till: Till, folder: Path, seed: int, count: int) -> None:
    """Lets the workers spend, and kills some of them."""
    till.deposit("ann", FUNDS, name="all")
    key, _ = keys.make(till.bare, till.clock, "ann", limits=keys.Limits(ever=CAP))
    chance = random.Random(seed)
    words = [str(folder), key.id, str(PROCESSES), str(count)]
    url = till.bare.url
    command = [sys.executable, "-m", "tests.compute.books.spender", url, *words]
    with subprocess.Popen(command, cwd=ROOT) as parent:
        wait_for(lambda: len(lines(folder / "started")) == PROCESSES)
        (folder / "go").touch()
        for pid in lines(folder / "started")[:KILLED]:
            time.sleep(chance.uniform(0.02, 0.12))
            os.kill(int(pid), signal.SIGKILL)
        assert parent.wait(120) == 0


def recovered(url: str) -> None:
    """Does what any worker does now and then: releases what the dead left, once their leases are over."""
    time.sleep(LEASE.total_seconds() + 0.1)
    clerk = Clerk(url, SystemClock(), SIGNER)
    clerk.open()
    while clerk.abandon():
        pass
    clerk.close()


@pytest.mark.parametrize("seed", range(examples(1)))
def test_workers_that_are_killed_leave_no_micro_dollar_unaccounted(url: str, tmp_path: Path, seed: int) -> None:
    till = Till(url, SystemClock(), SIGNER)
    spend(till, tmp_path, seed, 800)
    recovered(url)
    epochs.close(till)
    found = replay(till.bare, SIGNER.public)
    balances = till.balances()
    delivered = {line.split()[0]: [int(word) for word in line.split()[1:]] for line in lines(tmp_path / "delivered")}

    assert found.faults == []
    assert sum(balances.values()) == 0
    assert balances["reserved:ann"] == 0
    assert {it.state for it in found.requests.values()} == {State.DONE, State.RELEASED}
    assert len(delivered) > 50
    assert len(lines(tmp_path / "finished")) == PROCESSES - KILLED
    for id, (limit, charged, earned) in delivered.items():
        booked = found.requests[id]
        assert (booked.state, booked.limit, booked.charged, booked.earned) == (State.DONE, limit, charged, earned)
        assert earned <= charged <= limit
    charged = sum(it.charged for it in found.requests.values())
    assert charged == FUNDS - balances["user:ann"] <= CAP
    assert keys.listed(till.bare, "ann")[0].spent == charged
    assert lines(tmp_path / "refused")  # the limit was met
    till.close()
