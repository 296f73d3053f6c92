"""Providers that mean harm: what they make up neither earns them money nor keeps a client's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from mercato.compute import roster
from mercato.compute.books.keys import Scope
from mercato.compute.gateway.catalogue import named
from mercato.compute.model import Standing
from mercato.compute.testing import stub
from mercato.store.bare import Bare
from tests.compute.gateway.conftest import Open
from tests.compute.gateway.house import PRICE, QUESTION
from tests.compute.node.world import served
from tests.waiting import wait_for

ASK: dict[str, Any] = {"model": "toy", "messages": QUESTION, "max_tokens": 1_000}
WORD = {"choices": [{"index": 0, "delta": {"content": "hi"}}]}
CLAIM = {"prompt_tokens": 1, "completion_tokens": 900}


def choice(**members: Any) -> dict[str, Any]:
    """Returns an event of one choice."""
    return {"choices": [{"index": 0, "delta": {}, **members}]}


@contextmanager
def saying(*events: dict[str, Any], last: bytes = b"data: [DONE]\n\n") -> Iterator[str]:
    """A provider that streams just these events, and then, as it ought to, `[DONE]`."""

    async def answer(request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await reply.prepare(request)
        for event in events:
            await reply.write(f"data: {json.dumps(event)}\n\n".encode())
        await reply.write(last)
        return reply

    with served(answer) as url:
        yield url


@pytest.mark.parametrize("path", ["/responses", "/chat/completions"])
@pytest.mark.parametrize("end", [{"finish_reason": {"a": []}}, {"delta": {"content": "\ud800"}}], ids=["end", "text"])
def test_an_event_that_makes_no_sense_leaves_nothing_reserved(house: Open, path: str, end: Any) -> None:
    with saying(WORD, choice(**end)) as url:
        home = house({"odd": url})
        asked = {"input": "x", "max_output_tokens": 1_000} if path == "/responses" else ASK
        answer = home.post(path, {**asked, "model": "toy", "stream": True})
        receipt = home.get(f"/receipts/{answer.headers['x-request-id']}").json

    assert receipt["end"] == "done"
    assert home.balance("ann") == (1_000_000 - receipt["charged"], 0)


@pytest.mark.parametrize(
    ("events", "last"),
    [([WORD], b""), ([WORD], b"data: [DO"), ([WORD, choice(finish_reason="stop")], b'data: {"choices"')],
    ids=["no end", "half an end", "half an event"],
)
def test_a_stream_that_stops_in_good_order_without_its_end_is_cut_all_the_same(
    house: Open, events: Any, last: bytes
) -> None:
    with saying(*events, last=last) as url:
        home = house({"odd": url})
        answer = home.post("/chat/completions", {**ASK, "stream": True})
        receipt = home.get(f"/receipts/{answer.headers['x-request-id']}").json

    assert b"[DONE]" not in answer.body
    assert answer.body.rstrip().rpartition(b"\n\n")[2].startswith(b'data: {"error"')
    assert (receipt["end"], receipt["charged"]) == ("truncated", 0)


def test_a_stream_whose_choices_ended_needs_no_other_end_and_gets_none(house: Open) -> None:
    with saying(WORD, choice(finish_reason="stop"), last=b"") as url:
        home = house({"odd": url})
        answer = home.post("/chat/completions", {**ASK, "stream": True})
        receipt = home.get(f"/receipts/{answer.headers['x-request-id']}").json

    assert b"[DONE]" not in answer.body
    assert b"error" not in answer.body
    assert (receipt["end"], receipt["counted"]["completion"]) == ("done", 1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_provider_sends_the_gateway_nowhere_else(house: Open, status: int) -> None:
    with stub() as inner:

        async def away(request: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers={"location": f"{inner.url}/chat/completions"})

        with served(away) as url:
            answer = house({"odd": url}).post("/chat/completions", ASK)

    assert (answer.status, inner.asked) == (502, [])
    assert str(status) in answer.error["message"]


def test_choices_that_nobody_asked_for_are_not_paid(house: Open) -> None:
    many = [{"index": index, "delta": {}, "finish_reason": "stop"} for index in range(400)]
    with saying(WORD, {"choices": many, "usage": CLAIM}) as url:
        home = house({"odd": url})
        answer = home.post("/chat/completions", {**ASK, "stream": True})
        receipt = home.get(f"/receipts/{answer.headers['x-request-id']}").json

    assert receipt["counted"]["completion"] == len("hi") + 2


def test_calls_of_tools_that_nobody_offered_are_paid_by_their_letters_alone(house: Open) -> None:
    calls = [{"index": index, "function": {"name": "f"}} for index in range(50)]
    with saying(WORD, {**choice(delta={"tool_calls": calls}, finish_reason="stop"), "usage": CLAIM}) as url:
        home = house({"odd": url})
        answer = home.post("/chat/completions", {**ASK, "stream": True})
        receipt = home.get(f"/receipts/{answer.headers['x-request-id']}").json

    assert receipt["counted"]["completion"] == len("hi") + 50 + 2


def test_a_response_whose_provider_told_no_end_is_not_called_complete(house: Open) -> None:
    with saying(WORD) as url:
        answer = house({"odd": url}).post("/responses", {"model": "toy", "input": "x", "stream": True})

    assert b"response.completed" not in answer.body
    assert b'"status": "incomplete", "error": null, "incomplete_details": {"reason": null}' in answer.body


def test_whom_another_process_ejected_is_asked_no_more_by_a_worker_that_runs(house: Open) -> None:
    with stub() as one, stub() as two:
        home = house({"one": one.url, "two": two.url})
        assert home.post("/chat/completions", {**ASK, "provider": {"only": ["one"]}}).status == 200
        with Bare(home.url) as other, other.transaction():
            roster.stand(other, named("one"), Standing.EJECTED, datetime.now(UTC), "judged by another worker")
        wait_for(lambda: home.post("/chat/completions", {**ASK, "provider": {"only": ["one"]}}).status != 200)
        asked = len(one.asked)
        answers = [home.post("/chat/completions", ASK).headers["x-provider"] for _ in range(8)]

    assert answers == ["two"] * 8
    assert len(one.asked) == asked


def test_an_answer_is_given_again_although_its_provider_serves_nobody_any_more(house: Open) -> None:
    with stub() as one:
        home = house({"one": one.url})
        first = home.post("/chat/completions", ASK, {"idempotency-key": "a"})
        with Bare(home.url) as other, other.transaction():
            roster.stand(other, named("one"), Standing.EJECTED, datetime.now(UTC), "judged by another worker")
        wait_for(lambda: home.post("/chat/completions", ASK).status == 503)
        again = home.post("/chat/completions", ASK, {"idempotency-key": "a"})
        other_body = home.post("/chat/completions", {**ASK, "max_tokens": 3}, {"idempotency-key": "a"})

    assert (again.status, again.body) == (200, first.body)
    assert again.headers["x-request-id"] == first.headers["x-request-id"]
    assert other_body.status == 503


def test_a_key_asks_no_provider_and_no_model_outside_its_scope(house: Open) -> None:
    with stub() as one, stub() as two:
        home = house({"one": one.url, "two": two.url})
        bound = {"authorization": f"Bearer {home.key('ann', scope=Scope(providers=frozenset({'two'})))}"}
        other = {"authorization": f"Bearer {home.key('ann', scope=Scope(models=frozenset({'another'})))}"}
        wish = {"provider": {"order": ["one", "two"]}}
        answer = home.post("/chat/completions", {**ASK, **wish}, bound)
        refused = home.post("/chat/completions", ASK, other)

    assert (answer.status, answer.headers["x-provider"]) == (200, "two")
    assert (refused.status, one.asked) == (403, [])


def test_nobody_else_is_asked_where_the_request_allows_no_fallback(house: Open) -> None:
    with stub("html") as bad, stub() as good:
        home = house({"bad": bad.url, "good": good.url})
        wish = {"order": ["bad", "good"], "allow_fallbacks": False}
        answer = home.post("/chat/completions", {**ASK, "provider": wish})

    assert (answer.status, good.asked) == (502, [])
    assert home.balance("ann") == (1_000_000, 0)


@pytest.mark.parametrize("wish", [{}, {"order": ["dear", "fair"]}, {"hedge": True}], ids=["none", "order", "hedge"])
def test_a_provider_that_is_too_dear_keeps_no_request_from_those_that_are_covered(house: Open, wish: Any) -> None:
    dear = PRICE.model_copy(update={"completion": 10**12, "context": 1_000_000})
    with stub() as one, stub() as two:
        home = house({"dear": one.url, "fair": two.url}, prices={"dear": dear})
        answers = [home.post("/chat/completions", {**ASK, "provider": wish}) for _ in range(6)]
        poor = {"authorization": f"Bearer {home.key('poor')}"}
        refused = home.post("/chat/completions", ASK, poor)

    assert [(answer.status, answer.headers["x-provider"]) for answer in answers] == [(200, "fair")] * 6
    assert one.asked == []
    assert refused.status == 402
    assert home.balance("ann")[1] == 0
