"""Whoever breaks the tunnel's rules, at either end, loses the connection, and nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from mercato.compute.errors import Unreached
from mercato.compute.model import canonical
from mercato.compute.node.frames import PIECE, PROTOCOL, WINDOW, Ask, Head, Kind, ask, frame, head
from mercato.compute.node.keyfile import NodeKey
from mercato.compute.node.offers import signed
from mercato.compute.testing import stub
from tests.compute.node.documents import offer
from tests.compute.node.world import (
    JSON,
    PATIENCE,
    Gateway,
    enrolled,
    gateway,
    joined,
    made,
    read,
    running,
    until,
    way,
)

SUBPROTOCOLS = [Subprotocol(PROTOCOL)]


def url(met: Gateway) -> str:
    return met.url.replace("http", "ws") + "/v1/tunnel"


def hello(key: NodeKey, nonce: str, gateway: str, /, **more: Any) -> str:
    said = {
        "type": "hello",
        "key": key.public,
        "gateway": gateway,
        "name": "n",
        "region": "",
        "zdr": False,
        "instance": "",
    }
    signature = key.sign("tunnel", canonical({"nonce": nonce, "gateway": gateway}))
    return json.dumps(said | {"signature": signature} | more)


@asynccontextmanager
async def dialled(met: Gateway, key: NodeKey) -> AsyncIterator[ClientConnection]:
    """A node of the test's own, welcome at the gateway."""
    async with connect(url(met), subprotocols=SUBPROTOCOLS, compression=None) as socket:
        nonce = json.loads(await socket.recv())["nonce"]
        await socket.send(hello(key, nonce, met.url.removeprefix("http://")))
        assert json.loads(await socket.recv())["type"] == "welcome"
        yield socket


async def said(socket: ClientConnection | ServerConnection, kind: str) -> dict[str, Any]:
    """The next control message of a kind."""
    async for message in socket:
        if isinstance(message, str) and (found := json.loads(message))["type"] == kind:
            return dict(found)
    raise AssertionError(f"no {kind} came: {socket.close_code} {socket.close_reason}")


async def closed(socket: ClientConnection) -> tuple[int | None, str | None]:
    async with asyncio.timeout(20):
        while True:
            try:
                await socket.recv()
            except ConnectionClosed:
                return socket.close_code, socket.close_reason


def document(met: Gateway, key: NodeKey, seq: int = 1, *, until_s: float = 60.0, **more: Any) -> str:
    now = datetime.now(UTC)
    facts: dict[str, Any] = {"gateway": met.url.removeprefix("http://"), "seq": seq, "issued": now}
    found = signed((offer("toy"),), key, until=now + timedelta(seconds=until_s), **(facts | more))
    return json.dumps({"type": "offers", "document": found})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"signature": "0" * 128}, "not signed"),
        ({"key": NodeKey.new().public}, "not signed"),
        ({"gateway": "evil.example"}, "gateway was called 'evil.example'"),
        ({"key": "short"}, "key was 'short'"),
        ({"name": "a\nb"}, "name was"),
        ({"type": "welcome"}, "expected one of hello"),
    ],
)
def test_nobody_comes_in_without_showing_their_key_to_this_gateway(change: dict[str, str], why: str) -> None:
    async def run() -> None:
        async with gateway() as met, connect(url(met), subprotocols=SUBPROTOCOLS) as socket:
            nonce = json.loads(await socket.recv())["nonce"]
            await socket.send(hello(NodeKey.new(), nonce, met.url.removeprefix("http://"), **change))
            answer = json.loads(await socket.recv())

            assert answer["type"] == "refused"
            assert why in answer["why"]
            assert (await closed(socket))[0] in (4400, 4403)
            assert met.roll.providers == {}

    asyncio.run(run())


def test_an_introduction_that_was_heard_elsewhere_opens_nothing() -> None:
    async def run() -> None:
        async with gateway() as met:
            key, name = NodeKey.new(), met.url.removeprefix("http://")
            async with connect(url(met), subprotocols=SUBPROTOCOLS) as first:
                heard = hello(key, json.loads(await first.recv())["nonce"], name)
            async with connect(url(met), subprotocols=SUBPROTOCOLS) as second:
                await second.recv()
                await second.send(heard)
                assert "not signed" in json.loads(await second.recv())["why"]

    asyncio.run(run())


