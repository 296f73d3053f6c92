"""A request that is cancelled, or whose worker dies, at each point where it waits: money is conserved all the same."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mercato.compute.books import Clerk
from mercato.compute.books.replay import replay
from mercato.compute.fleet.stub import Stub
from mercato.compute.testing import stub
from mercato.core.clock import HandClock, SystemClock
from mercato.store.bare import Bare
from tests.compute.gateway.house import QUESTION, furnished
from tests.compute.gateway.steps import DOLLAR, SIGNER, Steps, World, world
from tests.compute.node.world import until

ASK: dict[str, Any] = {"model": "toy", "messages": QUESTION, "max_tokens": 4}
WAYS: dict[str, dict[str, Any]] = {
    "whole": {**ASK, "provider": {"only": ["quick"]}},
    "stream": {**ASK, "provider": {"only": ["quick"]}, "stream": True},
    "hedged": {**ASK, "provider": {"order": ["slow", "quick"], "hedge": 100}},
    "fallback": {**ASK, "provider": {"order": ["bad", "quick"]}},
}
#: Each way with how many other requests under way: the books do what one alone asks before the loop goes on.
pytestmark = pytest.mark.parametrize(
    ("way", "others"), [("whole", 1), ("stream", 1), ("hedged", 1), ("fallback", 1), ("whole", 0), ("stream", 0)]
)


@contextmanager
def fleet() -> Iterator[dict[str, Stub]]:
    with stub("slow", gap=0.005) as quick, stub("slow", delay=30.0) as slow, stub("flaky") as bad:
        yield {"quick": quick, "slow": slow, "bad": bad}


def books(url: str) -> tuple[list[str], int, dict[str, int]]:
    """Returns what is wrong with the books, the sum of all balances, and every balance."""
    with Bare(url) as bare:
        found = {str(name): int(micro) for name, micro in bare.run("SELECT account, micro FROM compute_balance")}
        return replay(bare, SIGNER.public).faults, sum(found.values()), found


async def cancelled(met: World, body: Any, step: int) -> bool:
    """Serves a request whose task is cancelled at a step; returns whether it was over before."""

    def cancel() -> None:
        loop.call_soon(task.cancel)

    loop = asyncio.get_running_loop()
    steps = Steps(met.request("/chat/completions", body), {step: cancel})
    task = loop.create_task(steps)
    await asyncio.wait([task])
    return steps.count < step


def test_wherever_a_request_is_cancelled_nothing_stays_reserved_and_its_provider_is_told(
    tmp_path: Path, database: Path, way: str, others: int
) -> None:
    async def run(urls: dict[str, str], stubs: dict[str, Stub]) -> int:
        async with world(furnished(tmp_path, database), urls, others=others) as met:
            over, step = False, 0
            while not over:
                step += 1
                over = await cancelled(met, WAYS[way] | {"seed": step}, step)
                await until(lambda: met.held() == 0 and met.idle() and not any(one.open for one in stubs.values()))
                faults, total, found = books(met.url)
                assert (faults, total) == ([], 0)
                charged.append(DOLLAR - found["user:ann"] - sum(charged))
                heard.append(met.sent)
        return step

    charged: list[int] = []
    heard: list[bytes] = []
    with fleet() as stubs:
        steps = asyncio.run(run({name: one.url for name, one in stubs.items()}, stubs))

    assert steps > 4
    assert charged[0] == 0
    assert 0 < charged[-1] == max(charged)
    assert all(not paid for paid, said in zip(charged, heard, strict=True) if WAYS[way].get("stream") and not said)


def test_wherever_a_worker_dies_in_a_request_another_one_gives_back_what_it_held(
    tmp_path: Path, database: Path, way: str, others: int
) -> None:
    """Each snapshot is what lies on the disk while the request waits there: all that a dead worker leaves."""
    left: list[Path] = []

    def snapshot() -> None:
        left.append(tmp_path / f"left-{len(left)}.db")
        with closing(sqlite3.connect(tmp_path / "mercato.db")) as now, closing(sqlite3.connect(left[-1])) as copy:
            now.backup(copy)

    async def run(urls: dict[str, str]) -> None:
        async with world(furnished(tmp_path, database), urls, others=others) as met:
            await asyncio.create_task(Steps(met.request("/chat/completions", WAYS[way]), {}, snapshot))

    with fleet() as stubs:
        asyncio.run(run({name: one.url for name, one in stubs.items()}))
    spent = [recovered(f"sqlite:///{path}") for path in left]

    assert len(left) > 3
    assert spent[0] == 0
    assert spent == sorted(spent)
    assert all(each in (0, spent[-1]) for each in spent)


def recovered(url: str) -> int:
    """Recovers as another worker does once the dead one's lease is over; returns what the user was charged."""
    clerk = Clerk(url, HandClock(SystemClock().now() + timedelta(minutes=5)), SIGNER)
    clerk.open()
    clerk.abandon()
    clerk.close()
    faults, total, found = books(url)
    assert (faults, total, found.get("reserved:ann", 0)) == ([], 0, 0)
    return DOLLAR - found["user:ann"]
