"""Four workers of the gateway on PostgreSQL under load, two killed: one truth for budgets, and the dead come back."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from mercato.compute.books import Clerk, keys
from mercato.compute.books.replay import replay
from mercato.compute.books.till import Till
from mercato.compute.books.words import State
from mercato.compute.model import RequestId
from mercato.compute.signing import signer
from mercato.compute.testing import stub
from mercato.core.clock import HandClock, SystemClock
from tests.compute.gateway.house import QUESTION
from tests.postgres import Cluster
from tests.profiles import examples
from tests.waiting import wait_for

WORKERS, KILLED, AT_ONCE, REQUESTS = 4, 2, 16, 480
FUNDS = 900
ASK = {"model": "toy", "messages": QUESTION, "max_tokens": 5}


def children(parent: int) -> list[int]:
    """Returns the processes that a process started, in their order."""
    tasks = Path(f"/proc/{parent}/task").iterdir()
    return sorted(int(pid) for task in tasks for pid in (task / "children").read_text().split())


async def load(base: str, secret: str, workers: list[int], seed: int) -> tuple[Counter[str], set[str]]:
    """Asks over many connections while workers are killed; returns how often what came, and the ids of answers."""
    chance, came, served = random.Random(seed), Counter[str](), set[str]()
    left = iter(range(REQUESTS))

    async def one(session: aiohttp.ClientSession) -> None:
        for number in left:
            headers = {"authorization": f"Bearer {secret}", "idempotency-key": f"request {number}"}
            try:
                async with session.post(f"{base}/chat/completions", json=ASK, headers=headers) as reply:
                    await reply.read()
                    came[str(reply.status)] += 1
                    served.update([reply.headers["x-request-id"]] * (reply.status == 200))
            except aiohttp.ClientError:  # its worker was killed
                came["lost"] += 1

    async def kill() -> None:
        for pid in chance.sample(workers, KILLED):
            await asyncio.sleep(chance.uniform(0.1, 0.3))
            os.kill(pid, signal.SIGKILL)

    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True), timeout=aiohttp.ClientTimeout(30)
    ) as session:
        await asyncio.gather(kill(), *(one(session) for _ in range(AT_ONCE)))
    return came, served


@contextmanager
def serving(home: Path, url: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Runs the gateway's workers on a database; gives their parent and where they answer."""
    command = [sys.executable, "-c", "from mercato.cli import main; main()", "compute", "serve", "--port", "0"]
    env = {**os.environ, "MERCATO_HOME": str(home), "MERCATO_STORE_URL": url}
    parent = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    try:
        base = re.findall(r"http\S+", parent.stdout.readline())[0]
        wait_for(lambda: len(children(parent.pid)) == WORKERS)
        yield parent, base
    finally:
        parent.send_signal(signal.SIGTERM)
        parent.wait(30)
        parent.stdout.close()


def settings(home: Path, upstream: str) -> None:
    """Writes a data folder's settings."""
    home.mkdir()
    (home / "mercato.toml").write_text(
        f'[compute]\nworkers = {WORKERS}\nadmin = ""\n[compute.upstreams.one]\nurl = "{upstream}"\nprivate = true\n'
        "[compute.upstreams.one.models.toy]\nprompt = 200000\ncompletion = 400000\nconcurrency = 64\n"
    )


@pytest.mark.parametrize("seed", range(examples(1)))
def test_killed_workers_come_back_and_leave_no_micro_dollar_unaccounted(
    postgres: Cluster, tmp_path: Path, seed: int
) -> None:
    home = tmp_path / "home"
    with postgres.database() as url, stub(delay=0.02) as upstream:
        settings(home, upstream.url)
        till = Till(url, SystemClock(), signer(home))
        till.deposit("ann", FUNDS, name="all")
        _, secret = keys.make(till.bare, SystemClock(), "ann")
        with serving(home, url) as (parent, base):
            before = children(parent.pid)
            came, served = asyncio.run(load(base, secret, before, seed))
            wait_for(lambda: len(children(parent.pid)) == WORKERS)
            assert len(set(children(parent.pid)) - set(before)) == KILLED
        assert parent.returncode == 0
        with closing(Clerk(url, HandClock(SystemClock().now() + timedelta(hours=1)), signer(home))) as later:
            later.open()
            later.abandon()
        found = replay(till.bare, signer(home).public)
        balances, spent = till.balances(), keys.listed(till.bare, "ann")[0].spent
        till.close()

    assert found.faults == []
    assert sum(balances.values()) == balances["reserved:ann"] == 0
    assert served, came
    assert {found.requests[RequestId(id)].state for id in served} == {State.DONE}
    assert spent == sum(it.charged for it in found.requests.values()) == FUNDS - balances["user:ann"]
    assert came["402"], came  # the account's money was met by all four
    assert set(came) <= {"200", "402", "lost"}
