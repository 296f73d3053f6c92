"""Ten processes that spend at once, killed at random moments: never one unit over any cap, and nothing spent twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from mercato.core.clock import SystemClock
from mercato.kit.acts import State
from mercato.kit.ledger import Ledger
from mercato.kit.replay import replay
from mercato.kit.testing import FRIEND, POOL
from mercato.store import Store
from tests.kit.spender import POLICY, UNITS

ROOT = Path(__file__).parents[2]
PROCESSES, SPENDS, KILLED = 10, 60, 4
LARGEST = 20 * UNITS
CAPS = {"day": 3_000 * UNITS, "ever": 2_500 * UNITS}


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def all_started(folder: Path) -> list[int]:
    end = time.monotonic() + 120
    while len(lines(folder / "started")) < PROCESSES and time.monotonic() < end:
        time.sleep(0.02)
    assert len(lines(folder / "started")) == PROCESSES
    return [int(line) for line in lines(folder / "started")]


def recovered(store: Store) -> None:
    """Does what a start does: takes over what the dead left, gives back what was not signed, settles what was."""
    time.sleep(1.1)  # the leases of the dead
    ledger = Ledger(store, SystemClock())
    for act in ledger.claim("agent"):
        if act.state is State.SIGNED:
            ledger.settle(act, act.effects, act.decision.reserves, {"succeeded": True}, act.places)
        else:
            ledger.release(act, "its process died before it was signed")


@pytest.mark.timeout(280)
def test_ten_processes_and_kills_never_exceed_a_cap_by_one_unit(store: Store, tmp_path: Path) -> None:
    Ledger(store, SystemClock()).open("agent", POLICY, "operator")
    url, chance = store.url.render_as_string(hide_password=False), random.Random(20260302)
    command = [sys.executable, "-m", "tests.kit.spender", url, str(tmp_path), str(PROCESSES), str(SPENDS)]
    with subprocess.Popen(command, cwd=ROOT) as parent:
        pids = all_started(tmp_path)
        (tmp_path / "go").touch()
        for pid in pids[:KILLED]:
            time.sleep(chance.uniform(0.0, 0.3))
            os.kill(pid, signal.SIGKILL)
        assert parent.wait(240) == 0
    recovered(store)

    found = replay(store, "agent")
    acts = Ledger(store, SystemClock()).acts("agent", list(State), limit=10_000)
    states = Counter(act.state for act in acts)
    spent: Counter[str] = Counter()
    for id, to, units in (line.split() for line in lines(tmp_path / "spent")):
        assert found.states[id] is State.DONE
        spent[to] += int(units)

    assert states[State.DONE] > 50
    assert set(states) <= {State.DONE, State.OVER}
    assert len(lines(tmp_path / "finished")) >= PROCESSES - KILLED
    booked = -sum(found.balances.values())
    assert sum(spent.values()) <= booked <= min(CAPS.values())
    assert max(spent[FRIEND], spent[POOL]) <= 1_400 * UNITS
    # The caps were what stopped them: when the last was refused, each other held one payment at most that it gave back.
    assert CAPS["ever"] - booked < PROCESSES * LARGEST
