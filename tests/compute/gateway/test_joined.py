"""The head of an answer goes out with the first of its body, and never waits for one that does not come."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from mercato.compute.gateway.server import Joined

Came = Callable[[], bytes]


@asynccontextmanager
async def joined() -> AsyncIterator[tuple[Joined, Came]]:
    """Gives a transport, and what came of it at the other side by now."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    loop = asyncio.get_running_loop()

    def came() -> bytes:
        try:
            return theirs.recv(1000)
        except BlockingIOError:
            return b""

    with theirs:
        transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, ours)
        yield Joined(transport, loop), came
        transport.abort()


def test_a_head_goes_out_with_the_body_that_follows_at_once() -> None:
    async def run() -> list[bytes]:
        async with joined() as (made, came):
            made.hold()
            made.write(b"head ")
            before = came()
            made.write(b"body")
            after = came()
            made.write(b"more")
            return [before, after, came()]

    assert asyncio.run(run()) == [b"", b"head body", b"more"]


def test_a_head_alone_goes_out_at_the_end_of_the_turn() -> None:
    async def run() -> list[bytes]:
        async with joined() as (made, came):
            made.hold()
            made.write(b"head")
            before = came()
            await asyncio.sleep(0)
            return [before, came()]

    assert asyncio.run(run()) == [b"", b"head"]


def test_what_waits_goes_out_before_the_connection_ends() -> None:
    async def run() -> bytes:
        async with joined() as (made, came):
            made.hold()
            made.write(b"head")
            made.close()
            return came()

    assert asyncio.run(run()) == b"head"
