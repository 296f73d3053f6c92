"""Four gateways on one PostgreSQL, under load, two of them killed: one truth for budgets, and nothing charged twice."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections import Counter as Tally
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from mercato.compute.books import Clerk, keys
from mercato.compute.books.replay import replay
from mercato.compute.books.till import Till
from mercato.compute.books.words import State
from mercato.compute.signing import signer
from mercato.compute.testing import stub
from mercato.core.clock import HandClock, SystemClock
from tests.postgres import Cluster

WORKERS, KILLED, QUESTIONS, AT_ONCE = 4, 2, 240, 16
LIMIT = 1_500  # micro-dollars: less than all questions together would cost
SETTINGS = """[compute]
admin = ""
nodes = "off"
[compute.upstreams.one]
url = "{url}"
private = true
[compute.upstreams.one.models.toy]
prompt = 200000
completion = 400000
context = 512
"""


@contextmanager
def gateway(home: Path, url: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Runs one gateway; gives its process and its address."""
    command = [sys.executable, "-c", "from mercato.cli import main; main()", "compute", "serve", "--port", "0"]
    given = {"PATH": os.environ["PATH"], "MERCATO_HOME": str(home), "MERCATO_STORE_URL": url}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=given) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().split()[-1]
        process.terminate()
        process.wait(30)


async def ask(session: aiohttp.ClientSession, bases: list[str], secret: str, number: int, chance: random.Random) -> str:
    """Asks one question until a gateway answers it, as a client does behind a load balancer; returns how it ended."""
    body: dict[str, Any] = {
        "model": "toy", "messages": [{"role": "user", "content": f"question {number}"}], "max_tokens": 20,
        "stream": number % 3 == 0,
    }  # fmt: skip
    headers = {"authorization": f"Bearer {secret}", "idempotency-key": f"question-{number}"}
    for _ in range(20):
        try:
            base = chance.choice(bases)
            async with session.post(f"{base}/chat/completions", json=body, headers=headers) as answer:
                text = await answer.read()
                if answer.status == 200 and body["stream"] and b"[DONE]" not in text:
                    return "cut"
                return str(answer.status)
        except aiohttp.ClientError:
            await asyncio.sleep(0.05)
    return "away"


async def load(bases: list[str], secret: str, processes: list[subprocess.Popen[str]]) -> dict[int, str]:
    """Asks all questions, and kills gateways meanwhile; returns how each question ended."""
    chance, ends, gate = random.Random(20261122), dict[int, str](), asyncio.Semaphore(AT_ONCE)

    async def one(session: aiohttp.ClientSession, number: int) -> None:
        async with gate:
            ends[number] = await ask(session, bases, secret, number, chance)

    async def kill() -> None:
        for at, process in enumerate(processes[:KILLED], 1):
            while len(ends) < at * QUESTIONS // 6:
                await asyncio.sleep(0.005)
            process.kill()

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(kill(), *(one(session, number) for number in range(QUESTIONS)))
    return ends


def recovered(url: str, home: Path) -> None:
    """Releases what the killed left, as any worker would when their leases are over."""
    clerk = Clerk(url, HandClock(datetime.now(UTC) + timedelta(minutes=5)), signer(home))
    clerk.open()
    while clerk.abandon():
        pass
    clerk.close()


@pytest.mark.nightly  # the command of several workers is tested at every run, in gateway/test_scale.py
def test_four_gateways_under_load_and_two_killed_keep_one_truth(home: Path, postgres: Cluster) -> None:
    with postgres.database() as url, stub(delay=0.01) as upstream, ExitStack() as opened:
        (home / "mercato.toml").write_text(SETTINGS.format(url=upstream.url))
        till = opened.enter_context(Till(url, SystemClock(), signer(home)))
        till.deposit("ann", 1_000_000, name="first")
        _, secret = keys.make(till.bare, till.clock, "ann", limits=keys.Limits(ever=LIMIT))
        with ExitStack() as running:
            started = [running.enter_context(gateway(home, url)) for _ in range(WORKERS)]
            ends = asyncio.run(load([base for _, base in started], secret, [process for process, _ in started]))
        recovered(url, home)
        found, balances = replay(till.bare, signer(home).public), till.balances()
        idems = {row[0]: row[1] for row in till.bare.run("SELECT id, idem FROM compute_request")}

    tally = Tally(ends.values())
    assert found.faults == []
    assert sum(balances.values()) == 0
    assert balances["reserved:ann"] == 0
    charged = {idems[id]: it.charged for id, it in found.requests.items() if it.state is State.DONE}
    assert sum(charged.values()) == 1_000_000 - balances["user:ann"] <= LIMIT
    # Each question that was answered was charged once, whichever gateways it went to.
    assert {f"question-{number}" for number, end in ends.items() if end == "200"} <= set(charged)
    assert len(charged) == sum(it.state is State.DONE for it in found.requests.values())
    assert (tally["200"] > 20, tally["402"] > 0, tally["away"]) == (True, True, 0)
