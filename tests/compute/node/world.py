"""A gateway with nothing but its hub, and a node behind it, in one event loop over real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import uvicorn
from aiohttp import web

from mercato.compute.gateway.line import Line, Patience
from mercato.compute.model import PROVIDERS, Offer, Provider, Standing
from mercato.compute.node.caps import Caps, Meter, Used
from mercato.compute.node.crew import Crew
from mercato.compute.node.daybook import Daybook
from mercato.compute.node.dial import Dialler, Identity
from mercato.compute.node.frames import MOST_MESSAGE, WINDOW
from mercato.compute.node.hub import Hub
from mercato.compute.node.keyfile import NodeKey
from mercato.compute.node.receipting import Folder
from mercato.compute.node.serving import Serving
from mercato.compute.node.upstream import Upstream
from mercato.compute.testing import MemoryRoll
from mercato.core.settings import Secret
from tests.compute.node.documents import offer

PATIENCE = Patience(connect=2.0, first=20.0, idle=20.0, total=60.0)
JSON = {"content-type": "application/json"}


@dataclass
class Gateway:
    """Workers that are listened to, each with a hub."""

    hubs: list[Hub]
    roll: MemoryRoll
    url: str
    server: uvicorn.Server

    @property
    def hub(self) -> Hub:
        """The first worker's."""
        return self.hubs[0]


@asynccontextmanager
async def gateway(
    beat: float = 1.0, roll: MemoryRoll | None = None, signer: str = "", workers: int = 1, **more: Any
) -> AsyncIterator[Gateway]:
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    name = f"127.0.0.1:{listening.getsockname()[1]}"
    roll = roll or MemoryRoll()
    hubs = [Hub(roll, names=frozenset({name}), signer=signer, beat=beat, workers=workers) for _ in range(workers)]
    drawn = Random(7)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        """A worker, as the kernel would draw one for each connection."""
        await drawn.choice(hubs)(scope, receive, send)

    config = uvicorn.Config(
        application,
        lifespan="off",
        log_level="critical",
        ws_max_size=MOST_MESSAGE,
        ws_per_message_deflate=False,
        **more,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        await until(lambda: server.started)
        yield Gateway(hubs, roll, f"http://{name}", server)
    finally:
        for hub in hubs:
            await hub.close()
        server.should_exit = server.force_exit = True
        await serving
        listening.close()


@dataclass
class Node:
    """A node's parts, and the lines of its log."""

    serving: Serving
    crew: Crew
    ways: list[Dialler]
    key: NodeKey
    said: list[dict[str, Any]] = field(default_factory=list)


def made(folder: Path, url: str, gateway_url: str, *offers: Offer, caps: Caps = Caps(), **who: Any) -> Node:  # noqa: B008 -- frozen
    said: list[dict[str, Any]] = []
    key = who.pop("key", None) or NodeKey.new()
    offered = {one.upstream or one.model: one for one in offers or (offer("toy"),)}
    meter = Meter(caps, Used(datetime.now(UTC).date()))
    serving = Serving(
        Upstream(url, Secret("")), offered, meter, Daybook(folder / "daybook"),
        lambda what, **facts: said.append({"what": what, **facts}),
    )  # fmt: skip
    ways: list[Dialler] = []
    identity, kept = Identity(key, **who), Folder(folder)

    def way(grow: Callable[[int], None]) -> Dialler:
        ways.append(Dialler(gateway_url, identity, serving, kept, grow=grow, pausing=lambda tries, rng: 0.05))
        return ways[-1]

    return Node(serving, Crew(way), ways, key, said)


@asynccontextmanager
async def running(node: Node) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(node.crew.run())
    try:
        yield task
    finally:
        await node.crew.leave(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await node.serving.upstream.close()
        node.serving.daybook.close()


@asynccontextmanager
async def joined(
    folder: Path, url: str, *offers: Offer, beat: float = 1.0, signer: str = "", **more: Any
) -> AsyncIterator[tuple[Gateway, Node]]:
    """A gateway with one node that serves."""
    async with gateway(beat, signer=signer) as met:
        node = made(folder, url, met.url, *offers, **more)
        async with running(node):
            await until(lambda: bool(met.hub.candidates()))
            yield met, node


@asynccontextmanager
async def known(met: Gateway, folder: Path, url: str) -> AsyncIterator[tuple[Node, asyncio.Task[None]]]:
    """A node that serves, at a gateway that tried it before, and its task."""
    node = made(folder, url, met.url)
    met.roll.providers[node.key.public] = enrolled(node.key)
    async with running(node) as task:
        await until(lambda: bool(met.hub.candidates()))
        yield node, task


def way(met: Gateway) -> Line:
    """The line to the one provider that is there."""
    found = met.hub.line(met.hub.members()[0].id)
    assert found is not None
    return found


async def read(line: Line, body: bytes, path: str = "/chat/completions", **headers: str) -> tuple[int, bytes]:
    reply = await line.open(path, body, JSON | headers, deadline=PATIENCE)
    try:
        return reply.status, b"".join([piece async for piece in reply.chunks()])
    finally:
        await reply.close()


async def until(done: Any, seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not done():
            await asyncio.sleep(0.01)


def enrolled(key: NodeKey) -> Provider:
    """The provider of a key, as a gateway has it that tried it before."""
    return Provider(PROVIDERS.new(), "node", Standing.ACTIVE, key=key.public)


LARGE = 3 * WINDOW


@contextmanager
def large() -> Iterator[str]:
    """An upstream whose every answer is of LARGE octets, as quickly as it can be read."""

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        message = {"choices": [{"message": {"content": ""}}]}
        return web.Response(body=json.dumps(message).encode().ljust(LARGE), content_type="application/json")

    with served(answer) as url:
        yield url


@contextmanager
def served(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Iterator[str]:
    """Any upstream, in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> web.AppRunner:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    runner = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
