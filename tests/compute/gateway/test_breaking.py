"""Providers that fail: another one is asked while nothing has been said; a cut answer ends with an error."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import aiohttp
import httpx
import openai
import pytest

from mercato.compute.testing import stub
from mercato.store.bare import Bare
from tests.compute.gateway.conftest import Open
from tests.compute.gateway.house import PRICE, QUESTION, House

ASK: dict[str, Any] = {"model": "toy", "messages": QUESTION, "max_tokens": 12}
COST = re.compile(rb": x-cost-micro=\d+\n\n")  # a comment of the gateway's own
BEFORE = ["error-in-200", "html", "gzip-bomb", "flaky", "redirect"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("behaviour", BEFORE)
def test_a_provider_that_fails_before_its_first_word_is_followed_by_another(
    house: Open, behaviour: str, stream: bool
) -> None:
    with stub(behaviour) as bad, stub() as good:
        home = house({"bad": bad.url, "good": good.url})
        wish = {"order": ["bad", "good"]}
        answer = home.post("/chat/completions", {**ASK, "stream": stream, "provider": wish})

    assert answer.status == 200
    assert answer.headers["x-provider"] == "good"
    assert (len(bad.asked), len(good.asked)) == (1, 1)


async def while_another_writes(home: House) -> tuple[int, bool, str, int]:
    """Returns, with the database's write lock held elsewhere: the events that a stream went on with, whether a request
    that came then waited, what models said; and, once the lock was given back, the status of the one that waited."""
    headers = {"authorization": f"Bearer {home.ann}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        streaming = await session.post(f"{home.base}/chat/completions", json={**ASK, "stream": True})
        before = await streaming.content.readuntil(b"\n\n")
        with Bare(home.url) as other, other.transaction():
            waiting = asyncio.create_task(session.post(f"{home.base}/chat/completions", json=ASK))
            went_on = [await streaming.content.readuntil(b"\n\n") for _ in range(6)]
            await asyncio.sleep(1.1)  # a key is known for a second
            models = await session.get(f"{home.base}/models")
            shown, held = await models.text(), not waiting.done()
        answered = await waiting
        rest = await streaming.read()
    assert (before + b"".join(went_on) + rest).endswith(b"data: [DONE]\n\n")
    return len(went_on), held, shown, answered.status


def test_while_another_process_writes_to_sqlite_streams_and_looks_go_on_and_reserves_wait(house: Open) -> None:
    with stub(gap=0.02) as good:
        home = house({"good": good.url})
        went_on, held, shown, status = asyncio.run(while_another_writes(home))

    assert (went_on, held, '"toy"' in shown, status) == (6, True, True, 200)
    assert home.balance("ann")[1] == 0


@pytest.mark.parametrize("behaviour", ["truncate", "wrong-length"])
def test_a_stream_that_is_cut_ends_with_an_error_event_costs_nothing_and_is_never_called_done(
    house: Open, behaviour: str
) -> None:
    with stub(behaviour, after=4) as bad, stub() as good:
        home = house({"bad": bad.url, "good": good.url})
        wish = {"order": ["bad", "good"]}
        answer = home.post("/chat/completions", {**ASK, "stream": True, "provider": wish})
        receipt = home.get(f"/receipts/{answer.headers['x-request-id']}").json

    assert b"[DONE]" not in answer.body
    assert b'"finish_reason":"' not in answer.body
    assert answer.body.rstrip().rpartition(b"\n\n")[2].startswith(b'data: {"error"')
    assert good.asked == []
    assert (receipt["end"], receipt["charged"]) == ("truncated", 0)
    assert home.balance("ann") == (1_000_000, 0)


def test_a_stream_that_was_cut_is_served_when_it_is_asked_again_with_its_idempotency_key(house: Open) -> None:
    with stub("truncate", after=4) as bad, stub() as good:
        home = house({"bad": bad.url, "good": good.url})
        asked = {**ASK, "stream": True, "provider": {"order": ["bad", "good"], "allow_fallbacks": False}}
        first, again = (home.post("/chat/completions", asked, {"idempotency-key": "a"}) for _ in range(2))

    assert [len(bad.asked), first.status, again.status] == [2, 200, 200]
    assert home.balance("ann") == (1_000_000, 0)


@pytest.mark.parametrize("behaviour", ["truncate", "wrong-length"])
def test_a_whole_answer_that_is_cut_is_asked_of_another_provider(house: Open, behaviour: str) -> None:
    with stub(behaviour) as bad, stub() as good:
        home = house({"bad": bad.url, "good": good.url})
        answer = home.post("/chat/completions", {**ASK, "provider": {"order": ["bad", "good"]}})

    assert answer.headers["x-provider"] == "good"


def test_a_stream_that_stalls_ends_with_an_error_event_in_the_time_that_a_provider_has(house: Open) -> None:
    with stub("stall", after=2) as bad:
        home = house({"bad": bad.url}, idle_seconds=0.3)
        answer = home.post("/chat/completions", {**ASK, "stream": True})
        receipt = home.get(f"/receipts/{answer.headers['x-request-id']}").json

    assert b'"code": "timeout"' in answer.body
    assert b"[DONE]" not in answer.body
    assert receipt["end"] == "timeout"


def test_a_provider_that_is_too_slow_to_begin_is_followed_by_another(house: Open) -> None:
    with stub("slow", delay=5.0) as slow, stub() as good:
        home = house({"slow": slow.url, "good": good.url}, first_seconds=0.3)
        answer = home.post("/chat/completions", {**ASK, "stream": True, "provider": {"order": ["slow", "good"]}})

    assert answer.headers["x-provider"] == "good"


@pytest.mark.parametrize("stream", [False, True])
def test_all_providers_together_have_the_time_of_one_request(house: Open, stream: bool) -> None:
    with stub("slow", delay=5.0) as slow, stub() as good:
        home = house({"slow": slow.url, "good": good.url}, total_seconds=0.4)
        asked = {**ASK, "stream": stream, "provider": {"order": ["slow", "good"]}}
        answer = home.post("/chat/completions", asked)

    assert (answer.status, answer.error["code"]) == (504, "upstream_timeout")
    assert good.asked == []
    assert home.balance("ann") == (1_000_000, 0)


@pytest.mark.parametrize(
    ("behaviour", "blank"),
    [
        ("honest", b"\n\n"),
        ("crlf", b"\r\n\r\n"),
        ("split-utf8", b"\n\n"),
        ("one-byte", b"\n\n"),
        ("double-done", b"\n\n"),
    ],
)
def test_an_odd_but_honest_stream_arrives_as_it_was_sent_up_to_its_first_end(
    house: Open, behaviour: str, blank: bytes
) -> None:
    streamed = {**ASK, "stream": True, "stream_options": {"include_usage": True}}
    with stub(behaviour) as odd:
        home = house({"odd": odd.url})
        answer = home.post("/chat/completions", streamed)
        chunks = list(home.client().chat.completions.create(**ASK, stream=True))
        sent = httpx.post(f"{odd.url}/chat/completions", json={**streamed, "model": "toy"}).content

    assert COST.sub(b"", answer.body) == sent.partition(b"[DONE]")[0] + b"[DONE]" + blank
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks).split()
    assert chunks[-1].choices[0].finish_reason == "length"


def test_a_provider_that_claims_more_is_paid_for_what_was_counted(house: Open) -> None:
    with stub("lie-usage") as liar, stub() as honest:
        home = house({"liar": liar.url, "honest": honest.url})
        ids = [
            home.post("/chat/completions", {**ASK, "provider": {"only": [name]}}).headers["x-request-id"]
            for name in ("liar", "honest")
        ]
        lied, told = (home.get(f"/receipts/{name}").json for name in ids)

    assert lied["claimed"]["completion"] == 10 * told["claimed"]["completion"]
    assert lied["counted"]["completion"] == told["counted"]["completion"] == 12


def test_when_every_provider_fails_the_client_is_told_how_and_nothing_is_charged(house: Open) -> None:
    with stub("flaky", status=503) as one, stub("html") as two:
        home = house({"one": one.url, "two": two.url})
        answer = home.post("/chat/completions", ASK)

    assert (answer.status, answer.error["code"]) == (502, "upstream_error")
    assert "503" in answer.error["message"]
    assert home.balance("ann") == (1_000_000, 0)


def test_a_provider_that_refuses_our_key_is_not_the_clients_business(house: Open) -> None:
    with stub(key="another") as closed, stub() as good:
        home = house({"closed": closed.url, "good": good.url})
        answers = [home.post("/chat/completions", {**ASK, "provider": {"order": ["closed", "good"]}}) for _ in range(3)]

    assert [answer.headers["x-provider"] for answer in answers] == ["good"] * 3
    assert len(closed.asked) == 1, "it cools down"


def test_a_request_that_a_provider_finds_wrong_is_not_asked_of_another(house: Open) -> None:
    with stub("flaky", status=422) as one, stub() as two:
        home = house({"one": one.url, "two": two.url})
        answer = home.post("/chat/completions", {**ASK, "provider": {"order": ["one", "two"]}})

    assert answer.status == 422
    assert "The server had an error" in answer.error["message"]
    assert two.asked == []


def test_busy_providers_are_told_of_as_such_and_the_official_client_tries_three_times(house: Open) -> None:
    with stub("flaky", status=429) as one:
        home = house({"one": one.url})
        with pytest.raises(openai.RateLimitError) as refused:
            home.client().chat.completions.create(**ASK)

    assert refused.value.response.headers["retry-after"] == "1"
    assert len(one.asked) >= 1


def test_a_provider_never_has_more_requests_than_it_takes_however_many_come_at_once(house: Open) -> None:
    async def ask(session: aiohttp.ClientSession, base: str) -> int:
        async with session.post(f"{base}/chat/completions", json=ASK) as answer:
            await answer.read()
            return answer.status

    async def burst(home: House) -> list[int]:
        async with aiohttp.ClientSession(headers={"authorization": f"Bearer {home.ann}"}) as session:
            return sorted(await asyncio.gather(*[ask(session, home.base) for _ in range(12)]))

    with stub("burst", delay=0.5, most=2) as one:
        home = house({"one": one.url}, listed=PRICE.model_copy(update={"concurrency": 2}))
        statuses = asyncio.run(burst(home))

    assert statuses == [200] * 2 + [429] * 10
    assert len(one.asked) == 2
    assert home.balance("ann")[1] == 0
