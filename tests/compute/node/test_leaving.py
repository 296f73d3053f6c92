"""A client that leaves: its provider, at an address or behind a tunnel, is told within a second, and nothing is charged
but what was forwarded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from mercato.compute.fleet.stub import Stub
from mercato.compute.testing import stub
from tests.compute.gateway.house import QUESTION, House, blank
from tests.compute.node.world import made, running, until

ASK: dict[str, Any] = {"model": "toy", "messages": QUESTION, "max_tokens": 500}
GAP = 0.02
SECOND = 1.0  # what the product promises; a provider is told in milliseconds where the machine has time
pytestmark = pytest.mark.parametrize("way", ["address", "tunnel"])


@asynccontextmanager
async def met(folder: Path, way: str, upstream: Stub) -> AsyncIterator[House]:
    """Gives a gateway that asks the upstream, by its address or through a node that dialled in."""
    blank(folder)
    named = {"address": {"one": upstream.url}, "tunnel": {}}[way]
    home = await asyncio.to_thread(House(folder, named, nodes="anyone").__enter__)
    node = made(folder / "node", upstream.url, home.base.removesuffix("/v1"))
    try:
        async with {"address": _nobody, "tunnel": running}[way](node):
            async with session(home) as asking:
                await until_there(asking, f"{home.base}/models/toy")
            yield home
    finally:
        await asyncio.to_thread(home.__exit__, None, None, None)


@asynccontextmanager
async def _nobody(node: Any) -> AsyncIterator[None]:
    yield


def session(home: House) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(headers={"authorization": f"Bearer {home.ann}"})


def test_of_a_stream_that_its_client_leaves_what_was_forwarded_is_charged(tmp_path: Path, way: str) -> None:
    async def leave(one: Stub) -> tuple[float, Any, int, tuple[int, int]]:
        async with met(tmp_path, way, one) as home, session(home) as asking:
            answer = await asking.post(f"{home.base}/chat/completions", json={**ASK, "stream": True})
            seen = b"".join([await answer.content.readuntil(b"\n\n") for _ in range(10)])
            at = time.monotonic()
            answer.close()
            await until(lambda: one.left == 1)
            place = f"{home.base}/receipts/{answer.headers['x-request-id']}"
            await until_there(asking, place)
            async with asking.get(place) as told:
                return one.gone[0] - at, await told.json(), len(seen), await asyncio.to_thread(home.balance, "ann")

    with stub("slow", gap=GAP) as one:
        took, receipt, seen, balance = asyncio.run(leave(one))

    assert took < SECOND
    assert receipt["end"] == "client-gone"
    assert 0 < receipt["counted"]["completion"] < seen
    assert balance == (1_000_000 - receipt["charged"], 0)


def test_a_whole_answer_that_its_client_does_not_wait_for_costs_nothing(tmp_path: Path, way: str) -> None:
    async def leave(one: Stub) -> tuple[float, tuple[int, int]]:
        async with met(tmp_path, way, one) as home, session(home) as asking:
            one.manner = replace(one.manner, delay=60.0)  # only now: a node that dialled in was tried once
            waiting = asyncio.create_task(asking.post(f"{home.base}/chat/completions", json=ASK))
            await until(lambda: one.open == 1)
            at = time.monotonic()
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            await until(lambda: one.left == 1)
            await until(lambda: home.balance("ann")[1] == 0)
            return one.gone[0] - at, home.balance("ann")

    with stub("slow") as one:
        took, balance = asyncio.run(leave(one))

    assert took < SECOND
    assert balance == (1_000_000, 0)


async def until_there(asking: aiohttp.ClientSession, place: str) -> None:
    """Waits until something can be read at a place."""
    status = 0
    async with asyncio.timeout(30):
        while status != 200:
            await asyncio.sleep(0.02)
            async with asking.get(place) as answer:
                status = answer.status