def test_a_lying_node_gets_no_offer_in(tmp_path: Path) -> None:
    async def run() -> None:
        async with gateway() as met:
            key, other = NodeKey.new(), NodeKey.new()
            met.roll.providers[key.public] = enrolled(key)
            async with dialled(met, key) as socket:
                answers = []
                for text in (
                    document(met, key, 5),
                    document(met, key, 5),
                    document(met, key, 4),
                    document(met, other, 6),
                    document(met, key, 6, gateway="gw2.example"),
                ):
                    await socket.send(text)
                    answers.append(await said(socket, "offered"))
                assert [answer["accepted"] for answer in answers] == [["toy"], [], [], [], []]
                assert len(met.hub.candidates()) == 1

                await socket.send(document(met, key, 7, until_s=-1))
                assert (await closed(socket))[0] == 4400
                assert met.hub.candidates() == []

    asyncio.run(run())


def test_an_offer_that_ran_out_is_not_asked_any_more() -> None:
    async def run() -> None:
        async with gateway() as met:
            key = NodeKey.new()
            met.roll.providers[key.public] = enrolled(key)
            async with dialled(met, key) as socket:
                await socket.send(document(met, key, until_s=0.5))
                await said(socket, "offered")
                assert len(met.hub.candidates()) == 1
                await until(lambda: met.hub.candidates() == [])
                assert len(met.hub.members()) == 1

    asyncio.run(run())


def _head(status: int = 200) -> bytes:
    return head(1, Head(status, {}))


@pytest.mark.parametrize(
    "frames",
    [
        [b""],
        [b"\xff" * 40],
        [frame(Kind.DATA, 1, bytes(PIECE)) + b"x"],
        [frame(Kind.HEAD, 7, b"{}")],
        [frame(Kind.HEAD, 1, b'{"status":200')],
        [frame(Kind.HEAD, 1, b'{"status":200,"headers":{"a":"b\\r\\nc: d"}}')],
        [frame(Kind.DATA, 1, b"before a head")],
        [frame(Kind.END, 1)],
        [_head(), _head()],
        [_head(), *[frame(Kind.DATA, 1, bytes(PIECE))] * (WINDOW // PIECE), frame(Kind.DATA, 1, b"x")],
        [ask(1, Ask("/models", {}, 1, 0))],
        [frame(Kind.CREDIT, 1, struct.pack(">I", WINDOW))],
        ['{"type":"offers"}'],
        ['{"type":"evil"}'],
        ["[]"],
        ["x" * 150_000],
    ],
)
def test_a_node_that_breaks_the_rules_is_put_out_and_others_are_served(
    tmp_path: Path, frames: list[str | bytes]
) -> None:
    async def run(upstream: str) -> None:
        async with joined(tmp_path, upstream) as (met, _):
            key = NodeKey.new()
            honest = way(met)
            async with dialled(met, key) as socket:
                line = met.hub.line(met.roll.providers[key.public].id)
                assert line is not None
                asking = asyncio.create_task(line.open("/chat/completions", b"{}", JSON, deadline=PATIENCE))
                await until(lambda: getattr(line, "underway", 0) == 1)
                for message in frames:
                    await socket.send(message)
                code, _ = await closed(socket)

                assert code == 4400
                reply = await asyncio.gather(asking, return_exceptions=True)
                await until(lambda: getattr(line, "underway", 1) == 0)
                assert isinstance(reply[0], Unreached) or not hasattr(reply[0], "why")
            assert (await read(honest, b'{"model":"toy","messages":[]}'))[0] == 200

    with stub() as upstream:
        asyncio.run(run(upstream.url))


def test_a_message_larger_than_any_of_ours_ends_the_connection_unread() -> None:
    async def run() -> None:
        async with gateway() as met, dialled(met, NodeKey.new()) as socket:
            with contextlib.suppress(ConnectionClosed):
                await socket.send(bytes(10_000_000))
            assert (await closed(socket))[0] == 1009

    asyncio.run(run())


def test_a_node_that_says_nothing_is_taken_for_dead() -> None:
    async def run() -> None:
        async with gateway(beat=0.1) as met, dialled(met, NodeKey.new()) as socket:
            assert (await closed(socket))[0] == 4408
            await until(lambda: met.hub.members() == [])

    asyncio.run(run())


def test_strangers_that_stay_strangers_do_not_keep_others_out(tmp_path: Path) -> None:
    async def run(upstream: str) -> None:
        async with gateway() as met:
            strangers = [await connect(url(met), subprotocols=SUBPROTOCOLS) for _ in range(100)]
            node = made(tmp_path, upstream, met.url)
            async with running(node):
                await until(lambda: bool(met.hub.candidates()))
            for stranger in strangers:
                await stranger.close()

    with stub() as upstream:
        asyncio.run(run(upstream.url))
        assert len(upstream.asked) == 1


def test_a_connection_that_speaks_another_protocol_is_refused() -> None:
    async def run() -> None:
        async with gateway() as met:
            with pytest.raises(Exception, match="403"):
                await connect(url(met))

    asyncio.run(run())
