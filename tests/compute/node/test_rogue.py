"""A node keeps to its own limits whatever its gateway sends, and hangs up on one that breaks the rules."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from mercato.compute.node.caps import Caps
from mercato.compute.node.frames import PROTOCOL, Ask, Kind, ask, frame
from mercato.compute.testing import stub
from mercato.core.errors import Conflict
from tests.compute.node.world import gateway, made, running, until

SUBPROTOCOLS = [Subprotocol(PROTOCOL)]
Script = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def rogue(script: Script) -> AsyncIterator[str]:
    """A gateway that welcomes everybody, and then does what the script says."""

    async def answer(socket: ServerConnection) -> None:
        await socket.send(json.dumps({"type": "challenge", "nonce": "0" * 64}))
        await socket.recv()
        words = {
            "type": "welcome",
            "provider": "prov_1",
            "standing": "active",
            "beat": 1000,
            "signer": "",
            "workers": 1,
        }
        await socket.send(json.dumps(words))
        await script(socket)
        await socket.wait_closed()

    async with serve(answer, "127.0.0.1", 0, subprotocols=SUBPROTOCOLS, max_size=None) as server:
        yield f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


@pytest.mark.parametrize(
    "messages",
    [
        [b""],
        [b"garbage that is no frame"],
        [bytes(1_000_000)],
        ["not json"],
        ['{"type":"offers"}'],
        [frame(Kind.HEAD, 1, b"{}")],
        [frame(Kind.DATA, 9, b"x")],
        [frame(Kind.OPEN, 1, b"{}")],
        [frame(Kind.OPEN, 1, b'{"path":"/chat/completions","headers":{},"wait":1e9,"length":3}')],
        [ask(2, Ask("/chat/completions", {}, 1000, 3)), ask(1, Ask("/chat/completions", {}, 1000, 3))],
        [frame(Kind.OPEN, 1, b'{"path":"/x","headers":{"a":"b\\nc"},"wait":1,"length":3}')],
        ['{"type":"receipt","body":{},"hash":"","signature":""}'],
    ],
)
def test_a_node_hangs_up_on_a_gateway_that_breaks_the_rules_and_dials_again(
    tmp_path: Path, messages: list[str | bytes]
) -> None:
    met = []

    async def script(socket: ServerConnection) -> None:
        met.append(socket)
        for message in messages:
            await socket.send(message)

    async def run(upstream: str) -> None:
        async with rogue(script) as address:
            node = made(tmp_path, upstream, address)
            async with running(node):
                await until(lambda: len(met) >= 2)
                assert [line for line in node.said if line["what"] == "tunnel lost"]

    with stub() as upstream:
        asyncio.run(run(upstream.url))
        assert upstream.asked == []


async def answers(socket: ServerConnection, count: int) -> list[tuple[int, bytes]]:
    """Statuses and bodies of so many answers."""
    heads: dict[int, int] = {}
    bodies: dict[int, bytes] = {}
    ended = 0
    while ended < count:
        message = await socket.recv()
        if isinstance(message, bytes):
            kind, stream = message[0], int.from_bytes(message[1:5])
            if kind == Kind.HEAD:
                heads[stream] = json.loads(message[5:])["status"]
            elif kind == Kind.DATA:
                bodies[stream] = bodies.get(stream, b"") + message[5:]
            ended += kind in (Kind.END, Kind.ERROR)
    return [(heads[stream], bodies[stream]) for stream in sorted(heads)]


def request(stream: int, body: bytes, path: str = "/chat/completions", length: int = -1) -> list[bytes]:
    size = len(body) if length < 0 else length
    return [ask(stream, Ask(path, {}, 5000, size)), frame(Kind.DATA, stream, body), frame(Kind.END, stream)]


CHAT = b'{"model":"toy","messages":[{"role":"user","content":"hello"}]}'


@pytest.mark.parametrize(
    ("frames", "status", "code"),
    [
        (request(1, CHAT, "/models"), 404, "not_found"),
        (request(1, CHAT, "/../admin"), 404, "not_found"),
        (request(1, b'{"model":"secret"}'), 404, "model_not_found"),
        (request(1, b'{"model":["toy"]}'), 404, "model_not_found"),
        (request(1, b"{}"), 404, "model_not_found"),
        (request(1, b"[1]"), 400, "invalid_request"),
        (request(1, b'{"model":"toy","model":"secret"}'), 400, "invalid_request"),
        (request(1, CHAT, length=3), 400, "invalid_request"),
        (request(1, CHAT, length=1000), 400, "invalid_request"),
        ([ask(1, Ask("/chat/completions", {}, 5000, 41_000_000))], 413, "too_large"),
    ],
)
def test_a_node_answers_itself_what_is_not_for_its_upstream(
    tmp_path: Path, frames: list[bytes], status: int, code: str
) -> None:
    found: list[tuple[int, bytes]] = []

    async def script(socket: ServerConnection) -> None:
        for message in frames:
            await socket.send(message)
        found.extend(await answers(socket, 1))

    async def run(upstream: str) -> None:
        async with rogue(script) as address, running(made(tmp_path, upstream, address)):
            await until(lambda: bool(found))

    with stub() as upstream:
        asyncio.run(run(upstream.url))
        assert upstream.asked == []
    assert [(found[0][0], json.loads(found[0][1])["error"]["code"])] == [(status, code)]


def test_requests_that_never_end_take_a_bounded_room_and_leave_others_theirs(tmp_path: Path) -> None:
    found: list[tuple[int, bytes]] = []

    async def script(socket: ServerConnection) -> None:
        for stream in range(1, 12):
            await socket.send(ask(stream, Ask("/chat/completions", {}, 5000, 30_000_000)))
        found.extend(await answers(socket, 3))
        for message in request(12, CHAT):
            await socket.send(message)
        found.extend(await answers(socket, 1))

    async def run(upstream: str) -> None:
        async with rogue(script) as address, running(made(tmp_path, upstream, address)):
            await until(lambda: len(found) == 4)

    with stub() as upstream:
        asyncio.run(run(upstream.url))
    assert [status for status, _ in found] == [503, 503, 503, 200]


@pytest.mark.parametrize(("caps", "reached"), [(Caps(concurrency=1), "at once"), (Caps(minute=1), "minute")])
def test_the_owners_caps_hold_whatever_the_gateway_asks(tmp_path: Path, caps: Caps, reached: str) -> None:
    found: list[tuple[int, bytes]] = []

    async def script(socket: ServerConnection) -> None:
        for stream in (1, 2, 3):
            for message in request(stream, CHAT):
                await socket.send(message)
        found.extend(await answers(socket, 3))

    async def run(upstream: str) -> None:
        async with rogue(script) as address, running(made(tmp_path, upstream, address, caps=caps)):
            await until(lambda: bool(found))

    with stub(delay=0.3) as upstream:
        asyncio.run(run(upstream.url))
        assert len(upstream.asked) == 1
    assert sorted(status for status, _ in found) == [200, 429, 429]
    assert any(reached in body.decode() for _, body in found)


def test_a_refusal_at_the_first_welcome_stops_the_node_with_the_gateways_words(tmp_path: Path) -> None:
    async def run() -> None:
        async with gateway() as met:
            node = made(tmp_path, "http://127.0.0.1:9/v1", met.url)
            node.ways[0].name = "another.example"
            with pytest.raises(Conflict, match=r"gateway was called 'another.example'"):
                await node.crew.run()
            node.serving.daybook.close()

    asyncio.run(run())
