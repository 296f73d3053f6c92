"""A feature is offered where the upstream showed it, and only there."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from mercato.compute.errors import Unreached
from mercato.compute.model import Usage
from mercato.compute.node.measure import Speed, measured
from mercato.compute.node.probe import Found, listed, probed
from mercato.compute.node.upstream import Upstream, claimed
from mercato.compute.testing import stub
from mercato.core.errors import ConfigError, InvalidInput
from mercato.core.settings import Secret
from tests.compute.node.world import served


async def at(url: str, model: str = "m") -> Found:
    upstream = Upstream(url, Secret(""))
    try:
        return await probed(upstream, model)
    finally:
        await upstream.close()


def server(**abilities: Any) -> Any:
    """An upstream that can do what is named."""

    async def answer(request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.json_response({"data": [{"id": "m", "max_model_len": 8192}]})
        body = await request.json()
        if request.path.endswith("/embeddings"):
            found = {"data": [{"embedding": [0.5]}]}
            return web.json_response(
                found if "embeddings" in abilities else {}, status=200 if "embeddings" in abilities else 404
            )
        message: dict[str, Any] = {"content": f"hello {body.get('seed') if 'seed' in abilities else ''}"}
        choice: dict[str, Any] = {"message": message}
        if "tools" in body and "tools" in abilities:
            message["tool_calls"] = [{"function": {"name": "add"}}]
        if "response_format" in body:
            message["content"] = abilities.get("schema", "no JSON")
        if "logprobs" in body and "logprobs" in abilities:
            choice["logprobs"] = {"content": [{"token": "a", "logprob": -1}]}
        return web.json_response({"choices": [choice]})

    return answer


@pytest.mark.parametrize(
    ("abilities", "features"),
    [
        ({}, set()),
        ({"tools": 1}, {"tools"}),
        ({"schema": '{"sum": 5}'}, {"json_schema"}),
        ({"schema": '{"sum": "5"}'}, set()),
        ({"schema": '{"sum": 5, "more": 1}'}, set()),
        ({"logprobs": 1}, {"logprobs"}),
        ({"seed": 1}, {"seed"}),
        ({"embeddings": 1}, {"embeddings"}),
    ],
)
def test_each_feature_is_found_by_itself(abilities: dict[str, Any], features: set[str]) -> None:
    with served(server(**abilities)) as url:
        found = asyncio.run(at(url))

    assert (found.features, found.context, found.talks) == (frozenset(features), 8192, True)


def test_the_stub_of_the_fleet_shows_what_it_can() -> None:
    with stub() as upstream:
        found = asyncio.run(at(upstream.url, "toy"))

    assert {"tools", "json_schema", "embeddings"} <= found.features


@pytest.mark.parametrize("behaviour", ["html", "gzip-bomb", "redirect", "error-in-200"])
def test_an_upstream_that_answers_nothing_usable_is_not_offered(behaviour: str) -> None:
    with stub(behaviour) as upstream, pytest.raises(ConfigError, match="answered nothing"):
        asyncio.run(at(upstream.url, "toy"))


def test_an_upstream_that_is_not_there_is_told_with_what_to_do() -> None:
    with pytest.raises(ConfigError, match="start the model's server first"):
        asyncio.run(at("http://127.0.0.1:9/v1"))


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"<html>", b'{"data":[1]}', b'{"data":{}}', b'{"data":[{"id":"a"},{"id":"a"}]']
)
def test_a_list_of_models_that_is_none_is_refused(body: bytes) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=body)

    async def run(url: str) -> None:
        upstream = Upstream(url, Secret(""))
        try:
            await listed(upstream)
        finally:
            await upstream.close()

    with served(answer) as url, pytest.raises(ConfigError, match="told no models"):
        asyncio.run(run(url))


def test_the_key_of_an_upstream_is_sent_to_it_and_shown_nowhere() -> None:
    with stub(key="sk-secret") as server:

        async def run(key: str) -> tuple[int, str]:
            upstream = Upstream(server.url, Secret(key))
            try:
                status, _ = await upstream.read("/chat/completions", b'{"model":"toy","messages":[]}')
                return status, repr(vars(upstream))
            finally:
                await upstream.close()

        assert asyncio.run(run("sk-wrong"))[0] == 401
        status, shown = asyncio.run(run("sk-secret"))
        assert status == 200
        assert "sk-secret" not in shown


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(1 << 20))

    async def run(url: str) -> None:
        upstream = Upstream(url, Secret(""))
        try:
            await upstream.read("/models")
        finally:
            await upstream.close()

    with served(answer) as url, pytest.raises((InvalidInput, Unreached), match="too long"):
        asyncio.run(run(url))


def test_speed_counts_what_came_and_what_failed() -> None:
    async def run(url: str, at_once: int) -> Speed:
        upstream = Upstream(url, Secret(""))
        try:
            return await measured(upstream, "toy", at_once)
        finally:
            await upstream.close()

    with stub() as upstream:
        found = asyncio.run(run(upstream.url, 3))
    assert (found.at_once, found.failed, found.all_per_second > 0) == (3, 0, True)
    with stub("flaky") as upstream:
        assert asyncio.run(run(upstream.url, 2)) == Speed(2, 0, 0, 0, 2)


@pytest.mark.parametrize(
    ("tail", "usage"),
    [
        (b'..."usage":{"prompt_tokens":3,"completion_tokens":4}}', Usage(3, 4)),
        (b'data: {"usage": {"prompt_tokens": 3, "completion_tokens": 4, '
         b'"prompt_tokens_details": {"cached_tokens": 2}}}\n\ndata: [DONE]\n\n', Usage(3, 4, 2)),
        (b'{"usage":{"prompt_tokens":1}} {"usage":{"prompt_tokens":2}}', Usage(2)),
        (b'{"content":"\\"usage\\":{\\"prompt_tokens\\":9}"}', Usage()),
        (b'{"usage":{"prompt_tokens":-1,"completion_tokens":true}}', Usage()),
        (b'{"usage":null}', Usage()),
        (b"", Usage()),
    ],
)  # fmt: skip
def test_the_usage_at_an_answers_end_is_read_and_words_of_the_answer_are_not(tail: bytes, usage: Usage) -> None:
    assert claimed(tail) == usage
