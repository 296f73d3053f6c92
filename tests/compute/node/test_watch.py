"""An offer holds while its model is there and is the one that was looked at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from mercato.compute.node.provide import ware, watch
from mercato.compute.node.settings import Served
from tests.compute.node.world import Node, made, served, until


class Changing:
    """An upstream whose list of models is what the test says."""

    def __init__(self, *models: dict[str, Any]) -> None:
        self.models = list(models)

    async def answer(self, request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.json_response({"data": self.models})
        return web.json_response({"choices": [{"message": {"content": "hello"}}]})


@asynccontextmanager
async def watched(folder: Path, url: str) -> AsyncIterator[Node]:
    node = made(folder, url, "http://127.0.0.1:9")
    node.serving.offers = {}
    wares = [await ware(node.serving.upstream, name, Served(prompt=1, completion=1), 4) for name in ("a", "b")]
    watching = asyncio.create_task(watch(node.serving, wares, 0.02))
    try:
        yield node
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await node.serving.upstream.close()


def test_an_offer_is_taken_back_while_its_model_is_not_there(tmp_path: Path) -> None:
    upstream = Changing({"id": "a"}, {"id": "b"})

    async def run(url: str) -> set[str]:
        async with watched(tmp_path, url) as node:
            await until(lambda: set(node.serving.offers) == {"a", "b"})
            upstream.models.pop()
            await until(lambda: set(node.serving.offers) == {"a"})
            upstream.models.append({"id": "b"})
            await until(lambda: set(node.serving.offers) == {"a", "b"})
            return set(node.serving.offers)

    with served(upstream.answer) as url:
        assert asyncio.run(run(url)) == {"a", "b"}


def test_an_offer_is_taken_back_for_good_once_the_upstream_tells_of_other_weights(tmp_path: Path) -> None:
    upstream = Changing({"id": "a", "digest": "a" * 64}, {"id": "b"})

    async def run(url: str) -> set[str]:
        async with watched(tmp_path, url) as node:
            await until(lambda: set(node.serving.offers) == {"a", "b"})
            upstream.models[0] = {"id": "a", "digest": "b" * 64}
            await until(lambda: set(node.serving.offers) == {"b"})
            upstream.models[0] = {"id": "a", "digest": "a" * 64}
            upstream.models.pop()
            await until(lambda: node.serving.offers == {})
            return set(node.serving.offers)

    with served(upstream.answer) as url:
        assert asyncio.run(run(url)) == set()


def test_an_upstream_that_is_gone_is_offered_no_more_and_asked_again(tmp_path: Path) -> None:
    async def run(url: str) -> set[str]:
        async with watched(tmp_path, url) as node:
            await until(lambda: set(node.serving.offers) == {"a", "b"})
            node.serving.upstream.url = "http://127.0.0.1:9/v1"
            await until(lambda: node.serving.offers == {})
            node.serving.upstream.url = url
            await until(lambda: set(node.serving.offers) == {"a", "b"})
            return set(node.serving.offers)

    with served(Changing({"id": "a"}, {"id": "b"}).answer) as url:
        assert asyncio.run(run(url)) == {"a", "b"}
