"""A gateway of several workers at one address has each node at each of them, wherever connections happen to end."""

from __future__ import annotations

import asyncio
from pathlib import Path

from mercato.compute.testing import stub
from tests.compute.node.world import gateway, made, read, running, until, way

CHAT = b'{"model":"toy","messages":[{"role":"user","content":"hello"}]}'


def test_a_node_comes_to_every_worker_and_serves_each_of_them(tmp_path: Path) -> None:
    async def run(url: str) -> list[int]:
        async with gateway(workers=4) as met:
            node = made(tmp_path, url, met.url)
            async with running(node):
                await until(lambda: all(hub.candidates() for hub in met.hubs))
                lines = [hub.line(hub.members()[0].id) for hub in met.hubs]
                assert len(node.ways) == 4
                return [(await read(line, CHAT))[0] for line in lines if line]

    with stub() as upstream:
        assert asyncio.run(run(upstream.url)) == [200] * 4


def test_a_worker_that_comes_back_is_found_again_and_the_others_are_not_disturbed(tmp_path: Path) -> None:
    async def run(url: str) -> None:
        async with gateway(workers=3) as met:
            node = made(tmp_path, url, met.url)
            async with running(node):
                await until(lambda: all(hub.candidates() for hub in met.hubs))
                lines = [hub.line(hub.members()[0].id) for hub in met.hubs]
                await way(met).close()
                await until(lambda: met.hub.members() == [])
                await until(lambda: all(hub.candidates() for hub in met.hubs))
                after = [hub.line(hub.members()[0].id) for hub in met.hubs]
                assert [before is now for before, now in zip(lines, after, strict=True)] == [False, True, True]

    with stub() as upstream:
        asyncio.run(run(upstream.url))


def test_a_node_leaves_every_worker(tmp_path: Path) -> None:
    async def run(url: str) -> None:
        async with gateway(workers=3) as met:
            node = made(tmp_path, url, met.url)
            async with running(node) as task:
                await until(lambda: all(hub.candidates() for hub in met.hubs))
                await node.crew.leave(5)
                await task
                await until(lambda: not any(hub.members() for hub in met.hubs))

    with stub() as upstream:
        asyncio.run(run(upstream.url))
