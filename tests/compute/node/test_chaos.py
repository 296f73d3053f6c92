"""Lines go dead without a word, and peers send noise: both ends notice, and whoever is honest goes on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
from websockets.exceptions import ConnectionClosed

from mercato.compute.errors import Unreached
from mercato.compute.node.frames import Kind, frame
from mercato.compute.node.keyfile import NodeKey
from mercato.compute.testing import stub
from tests.compute.node.test_abuse import dialled
from tests.compute.node.world import JSON, PATIENCE, enrolled, gateway, joined, made, read, running, until, way

CHAT = b'{"model":"toy","messages":[{"role":"user","content":"hello"}]}'
STREAM = CHAT[:-1] + b',"stream":true}'


class Cable:
    """A way between two ports that can be cut without either end being told."""

    def __init__(self, port: int) -> None:
        self._port, self._tasks = port, set[asyncio.Task[None]]()
        self._ends: list[asyncio.StreamWriter] = []

    @contextlib.asynccontextmanager
    async def laid(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        async with server:
            yield server.sockets[0].getsockname()[1]
            self.cut()
            for end in self._ends:
                end.transport.abort()
            await asyncio.sleep(0)

    def cut(self) -> None:
        """Carries nothing more of the connections that are there; new ones are carried again."""
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", self._port)
        self._ends += [writer, there[1]]  # they stay open, so that nobody is told of a cut
        self._tasks |= {
            asyncio.create_task(self._carry(reader, there[1])),
            asyncio.create_task(self._carry(there[0], writer)),
        }

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
        target.close()


def test_a_line_that_goes_dead_without_a_word_is_noticed_at_both_ends_and_replaced(tmp_path: Path) -> None:
    async def run(url: str) -> None:
        async with gateway(beat=0.3) as met:
            cable = Cable(int(met.url.rpartition(":")[2]))
            async with cable.laid() as port:
                node = made(tmp_path, url, f"http://127.0.0.1:{port}")
                node.ways[0].name = met.url.removeprefix("http://")  # it calls the gateway as it is called
                met.roll.providers[node.key.public] = enrolled(node.key)
                async with running(node):
                    await until(lambda: bool(met.hub.candidates()))
                    reply = await way(met).open("/chat/completions", STREAM, JSON, deadline=PATIENCE)
                    cable.cut()
                    with pytest.raises(Unreached, match="broke off"):
                        [piece async for piece in reply.chunks()]
                    await until(lambda: node.serving.meter.underway == 0)
                    await until(lambda: len([one for one in node.said if one["what"] == "connected"]) >= 2)
                    await until(lambda: bool(met.hub.candidates()))
                    assert (await read(way(met), CHAT))[0] == 200

    with stub(gap=0.2) as upstream:
        asyncio.run(run(upstream.url))


def noise(rng: Random) -> str | bytes:
    """A message that a fool or an enemy could send, often nearly right."""
    payload = rng.randbytes(rng.choice((0, 1, 4, 40, 3000)))
    likely = frame(rng.choice(list(Kind)), rng.choice((0, 1, 2, 2**32 - 1)), payload)
    words = rng.choice(('{"type":"%s"}', '{"type":"%s","request":1}', '{"type":"%s","document":{}}', '["%s"]'))
    kinds = ("offers", "pong", "drain", "countersign", "object", "hello", "\\u0000")
    return rng.choice((payload, likely, likely, likely[:3], words % rng.choice(kinds), "{" * 100))


@pytest.mark.parametrize("seed", range(8))
def test_noise_ends_its_own_connection_at_most(tmp_path: Path, seed: int) -> None:
    async def run(url: str) -> None:
        rng = Random(seed)
        async with joined(tmp_path, url) as (met, _):
            honest = way(met)
            for _ in range(10):
                key = NodeKey.new()
                with contextlib.suppress(ConnectionClosed):
                    async with dialled(met, key) as socket:
                        line = met.hub.line(met.roll.providers[key.public].id)
                        assert line is not None
                        asking = asyncio.create_task(line.open("/chat/completions", CHAT, JSON, deadline=PATIENCE))
                        for _ in range(20):
                            await socket.send(noise(rng))
                        await socket.close()
                await asyncio.gather(asking, return_exceptions=True)
                assert asking.cancelled() or isinstance(asking.exception(), Unreached)
            assert (await read(honest, CHAT))[0] == 200
            await until(lambda: len(met.hub.members()) == 1)

    with stub() as upstream:
        asyncio.run(run(upstream.url))
