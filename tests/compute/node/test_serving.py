"""Clients of the gateway are served by nodes as by any upstream: fallback, cuts and restarts included."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from openai import APIError, OpenAI

from mercato.compute.testing import stub
from tests.compute.gateway.conftest import database, house
from tests.compute.gateway.house import House
from tests.compute.node.documents import offer
from tests.compute.node.world import Node, made, running, until

__all__ = ["database", "house"]  # fixtures of the gateway's tests
QUESTION: Any = [{"role": "user", "content": "What does the agent earn?"}]


def node(folder: Path, upstream: str, met: House) -> Node:
    return made(folder, upstream, met.base.removesuffix("/v1"), offer("toy"))


def whole(client: OpenAI) -> str:
    return str(client.chat.completions.create(model="toy", messages=QUESTION).choices[0].message.content)


def streamed(client: OpenAI) -> list[Any]:
    return list(client.chat.completions.create(model="toy", messages=QUESTION, stream=True))


def words(events: list[Any]) -> str:
    return "".join(event.choices[0].delta.content or "" for event in events if event.choices)


async def listed(met: House) -> None:
    client = met.client()
    while not (await asyncio.to_thread(client.models.list)).data:
        await asyncio.sleep(0.05)


def test_a_client_is_served_by_a_node_and_the_node_signs_what_it_is_paid(house: Any, tmp_path: Path) -> None:
    async def run(met: House, upstream: str) -> list[Any]:
        one = node(tmp_path, upstream, met)
        async with running(one):
            await listed(met)
            said = [
                await asyncio.to_thread(whole, met.client()),
                words(await asyncio.to_thread(streamed, met.client())),
            ]
            await until(lambda: not one.serving.owed)
            return said

    with stub() as upstream:
        said = asyncio.run(run(house({}, nodes="anyone", node_seconds=1.0), upstream.url))
    assert said[0] == said[1] != ""


def test_a_gateway_that_ends_lets_answers_through_a_tunnel_come_to_their_end(house: Any, tmp_path: Path) -> None:
    async def run(met: House, upstream: Any) -> list[Any]:
        one = node(tmp_path, upstream.url, met)
        async with running(one):
            await listed(met)
            asking = asyncio.create_task(asyncio.to_thread(streamed, met.client()))
            await until(lambda: upstream.open == 1 and one.serving.meter.underway == 1)
            met._server[0].should_exit = True
            return await asking

    with stub(gap=0.05) as upstream:
        events = asyncio.run(run(house({}, nodes="anyone", node_seconds=1.0), upstream))
    assert events[-1].choices == [] or events[-1].choices[0].finish_reason == "stop"
    assert len(words(events)) > 10


def test_a_node_that_vanishes_in_the_middle_of_an_answer_is_told_of_and_no_end_is_made_up(
    house: Any, tmp_path: Path
) -> None:
    async def run(met: House, slow: Any) -> str:
        one = node(tmp_path, slow.url, met)
        async with running(one) as task:
            await listed(met)
            asking = asyncio.create_task(asyncio.to_thread(streamed, met.client(max_retries=0)))
            await until(lambda: slow.open == 1 and one.serving.meter.underway == 1)
            await asyncio.sleep(0.2)
            task.cancel()
            with pytest.raises(APIError) as told:
                await asking
            return str(told.value)

    with stub(gap=0.1) as slow:
        said = asyncio.run(run(house({}, nodes="anyone", node_seconds=1.0), slow))
    assert said


def test_a_node_that_vanishes_before_the_first_byte_is_replaced_by_another(house: Any, tmp_path: Path) -> None:
    async def run(met: House, slow: Any) -> str:
        nodes = [node(tmp_path / name, slow.url, met) for name in ("a", "b")]
        async with running(nodes[0]) as first, running(nodes[1]) as second:
            await until(lambda: all(any(line["what"] == "standing" for line in one.said) for one in nodes))
            await listed(met)
            await asyncio.sleep(1.1)  # the gateway looks once a second who is there
            asking = asyncio.create_task(asyncio.to_thread(whole, met.client(max_retries=0)))
            await until(lambda: any(one.serving.meter.underway for one in nodes))
            [first, second][nodes[1].serving.meter.underway].cancel()
            return await asking

    with stub(delay=0.5) as slow:
        said = asyncio.run(run(house({}, nodes="anyone", node_seconds=1.0), slow))
        assert len(slow.asked) == 4  # each node's trial, then both
    assert said
