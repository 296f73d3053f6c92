"""Processes that spend from one account at once, one of them killed: the cap holds, and the books are the cluster's."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from mercato.chains.solana.facade import SolanaFacade
from mercato.chains.solana.local import WINDOW
from mercato.chains.solana.model import SOL
from mercato.chains.solana.testing import WEALTH
from mercato.core.clock import SystemClock
from mercato.kit.acts import State
from mercato.kit.ledger import Ledger
from mercato.kit.replay import replay
from mercato.kit.solana.rail import SLACK
from mercato.store import Store
from tests.kit.solana.ground import FRIEND, ME, NATIVE, STRANGER, town
from tests.kit.solana.spender import CAP, LEASE, POLICY, kit
from tests.kit.test_together import ROOT, lines

PROCESSES, SPENDS = 4, 8


def all_started(folder: Path) -> list[int]:
    end = time.monotonic() + 60
    while len(lines(folder / "started")) < PROCESSES and time.monotonic() < end:
        time.sleep(0.02)
    return [int(line) for line in lines(folder / "started")]


@pytest.mark.timeout(120)
def test_processes_that_spend_at_once_and_a_kill_never_exceed_a_cap_or_pay_twice(sqlite: Store, tmp_path: Path) -> None:
    cluster = town().cluster
    cluster.fund(ME, WEALTH)
    Ledger(sqlite, SystemClock()).open("agent", POLICY, "operator")
    url, chance = sqlite.url.render_as_string(hide_password=False), random.Random(20260302)
    before = [cluster.balance(who) for who in (ME, FRIEND, STRANGER)]
    with SolanaFacade(cluster, 0) as node:
        command = [
            sys.executable,
            "-m",
            "tests.kit.solana.spender",
            url,
            node.url,
            str(tmp_path),
            str(PROCESSES),
            str(SPENDS),
        ]
        with subprocess.Popen(command, cwd=ROOT) as parent:
            pids = all_started(tmp_path)
            (tmp_path / "go").touch()
            time.sleep(chance.uniform(0.05, 0.2))
            with suppress(ProcessLookupError):  # it may be quicker than that
                os.kill(pids[0], signal.SIGKILL)
            assert parent.wait(100) == 0
    time.sleep(LEASE.total_seconds())
    cluster.mine(WINDOW + SLACK + 1)
    kit(sqlite, cluster).recover()

    found = replay(sqlite, "agent")
    acts = Ledger(sqlite, SystemClock()).acts("agent", list(State))
    states = Counter(act.state for act in acts)
    spent, friends, strangers = (new - old for old, new in zip(
        before, (cluster.balance(who) for who in (ME, FRIEND, STRANGER)), strict=True))  # fmt: skip
    moved = -sum(move.units for act in acts if act.state is State.DONE for move in act.effects.moves)

    assert set(states) <= {State.DONE, State.OVER}
    assert friends + strangers == moved
    assert -spent == moved + 5_000 * states[State.DONE]
    assert found.balances == {(f"{NATIVE[:-11]}:{ME}", NATIVE): spent}
    assert CAP * SOL - 4 * SOL * PROCESSES < -spent <= CAP * SOL
