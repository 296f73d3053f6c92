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
from mercato.compute.gateway.upstream import Connections, HttpLine
from mercato.compute.model import Need, ProviderId, Surface, Wish
from mercato.compute.testing import stub
from mercato.compute.verify import Match, exhibit
from mercato.compute.verify.calibration import calibrate
from mercato.compute.verify.checker import Reference
from mercato.core.settings import Secret

T = TypeVar("T")
QUESTION: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "tell me more"}], "temperature": 0}


def need(**wish: Any) -> Need:
    return Need(Surface.CHAT, "m", 10, 10, wish=Wish(**wish))


def with_line(url: str, work: Callable[[HttpLine], Awaitable[T]]) -> T:
    async def run() -> T:
        async with Connections(private=True) as connections:
            return await work(HttpLine(url, Secret(""), connections=connections, most=1 << 20))

    return asyncio.run(run())


def checked(url: str, answer: str, body: dict[str, Any] | None = None, model: str = "m") -> Match | None:
    shown = exhibit.Exhibit(Surface.CHAT, body or QUESTION, answer)
    return with_line(url, lambda line: Reference("r", ProviderId("prov_r"), line, {"m": "toy"}).check(shown, model))


def test_the_reference_counts_the_tokens_that_it_would_have_written() -> None:
    words = replies.words(Toy(), "tell me more", 49)
    with stub() as server:
        assert checked(server.url, " ".join([*words, "™"])) == Match(50, 49)


TEXT: dict[str, Any] = {"model": "m", "prompt": "tell me more", "temperature": 0}


def continued(url: str, prompt: Any, answer: str) -> Match | None:
    shown = exhibit.Exhibit(Surface.COMPLETIONS, {**TEXT, "prompt": prompt}, answer)
    return with_line(url, lambda line: Reference("r", ProviderId("prov_r"), line, {"m": "toy"}).check(shown, "m"))


def test_a_text_that_was_continued_is_judged_as_a_chat_is() -> None:
    words = replies.words(Toy(), "tell me more", 49)
    with stub() as server:
        found = continued(server.url, "tell me more", " " + " ".join([*words, "™"]))
        paths = [asked.path for asked in server.asked]

    assert found == Match(50, 49)
    assert paths == ["/v1/completions"] * 2


def test_several_prompts_at_once_or_tokens_are_not_judged() -> None:
    with stub() as server:
        assert [continued(server.url, prompt, "the a") for prompt in (["a", "b"], [1, 2], None)] == [None] * 3
        assert server.asked == []


def test_a_seeded_answer_is_judged_by_what_the_reference_would_have_drawn() -> None:
    body = {**QUESTION, "temperature": 0.8, "seed": 77}
    drawn = replies.drawn(Toy(), "tell me more", 60, 77, 0.8)
    other = replies.drawn(Toy(weights=5), "tell me more", 60, 77, 0.8)
    with stub() as server:
        found = [checked(server.url, " ".join(words), body) for words in (drawn, drawn[:40] + ["™"] * 20, other)]
        luck = checked(server.url, " ".join(replies.drawn(Toy(), "tell me more", 60, 78, 0.8)), body)

    assert found[:2] == [Match(60, 60), Match(60, 40)]
    assert found[2] is not None
    assert found[2].hopeless
    assert luck is not None
    assert luck.hopeless


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


def test_an_answer_without_a_word_is_nothing_to_match() -> None:
    with stub() as server:
        assert checked(server.url, "") is None
        assert server.asked == []


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
        (need(), "text", 1),
        (need(), "x" * exhibit.MOST, 0),
        (Need(Surface.EMBEDDINGS, "m", 1, 0), "text", 0),
    ],
    ids=["kept by nobody", "not wanted", "a tool's call", "large", "embeddings"],
)
def test_what_may_not_be_kept_or_cannot_be_judged_is_not_kept(asked: Need, answer: str, calls: int) -> None:
    assert exhibit.packed(asked, "{}", answer, calls=calls) == b""


BENDING: list[dict[str, Any]] = [
    {"temperature": 0.7}, {"temperature": None}, {"n": 2}, {"best_of": 2}, {"tools": [{}]}, {"echo": True},
    {"functions": [{}]}, {"tool_choice": "required"}, {"suffix": "end"}, {"frequency_penalty": 0.5},
    {"presence_penalty": -1}, {"logit_bias": {"1": 100}}, {"response_format": {"type": "json_object"}},
    {"repetition_penalty": 1.2}, {"guided_regex": "a+"}, {"min_tokens": 50}, {"prompt": ["one", "two"]},
]  # fmt: skip


@pytest.mark.parametrize("more", BENDING, ids=str)
@pytest.mark.parametrize("synced", [False, True])
def test_where_something_bent_the_choice_nothing_is_judged(more: dict[str, Any], synced: bool) -> None:
    """Else whoever chooses questions could have honest answers fail."""
    body = json.dumps({**QUESTION, **more})

    assert exhibit.read(exhibit.packed(need(), body, "text", synced=synced)) is None


IDLE: list[dict[str, Any]] = [
    {"frequency_penalty": 0, "presence_penalty": 0.0, "logit_bias": None}, {"response_format": {"type": "text"}},
    {"n": 1, "top_p": 0.9, "seed": 4, "stop": ["\n"]}, {"tools": [], "tool_choice": "auto"}, {"logit_bias": {}},
]  # fmt: skip


@pytest.mark.parametrize("more", IDLE, ids=str)
def test_members_that_change_nothing_keep_nothing_from_being_judged(more: dict[str, Any]) -> None:
    assert exhibit.read(exhibit.packed(need(), json.dumps({**QUESTION, **more}), "text")) is not None


@pytest.mark.parametrize(
    ("synced", "more", "judged"),
    [
        (True, {"temperature": 0.7, "seed": 5}, True),
        (True, {"temperature": 0.7, "seed": -5, "top_p": 1}, True),
        (False, {"temperature": 0.7, "seed": 5}, False),
        (True, {"temperature": 0.7}, False),
        (True, {"temperature": 0.7, "seed": "5"}, False),
        (True, {"temperature": 0.7, "seed": 2**63}, False),
        (True, {"temperature": 0.7, "seed": 5, "top_p": 0.9}, False),
    ],
    ids=str,
)
def test_what_was_drawn_is_judged_by_its_seed_where_the_provider_draws_as_others_can(
    synced: bool, more: dict[str, Any], judged: bool
) -> None:
    found = exhibit.read(exhibit.packed(need(), json.dumps({**QUESTION, **more}), "text", synced=synced))

    assert (found is not None) == judged


def test_calibration_finds_that_an_exact_twin_never_differs() -> None:
    with stub() as server, stub() as checker:

        async def work(line: HttpLine) -> Any:
            return await with_checker(line, checker.url)

        found = with_line(server.url, work)

    assert (found.answers, found.match, found.cut.alike) == (80, 1.0, 0.0)
    assert 0 < found.honest < 0.2


async def with_checker(line: HttpLine, url: str) -> Any:
    async with Connections(private=True) as connections:
        there = HttpLine(url, Secret(""), connections=connections, most=1 << 20)
        return await calibrate(line, Reference("r", ProviderId("r"), there, {"m": "toy"}), "m", "toy", 80, Random(1))


def test_calibration_tells_where_the_checker_cannot_judge() -> None:
    async def work(line: HttpLine) -> Any:
        return await calibrate(line, Reference("r", ProviderId("r"), line, {}), "m", "toy", 80, Random(1))

    with stub() as server, pytest.raises(Unreached, match="only 0 of 80 answers"):
        with_line(server.url, work)
