"""Requests go through a tunnel that the node dialled, many at once, and each stands for itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from mercato.compute.errors import Unreached
from mercato.compute.fleet.stub import Stub
from mercato.compute.model import Standing
from mercato.compute.node.caps import Caps
from mercato.compute.testing import stub
from mercato.core.errors import Conflict
from tests.compute.node.documents import offer
from tests.compute.node.world import (
    JSON,
    LARGE,
    PATIENCE,
    gateway,
    joined,
    known,
    large,
    made,
    read,
    running,
    until,
    way,
)


def ask(words: str = "hello", **more: object) -> bytes:
    return json.dumps({"model": "toy", "messages": [{"role": "user", "content": words}], **more}).encode()


def test_a_new_node_is_tried_and_then_serves(tmp_path: Path) -> None:
    async def run(url: str) -> None:
        async with joined(tmp_path, url) as (met, node):
            status, body = await read(way(met), ask())

            assert status == 200
            assert json.loads(body)["choices"][0]["message"]["content"]
            ((provider, offered),) = met.hub.candidates()
            assert (provider.key, provider.standing) == (node.key.public, Standing.PROBATION)
            assert (offered.provider, offered.model) == (provider.id, "toy")

    with stub() as upstream:
        asyncio.run(run(upstream.url))
        assert len(upstream.asked) == 2  # the trial and the request


def test_a_hundred_streams_at_once_keep_their_pieces_apart(tmp_path: Path) -> None:
    async def run(url: str) -> list[tuple[int, bytes]]:
        async with joined(tmp_path, url, offer("toy", concurrency=200), caps=Caps(concurrency=200)) as (met, _):
            line = way(met)
            return await asyncio.gather(*(read(line, ask(f"word {n % 10}", stream=True)) for n in range(100)))

    with stub() as upstream:
        found = asyncio.run(run(upstream.url))

    assert {status for status, _ in found} == {200}
    assert all(body.endswith(b"data: [DONE]\n\n") for _, body in found)
    assert len({_words(body) for _, body in found}) == len({_words(body) for _, body in found[:10]})


def _words(body: bytes) -> str:
    events = [json.loads(line[6:]) for line in body.split(b"\n\n") if line.startswith(b"data: {")]
    return "".join(event["choices"][0]["delta"].get("content") or "" for event in events if event["choices"])


def test_closing_a_reply_stops_the_work_at_the_upstream(tmp_path: Path) -> None:
    async def run(upstream: Stub) -> None:
        async with joined(tmp_path, upstream.url) as (met, node):
            reply = await way(met).open("/chat/completions", ask(stream=True), JSON, deadline=PATIENCE)
            async for _ in reply.chunks():
                break
            await reply.close()
            await until(lambda: upstream.left == 1)
            await until(lambda: node.serving.meter.underway == 0)

            assert [line["end"] for line in node.said if line["what"] == "served"] == ["done", "client-gone"]

    with stub(gap=0.05) as upstream:
        asyncio.run(run(upstream))


def test_an_answer_that_nobody_reads_stops_at_its_window_while_others_go_on(tmp_path: Path) -> None:
    async def run(url: str) -> None:
        async with joined(tmp_path, url) as (met, _):
            line = way(met)
            slow = await line.open("/chat/completions", ask(), JSON, deadline=PATIENCE)
            await asyncio.sleep(0.1)
            assert line._streams[2].inbox._room == 0  # type: ignore[attr-defined]  # how much waits shows nowhere else

            others = [await read(line, ask()) for _ in range(3)]
            assert {len(body) for _, body in others} == {LARGE}

            assert len(b"".join([piece async for piece in slow.chunks()])) == LARGE
            await slow.close()

    with large() as url:
        asyncio.run(run(url))


@pytest.mark.parametrize(
    ("behaviour", "why"), [("truncate", "reset"), ("redirect", "protocol"), ("gzip-bomb", "protocol")]
)
def test_what_an_upstream_breaks_is_told_in_one_word(tmp_path: Path, behaviour: str, why: str) -> None:
    async def run(url: str) -> None:
        async with gateway() as met, known(met, tmp_path, url):
            with pytest.raises(Unreached) as lost:
                await read(way(met), ask(stream=True))
            assert lost.value.why == why

    with stub(behaviour) as upstream:
        asyncio.run(run(upstream.url))


def test_an_upstream_that_is_not_there_is_told_and_counted(tmp_path: Path) -> None:
    async def run() -> None:
        async with gateway() as met, known(met, tmp_path, "http://127.0.0.1:9/v1") as (node, _):
            with pytest.raises(Unreached, match="connect"):
                await read(way(met), ask())
            assert node.serving.meter.underway == 0

    asyncio.run(run())


def test_a_node_whose_answers_are_no_answers_is_not_let_in(tmp_path: Path) -> None:
    async def run(url: str) -> None:
        async with gateway() as met:
            node = made(tmp_path, url, met.url)
            async with running(node):
                await until(lambda: any("trial" in str(line) for line in node.said))
                assert met.hub.candidates() == []
                assert {one.standing for one in met.roll.providers.values()} == {Standing.PENDING}

    with stub("html") as upstream:
        asyncio.run(run(upstream.url))


def test_a_tunnel_that_breaks_ends_its_requests_and_is_dialled_again(tmp_path: Path) -> None:
    async def run(url: str) -> None:
        async with joined(tmp_path, url) as (met, node):
            reply = await way(met).open("/chat/completions", ask(stream=True), JSON, deadline=PATIENCE)
            await way(met).close()
            with pytest.raises(Unreached, match="broke off"):
                [piece async for piece in reply.chunks()]

            await until(lambda: len([line for line in node.said if line["what"] == "connected"]) == 2)
            await until(lambda: bool(met.hub.candidates()))
            status, _ = await read(way(met), ask())
            assert status == 200

    with stub(gap=0.05) as upstream:
        asyncio.run(run(upstream.url))


def test_a_node_that_leaves_ends_what_it_began_and_takes_nothing_new(tmp_path: Path) -> None:
    async def run(url: str) -> None:
        async with joined(tmp_path, url) as (met, node):
            line = way(met)
            reply = await line.open("/chat/completions", ask(stream=True), JSON, deadline=PATIENCE)
            node.serving.draining = True
            leaving = asyncio.create_task(node.crew.leave(30))
            await until(lambda: met.hub.candidates() == [])
            status, body = await read(line, ask())
            whole = b"".join([piece async for piece in reply.chunks()])
            await leaving

            assert (status, json.loads(body)["error"]["code"]) == (503, "draining")
            assert whole.endswith(b"data: [DONE]\n\n")
            await until(lambda: met.hub.members() == [])

    with stub(gap=0.05) as upstream:
        asyncio.run(run(upstream.url))


def test_the_later_of_two_nodes_with_one_key_stays_and_the_earlier_one_stops(tmp_path: Path) -> None:
    async def run(url: str) -> None:
        async with gateway() as met:
            first = made(tmp_path, url, met.url)
            second = made(tmp_path, url, met.url, key=first.key)
            async with running(first) as task:
                await until(lambda: bool(met.hub.candidates()))
                async with running(second):
                    with pytest.raises(Conflict, match="another connection came with the same key"):
                        await task
                    await until(lambda: bool(met.hub.candidates()))
                    assert len(met.hub.members()) == 1

    with stub() as upstream:
        asyncio.run(run(upstream.url))


@pytest.mark.parametrize("behaviour", ["honest", "truncate", "html", "stall"])
def test_no_words_of_a_prompt_or_an_answer_are_in_a_log_or_a_file_at_any_level(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, behaviour: str
) -> None:
    caplog.set_level(logging.DEBUG)

    async def run(url: str) -> tuple[list[object], str]:
        async with gateway() as met, known(met, tmp_path, url) as (node, _):
            hurried = replace(PATIENCE, idle=0.5)
            said = b""
            with contextlib.suppress(Unreached):
                reply = await way(met).open("/chat/completions", ask(SECRET, stream=True), JSON, deadline=hurried)
                async for piece in reply.chunks():
                    said += piece
            await until(lambda: node.serving.meter.underway == 0 or behaviour == "stall")
            return [*node.said], _words(said)

    with stub(behaviour) as upstream:
        said, answer = asyncio.run(run(upstream.url))
    files = "".join(path.read_text() for path in tmp_path.rglob("*.json*"))
    for text in (caplog.text, str(said), files):
        assert SECRET not in text
        assert not answer or answer not in text


SECRET = "the-word-that-nobody-should-see"
