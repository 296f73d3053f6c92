"""SIGKILL at any moment of a process that reads a node over JSON-RPC, while the node's chain grows and forks."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mercato.chains.facade import Facade
from mercato.store import Store
from tests.chains.index.conftest import ALL, World, agrees, indexer, told
from tests.profiles import PROFILE
from tests.waiting import lines, wait_for

ROOT = Path(__file__).parents[3]
KILLS = {"nightly": 40}.get(PROFILE, 4)


@contextmanager
def running(store: Store, facade: Facade, file: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a victim for the length of the block, then kills it."""
    before = len(lines(file))
    url = store.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.chains.index.victim", url, facade.url, str(file)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            wait_for(lambda: len(lines(file)) > before)
            yield process
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


@pytest.mark.timeout(280)
def test_killing_the_indexer_at_random_moments_loses_and_doubles_nothing(
    store: Store, world: World, tmp_path: Path
) -> None:
    chance = random.Random(20260302)
    chain = world.chain
    index = indexer(store, chain)
    index.watch(*world.watches())
    mark = chain.snapshot()
    with Facade(chain, 0) as facade:
        for _ in range(KILLS):
            with running(store, facade, tmp_path / "started") as victim:
                for _ in range(chance.randrange(5, 30)):
                    world.speak(chance.randrange(1, 4), dollar=chance.randrange(2))
                wanted = chance.randrange(1, 6)
                # Of a victim that ended by itself, no log will come.
                wait_for(lambda: len(index.logs(ALL)) >= wanted or victim.poll() is not None)  # noqa: B023 - asked within this turn
                assert victim.poll() is None, f"the victim ended by itself with {victim.returncode}"
                time.sleep(chance.uniform(0, 0.02))
            chain.revert(mark)
            mark = chain.snapshot()
            chain.mine(1, seconds=chance.randrange(2, 500))
    index.sync()

    agrees(store, index, chain.logs(ALL))
    assert told(store)[1]
