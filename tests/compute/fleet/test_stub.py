"""The stub providers speak OpenAI's API over real HTTP, and misbehave exactly as they are told."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import aiohttp
import pytest

from mercato.compute.fleet.behaviour import Behaviour
from mercato.compute.fleet.stub import MARK, Stub
from mercato.compute.testing import stub
from tests.waiting import wait_for

HELLO = {"model": "toy", "messages": [{"role": "user", "content": "hello there"}], "max_tokens": 8}
STREAM = {**HELLO, "stream": True, "stream_options": {"include_usage": True}}


def post(server: Stub, body: dict[str, Any], path: str = "/chat/completions", **named: Any) -> tuple[int, bytes]:
    """Status and bytes of one answer, as they came."""

    async def ask() -> tuple[int, bytes]:
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.post(server.url + path, json=body, allow_redirects=False, **named) as response,
        ):
            return response.status, await response.read()

    return asyncio.run(ask())


def said(body: dict[str, Any]) -> str:
    return str(body["choices"][0]["message"]["content"])


def ask(server: Stub, **more: Any) -> str:
    return said(json.loads(post(server, {**HELLO, **more})[1]))


def events(raw: bytes) -> list[str]:
    lines = raw.decode().replace("\r\n", "\n").split("\n")
    return [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]


def streamed(raw: bytes) -> str:
    deltas = [json.loads(event)["choices"] for event in events(raw) if event != "[DONE]"]
    return "".join(choice[0]["delta"].get("content", "") for choice in deltas if choice)


def test_an_honest_provider_answers_alike_whole_and_streamed() -> None:
    with stub() as server:
        whole = json.loads(post(server, HELLO)[1])
        raw = post(server, STREAM)[1]

    assert said(whole) == streamed(raw)
    assert whole["usage"] == {"prompt_tokens": 2, "completion_tokens": 8, "total_tokens": 10}
    assert json.loads(events(raw)[-2])["usage"] == whole["usage"]
    assert events(raw)[-1] == "[DONE]"
    assert [asked.stream for asked in server.asked] == [False, True]


@pytest.mark.parametrize("behaviour", ["crlf", "one-byte", "split-utf8", "double-done"])
def test_odd_transport_carries_the_same_words(behaviour: str) -> None:
    with stub(behaviour) as server, stub() as plain:
        assert streamed(post(server, STREAM)[1]) == streamed(post(plain, STREAM)[1])


@pytest.mark.parametrize("behaviour", ["wrong-model", "quantised", "watermark", "sybil"])
def test_cheaters_answer_otherwise_than_honest_ones(behaviour: str) -> None:
    with stub(behaviour) as server, stub() as plain:
        answers = [[ask(each, max_tokens=100, user=str(n)) for n in range(2)] for each in (server, plain)]

    assert answers[0] != answers[1]
    assert (MARK in answers[0][0]) == (behaviour == "watermark")


def test_sybils_share_their_wrong_answers() -> None:
    with stub("sybil", seed=1) as one, stub("sybil", seed=2) as two, stub() as plain:
        assert ask(one) == ask(two) != ask(plain)


def test_a_partial_cheater_cheats_in_a_share_of_requests() -> None:
    with stub("partial", rate=0.3, seed=1) as server, stub() as plain:
        honest = ask(plain)
        wrong = sum(ask(server) != honest for _ in range(60))

    assert 8 <= wrong <= 28


def test_a_patient_cheater_waits() -> None:
    with stub("patient", after=3) as server:
        answers = [ask(server) for _ in range(5)]

    assert [answer == answers[0] for answer in answers] == [True, True, True, False, False]


def test_a_replaying_one_gives_everybody_its_first_answer() -> None:
    with stub("replay-cache") as server:
        other = {**HELLO, "messages": [{"role": "user", "content": "something else"}]}
        assert ask(server) == said(json.loads(post(server, other)[1]))


def test_a_liar_counts_ten_times_the_tokens() -> None:
    with stub("lie-usage") as server:
        assert json.loads(post(server, HELLO)[1])["usage"]["completion_tokens"] == 80


@pytest.mark.parametrize(
    ("behaviour", "measures", "status", "begins"),
    [
        ("flaky", {}, 500, b'{"error"'),
        ("flaky", {"status": 402}, 402, b'{"error"'),
        ("burst", {"most": 0}, 429, b'{"error"'),
        ("error-in-200", {}, 200, b'{"error"'),
        ("html", {}, 200, b"<!doctype html>"),
        ("redirect", {}, 307, b""),
        ("gzip-bomb", {}, 200, b"\x1f\x8b"),
    ],
)
def test_a_wrong_reply_is_wrong_in_its_way(behaviour: str, measures: Any, status: int, begins: bytes) -> None:
    with stub(behaviour, **measures) as server:
        found, body = post(server, HELLO)

    assert (found, body[: len(begins)]) == (status, begins)


def test_a_bomb_is_small_until_it_is_unpacked() -> None:
    with stub("gzip-bomb") as server:
        body = post(server, HELLO)[1]

    assert len(body) * 500 < len(gzip.decompress(body))


@pytest.mark.parametrize("body", [HELLO, STREAM], ids=["whole", "streamed"])
@pytest.mark.parametrize("behaviour", ["truncate", "wrong-length"])
def test_a_cut_answer_breaks_off(behaviour: str, body: dict[str, Any]) -> None:
    with stub(behaviour) as server, pytest.raises(aiohttp.ClientPayloadError):
        post(server, body)


def test_a_stalling_one_says_nothing_more_and_sees_its_caller_leave() -> None:
    async def leave(server: Stub) -> bytes:
        seen = b""
        async with (
            aiohttp.ClientSession() as session,
            session.post(server.url + "/chat/completions", json=STREAM) as got,
        ):
            while seen.count(b"data:") < 4:
                seen += await got.content.readany()
        return seen

    with stub("stall") as server:
        seen = asyncio.run(leave(server))
        wait_for(lambda: server.left == 1)

    assert b"[DONE]" not in seen
    assert server.open == 0


def test_with_a_key_others_are_refused() -> None:
    with stub(key="secret") as server:
        statuses = [post(server, HELLO)[0], post(server, HELLO, headers={"Authorization": "Bearer secret"})[0]]

    assert statuses == [401, 200]


def test_tools_schemas_completions_and_embeddings_have_their_shapes() -> None:
    tool = {"type": "function", "function": {"name": "look", "parameters": {}}}
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer"}, "s": {"type": "array", "items": {"enum": ["x"]}}},
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "r", "schema": schema}}
    with stub() as server:
        called = json.loads(post(server, {**HELLO, "tools": [tool], "tool_choice": "required"})[1])["choices"][0]
        formed = json.loads(ask(server, response_format=wanted))
        text = json.loads(post(server, {"model": "toy", "prompt": "go on"}, "/completions")[1])["choices"][0]["text"]
        vectors = json.loads(post(server, {"model": "toy", "input": ["a", "b"]}, "/embeddings")[1])["data"]

    assert (called["message"]["tool_calls"][0]["function"]["name"], called["finish_reason"]) == ("look", "tool_calls")
    assert formed == {"n": 8, "s": ["x"]}
    assert len(text.split()) == 12
    assert [len(vector["embedding"]) for vector in vectors] == [64, 64]


@pytest.mark.parametrize(("behaviour", "right"), [("honest", [1, 1, 1, 2]), ("bribed", [1, 1, 1, 1])])
def test_a_checker_ranks_what_another_one_said(behaviour: str, right: list[int]) -> None:
    with stub(behaviour) as server, stub() as plain:
        claimed = [*ask(plain).split()[:3], MARK]
        body = {
            **HELLO, "messages": [*HELLO["messages"], {"role": "assistant", "content": " ".join(claimed)}],  # type: ignore[misc]  # a list
            "continue_final_message": True, "prompt_logprobs": 1,
        }  # fmt: skip
        found = json.loads(post(server, body)[1])["prompt_logprobs"]

    assert [next(iter(place.values()))["rank"] for place in found[-4:]] == right


def test_every_behaviour_can_be_served() -> None:
    quick = [each for each in Behaviour if each not in {Behaviour.STALL, Behaviour.TRUNCATE, Behaviour.WRONG_LENGTH}]
    statuses = {}
    for behaviour in quick:
        with stub(behaviour) as server:
            statuses[behaviour] = post(server, HELLO)[0]

    assert set(statuses.values()) == {200, 500, 307}
