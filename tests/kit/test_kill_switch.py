"""The kill switch while ten processes spend as fast as they can: it is on before most of their next payments.

What is told is the order of events, which holds on a machine of any load. The seconds that it takes are printed by
`python -m bench kit`.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from mercato.core.clock import SystemClock
from mercato.kit.acts import Arrow, State
from mercato.kit.ledger import Ledger
from mercato.kit.replay import replay
from mercato.store import Store
from tests.kit.spender import POLICY
from tests.kit.test_together import PROCESSES, ROOT, all_started, lines

UNDER_WAY, ENDLESS, FEW = 40, "100000", 10


def spending(folder: Path) -> None:
    """Returns once payments are under way."""
    end = time.monotonic() + 60
    while len(lines(folder / "spent")) < UNDER_WAY and time.monotonic() < end:
        time.sleep(0.005)


@pytest.mark.timeout(120)
def test_ten_processes_sign_nothing_once_the_kill_switch_is_on(store: Store, tmp_path: Path) -> None:
    clock = SystemClock()
    ledger = Ledger(store, clock)
    ledger.open("agent", POLICY, "operator")
    url = store.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.kit.spender", url, str(tmp_path), str(PROCESSES), ENDLESS]
    with subprocess.Popen(command, cwd=ROOT) as parent:
        all_started(tmp_path)
        (tmp_path / "go").touch()
        spending(tmp_path)
        pressed = clock.now()
        ledger.freeze("agent", "operator", "something smells")
        assert parent.wait(60) == 0  # the switch alone ends them

    told = ledger.journal("agent", limit=100_000)
    frozen = next(entry for entry in told if entry.arrow is Arrow.FROZEN)
    signed = [entry for entry in told if entry.arrow is Arrow.SIGNED]
    after = {entry.arrow for entry in told if entry.seq > frozen.seq}
    states = set(replay(store, "agent").states.values())

    # A few that each process had begun, while the switch waited for its turn.
    assert sum(entry.at > pressed for entry in signed) <= FEW * PROCESSES
    assert len(lines(tmp_path / "finished")) == PROCESSES
    assert len(signed) == len(lines(tmp_path / "spent")) >= UNDER_WAY
    assert after <= {Arrow.CONFIRMED, Arrow.SETTLED, Arrow.RELEASED, Arrow.SENT}
    assert states <= {State.DONE, State.OVER, State.RESERVED}  # those of the last kind are given back by a recovery
