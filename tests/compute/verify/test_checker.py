"""The reference is asked over real HTTP; what is kept for it is only what it can judge, and nothing private."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, TypeVar

import pytest

from mercato.compute.errors import Unreached
from mercato.compute.fleet import replies
from mercato.compute.fleet.toy import Toy
from mercato.compute.gateway import upstream
from mercato.compute.gateway.upstream import HttpLine
from mercato.compute.model import Need, ProviderId, Surface, Wish
from mercato.compute.testing import stub
from mercato.compute.verify import Match, canary, exhibit
from mercato.compute.verify.calibration import calibrate
from mercato.compute.verify.checker import Reference
from mercato.core.settings import Secret

T = TypeVar("T")
QUESTION: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "tell me more"}], "temperature": 0}


def need(**wish: Any) -> Need:
    return Need(Surface.CHAT, "m", 10, 10, wish=Wish(**wish))


def with_line(url: str, work: Callable[[HttpLine], Awaitable[T]]) -> T:
    async def run() -> T:
        session = upstream.session(private=True)
        try:
            return await work(HttpLine(url, Secret(""), session=session, private=True, most=1 << 20))
        finally:
            await session.close()

    return asyncio.run(run())


def checked(url: str, answer: str, body: dict[str, Any] | None = None, model: str = "m") -> Match | None:
    shown = exhibit.Exhibit(Surface.CHAT, body or QUESTION, answer)
    return with_line(url, lambda line: Reference("r", ProviderId("prov_r"), line, {"m": "toy"}).check(shown, model))


def test_the_reference_counts_the_tokens_that_it_would_have_written() -> None:
    words = replies.words(Toy(), "tell me more", 49)
    with stub() as server:
        assert checked(server.url, " ".join([*words, "™"])) == Match(50, 49)


def test_long_answers_are_judged_by_their_first_tokens() -> None:
    words = replies.words(Toy(), "tell me more", 300)
    with stub() as server:
        assert checked(server.url, " ".join(words)) == Match(128, 128)


def test_a_model_that_the_reference_does_not_have_is_not_judged() -> None:
    with stub() as server:
        assert checked(server.url, "the a", model="other") is None
        assert server.asked == []


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_question_that_the_reference_cannot_read_is_not_judged(status: int) -> None:
    with stub("flaky", status=status) as server:
        assert checked(server.url, "the a market") is None


def test_a_question_without_messages_is_not_judged() -> None:
    with stub() as server:
        assert checked(server.url, "the a market", {"input": "tell me more", "temperature": 0}) is None


@pytest.mark.parametrize("behaviour", ["html", "error-in-200", "flaky", "redirect", "truncate", "wrong-length"])
def test_a_reference_that_answers_wrongly_counts_as_away(behaviour: str) -> None:
    with stub(behaviour) as server, pytest.raises(Unreached):
        checked(server.url, "the a market")


def test_what_was_packed_is_read_again() -> None:
    raw = exhibit.packed(need(), json.dumps(QUESTION), "naïve 日本")
    shown = exhibit.read(raw)

    assert shown == exhibit.Exhibit(Surface.CHAT, QUESTION, "naïve 日本")


@pytest.mark.parametrize(
    ("asked", "answer", "calls"),
    [
        (need(zdr=True), "text", 0),
        (need(verify="none"), "text", 0),
        (need(), "", 0),
        (need(), "text", 1),
        (need(), "x" * exhibit.MOST, 0),
        (Need(Surface.EMBEDDINGS, "m", 1, 0), "text", 0),
    ],
    ids=["kept by nobody", "not wanted", "empty", "a tool's call", "large", "embeddings"],
)
def test_what_may_not_be_kept_or_cannot_be_judged_is_not_kept(asked: Need, answer: str, calls: int) -> None:
    assert exhibit.packed(asked, "{}", answer, calls=calls) == b""


@pytest.mark.parametrize(
    "more", [{"temperature": 0.7}, {"temperature": None}, {"n": 2}, {"tools": [{}]}, {"echo": True}], ids=str
)
def test_where_chance_or_tools_had_a_part_nothing_is_judged(more: dict[str, Any]) -> None:
    assert exhibit.read(exhibit.packed(need(), json.dumps({**QUESTION, **more}), "text")) is None


def test_canaries_are_new_each_time_and_name_nothing_but_their_provider() -> None:
    rng = Random(1)
    asked = [canary.question(rng, "m", "prov_a") for _ in range(300)]
    texts = {body["messages"][0]["content"] for body in asked}

    assert len(texts) > 280
    assert {body["temperature"] for body in asked} == {0}
    assert not any("canary" in json.dumps(body) or "audit" in json.dumps(body) for body in asked)


def test_calibration_finds_that_an_exact_twin_never_differs() -> None:
    with stub() as server, stub() as checker:

        async def work(line: HttpLine) -> Any:
            return await with_checker(line, checker.url)

        found = with_line(server.url, work)

    assert (found.answers, found.match, found.cut.alike) == (80, 1.0, 0.0)
    assert 0 < found.honest < 0.2


async def with_checker(line: HttpLine, url: str) -> Any:
    session = upstream.session(private=True)
    try:
        there = HttpLine(url, Secret(""), session=session, private=True, most=1 << 20)
        return await calibrate(line, Reference("r", ProviderId("r"), there, {"m": "toy"}), "m", "toy", 80, Random(1))
    finally:
        await session.close()


def test_calibration_tells_where_the_checker_cannot_judge() -> None:
    async def work(line: HttpLine) -> Any:
        return await calibrate(line, Reference("r", ProviderId("r"), line, {}), "m", "toy", 80, Random(1))

    with stub() as server, pytest.raises(Unreached, match="only 0 of 80 answers"):
        with_line(server.url, work)
