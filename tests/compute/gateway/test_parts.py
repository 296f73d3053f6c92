"""Small parts of the gateway: stages, addresses, schemas, what failures mean, what an answer says."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from mercato.compute.errors import Declined, Unreached
from mercato.compute.gateway import schemas, views
from mercato.compute.gateway.catalogue import named
from mercato.compute.gateway.client import Client, Room
from mercato.compute.gateway.failing import ended, unserved
from mercato.compute.gateway.states import MOVES, Stage, step
from mercato.compute.gateway.tally import Heard, Tally, said
from mercato.compute.gateway.upstream import public
from mercato.compute.model import PROVIDERS, End, Offer, Price, Provider, ProviderId, Standing, Surface, Usage
from mercato.compute.routing.router import Candidate
from mercato.core.errors import Conflict


def ways(stage: Stage) -> list[tuple[Stage, ...]]:
    """Returns every way from a stage to an end that meets no stage twice."""
    found: list[tuple[Stage, ...]] = []
    waiting: list[tuple[Stage, ...]] = [(stage,)]
    while waiting:
        way = waiting.pop()
        more = [(*way, to) for to in MOVES[way[-1]] if to not in way]
        waiting += more
        found += [] if more else [way]
    return found


def test_no_way_sends_before_the_reserve_or_moves_money_twice() -> None:
    for way in ways(Stage.AUTH):
        assert Stage.SENDING not in way or way.index(Stage.RESERVE) < way.index(Stage.SENDING)
        assert not {Stage.SETTLE, Stage.RELEASE} <= set(way)
        assert Stage.SENDING not in way or {Stage.SETTLE, Stage.RELEASE} & set(way)
        assert way[-1] in (Stage.DONE, Stage.REFUSED)


def offering(**parts: Any) -> Candidate:
    provider = Provider(ProviderId("prov_1"), "ann", Standing.ACTIVE)
    return Candidate(provider, Offer(provider.id, "toy", Price(1, 2), 4096, **parts))


def test_a_client_sees_what_the_models_of_offers_are_made_of_and_what_is_not_told() -> None:
    told = offering(weights="a" * 64, template="c" * 64, engine=(("dtype", "bfloat16"),))
    shown = views.offer(told.offer)
    model = views.model("toy", [told, offering(weights="b" * 64), offering()])

    assert [shown["weights"], shown["tokenizer"], shown["template"]] == ["a" * 64, None, "c" * 64]
    assert shown["engine"] == {"dtype": "bfloat16"}
    assert [model["weights"], model["tokenizer"], model["template"]] == [["a" * 64, "b" * 64], [], ["c" * 64]]


def test_a_step_that_the_table_does_not_have_is_refused() -> None:
    with pytest.raises(Conflict, match="streaming"):
        step(Stage.STREAMING, Stage.SENDING)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "255.255.255.255", "198.18.0.1", "192.0.2.1", "::1", "::", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1",
     "64:ff9b::7f00:1", "2002:7f00:1::", "2001::1", "ff02::1", "2001:db8::1"],
)  # fmt: skip
def test_an_address_that_is_not_of_the_open_internet_is_told_apart(address: str) -> None:
    assert not public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111"])
def test_an_address_of_the_open_internet_is_public(address: str) -> None:
    assert public(address)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"properties": {"a": {"$ref": "#"}}},
        {"$defs": {"a": {"items": {"$ref": "#/$defs/b"}}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"$defs": {"a/b": {"items": {"$ref": "#/%24defs/a~1b"}}}, "$ref": "#/$defs/a~1b"},
        {"$dynamicRef": "#node"},
        {"$ref": "#node"},
        {"$ref": "file:///etc/passwd"},
        {"allOf": [{"$ref": f"#/{at}"} for at in range(301)], "x": [{"$ref": "#"}] * 301},
        {str(at): {} for at in range(6_000)},
        [],
    ],
)
def test_a_schema_that_need_not_come_to_an_end_is_refused(schema: Any) -> None:
    with pytest.raises(Declined):
        schemas.check(schema, "parameters", 64)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"$defs": {"a": {"type": "string"}}, "properties": {"x": {"$ref": "#/$defs/a"}, "y": {"$ref": "#/$defs/a"}}},
        {"$defs": {"a": {"items": {"$ref": "#/$defs/b"}}, "b": {"enum": [1]}}, "$ref": "#/$defs/a"},
        {"properties": {"$ref": {"type": "string"}}},
    ],
)
def test_a_schema_that_comes_to_an_end_is_fine(schema: Any) -> None:
    schemas.check(schema, "parameters", 64)


@pytest.mark.parametrize(
    ("why", "end"),
    [("idle", End.TIMEOUT), ("first-byte", End.TIMEOUT), ("truncated", End.TRUNCATED), ("reset", End.TRUNCATED),
     ("protocol", End.UPSTREAM_ERROR), ("500", End.UPSTREAM_ERROR)],
)  # fmt: skip
def test_how_an_attempt_ended_follows_from_why_it_failed(why: str, end: End) -> None:
    assert ended(Unreached(why)) is end


@pytest.mark.parametrize(
    ("why", "status"),
    [(["full", "full"], 429), (["context", "features: tools"], 400), (["cooling"], 503), ([], 503)],
)
def test_what_keeps_everybody_out_decides_whether_trying_again_helps(why: list[str], status: int) -> None:
    reasons = {ProviderId(str(at)): reason for at, reason in enumerate(why)}

    assert unserved(reasons).answer == status


def test_a_client_is_told_in_words_how_many_failed_how_and_what_kept_others_out() -> None:
    reasons = {ProviderId("a"): "features: tools, vision", ProviderId("b"): "context", ProviderId("c"): "context"}
    failed = [Unreached("503"), Unreached("html"), Unreached("reset"), Unreached("truncated")]

    assert (
        unserved(reasons).message
        == "no provider fits the request: has too small a context (2), lacks tools, vision (1)"
    )
    assert (
        unserved({}, failed).message
        == "every provider that was asked failed: answered 503 (1), broke off (2), html (1)"
    )


@pytest.mark.parametrize(("why", "status"), [(["429"], 429), (["idle", "first-byte"], 504), (["429", "html"], 502)])
def test_how_those_that_were_asked_failed_decides_what_a_client_is_told(why: list[str], status: int) -> None:
    assert unserved({}, [Unreached(one) for one in why]).answer == status


def chunk(**choice: Any) -> bytes:
    return json.dumps({"choices": [{"index": 0, **choice}]}).encode()


def test_the_text_of_an_answer_is_counted_wherever_it_is() -> None:
    tally = Tally(Surface.CHAT)
    call = {"function": {"name": "look", "arguments": '{"a":'}}
    heard = [
        tally.event(chunk(delta={"role": "assistant"})),
        tally.event(chunk(delta={"reasoning_content": "hm"})),
        tally.event(chunk(delta={"content": "é"})),
        tally.event(chunk(delta={"tool_calls": [call]})),
        tally.event(chunk(delta={}, finish_reason="stop")),
        tally.event(b'{"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 9}}'),
    ]

    assert heard == [Heard.OTHER, Heard.WORDS, Heard.WORDS, Heard.WORDS, Heard.WORDS, Heard.USAGE]
    assert (tally.text, tally.octets, tally.calls) == ('hmélook{"a":', 13, 1)
    assert (tally.whole, tally.claimed) == (True, Usage(5, 9))


@pytest.mark.parametrize("claim", [-1, 10**12, "7", 1.5, True, None])
def test_a_claim_that_is_no_count_is_no_claim(claim: Any) -> None:
    tally = Tally(Surface.CHAT)
    tally.answer(json.dumps({"choices": [{"message": {}}], "usage": {"prompt_tokens": claim}}).encode())

    assert tally.claimed is None


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"<html>", "protocol"), (b"[]", "protocol"), (b"{}", "protocol"), (b'{"choices": [1]}', "protocol"),
        (b"\xff", "protocol"), (b'{"error": {"message": "no"}}', "error"),
        (b'{"error": "no", "choices": [{"message": {"content": "hi"}}]}', "error"),
        (b' {"choices": [{"message": {"content": "hi"}, "logprobs": NaN}]}', "protocol"),
        (b'{"choices": [{"message": {"content": "hi"}}], "a": -Infinity}', "protocol"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_told_apart_from_one(raw: bytes, why: str) -> None:
    with pytest.raises(Unreached) as refused:
        Tally(Surface.CHAT).answer(raw)

    assert refused.value.why == why


def test_what_a_provider_says_is_cut_and_made_printable() -> None:
    assert said({"error": {"message": "a\x1b[31m\nb" + "c" * 1000}}) == "a [31m b" + "c" * 292


def test_an_upstream_of_the_settings_has_the_same_id_in_every_process() -> None:
    assert PROVIDERS.parse(named("alpha")) == named("alpha") != named("beta")


def test_a_body_that_is_refused_with_its_last_piece_is_not_waited_for() -> None:
    async def run() -> tuple[int, bool]:
        pieces: list[Any] = [{"type": "http.request", "body": b"x" * 20, "more_body": False}]

        async def receive() -> Any:
            return pieces.pop()

        async def send(message: Any) -> None:
            raise AssertionError(message)

        client = Client({"headers": []}, receive, send)
        with pytest.raises(Declined) as refused:
            await client.body(10, 1, Room(100))
        return refused.value.answer, await client.drain(1_000, 1)

    assert asyncio.run(run()) == (413, False)
