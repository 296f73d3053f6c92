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
from mercato.compute.gateway.tally import Said
from mercato.compute.gateway.upstream import Connections, HttpLine
from mercato.compute.model import Need, ProviderId, Surface, Wish
from mercato.compute.testing import stub
from mercato.compute.verify import Match, exhibit
from mercato.compute.verify.calibration import calibrate
from mercato.compute.verify.checker import Reference
from mercato.compute.verify.record import Finding
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


def checked(url: str, answer: str, body: dict[str, Any] | None = None, model: str = "m") -> Finding | None:
    shown = exhibit.Exhibit(Surface.CHAT, body or QUESTION, answer)
    return with_line(url, lambda line: Reference("r", ProviderId("prov_r"), line, {"m": "toy"}).check(shown, model))


def test_the_reference_counts_the_tokens_that_it_would_have_written() -> None:
    words = replies.words(Toy(), "tell me more", 49)
    with stub() as server:
        assert checked(server.url, " ".join([*words, "™"])) == Match(50, 49)


TEXT: dict[str, Any] = {"model": "m", "prompt": "tell me more", "temperature": 0}


def continued(url: str, prompt: Any, answer: str) -> Finding | None:
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
    said = [Said("naïve 日本", "hm", "", "stop"), Said("", "", "no", "tool_calls", (("look", "{}"),))]
    kept = exhibit.read(exhibit.packed(need(), json.dumps(QUESTION), said, synced=True))

    assert kept == exhibit.Kept(Surface.CHAT, QUESTION, tuple(said), synced=True)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [(need(zdr=True), "text"), (need(verify="none"), "text"), (need(), "x" * exhibit.MOST)],
    ids=["kept by nobody", "not wanted", "large"],
)
def test_what_may_not_be_kept_or_is_large_is_not_kept(asked: Need, answer: str) -> None:
    assert exhibit.packed(asked, "{}", [Said(answer)]) == b""


@pytest.mark.parametrize(
    "raw", [b"", b"x", b"c", b"c\0\0\0\2{}", b"c\0\0\0\2{}text", b"c\0\0\0\2{}12", b"e\0\0\0\2{}{}"]
)
def test_what_was_packed_otherwise_is_not_read(raw: bytes) -> None:
    assert exhibit.read(raw) is None


def shown(more: dict[str, Any], *said: Said, number: int = 0, synced: bool = False) -> exhibit.Exhibit | None:
    """What a reference would be shown of a request, as it was packed."""
    kept = exhibit.read(exhibit.packed(need(), json.dumps({**QUESTION, **more}), said or [Said("text")], synced=synced))
    assert kept is not None
    return kept.drawn(number)


BENDING: list[dict[str, Any]] = [
    {"temperature": 0.7}, {"temperature": None}, {"n": 2, "temperature": 1, "seed": 4}, {"best_of": 2}, {"tools": [{}]},
    {"functions": [{}]}, {"tool_choice": "required"}, {"suffix": "end"}, {"frequency_penalty": 0.5}, {"echo": True},
    {"presence_penalty": -1}, {"logit_bias": {"1": 100}}, {"response_format": {"type": "json_object"}},
    {"repetition_penalty": 1.2}, {"guided_regex": "a+"}, {"min_tokens": 50}, {"prompt": [1, 2]},
    {"prompt": [[1], [2]]}, {"prompt": ["one", "two"], "temperature": 1, "seed": 4}, {"prompt": ["one", "two"]},
]  # fmt: skip


@pytest.mark.parametrize("more", BENDING, ids=str)
@pytest.mark.parametrize("synced", [False, True])
def test_where_something_bent_the_choice_nothing_is_judged(more: dict[str, Any], synced: bool) -> None:
    """Else whoever chooses questions could have honest answers fail."""
    assert shown(more, synced=synced) is None


IDLE: list[dict[str, Any]] = [
    {"frequency_penalty": 0, "presence_penalty": 0.0, "logit_bias": None}, {"response_format": {"type": "text"}},
    {"n": 1, "top_p": 0.9, "seed": 4, "stop": ["\n"]}, {"tools": [], "tool_choice": "auto"}, {"logit_bias": {}},
]  # fmt: skip


@pytest.mark.parametrize("more", IDLE, ids=str)
def test_members_that_change_nothing_keep_nothing_from_being_judged(more: dict[str, Any]) -> None:
    assert shown(more) is not None


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
    assert (shown(more, synced=synced) is not None) == judged


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


@pytest.mark.parametrize("number", range(4))
def test_of_several_texts_one_is_judged_that_nobody_knows_beforehand(number: int) -> None:
    """All would be several chances to fail by bad luck; the first one would leave the others to cheaters."""
    found = shown({"n": 2}, Said("one"), Said("two"), number=number)

    assert found is not None
    assert found.answer == ("one", "two")[number % 2]


def test_of_several_prompts_each_text_is_judged_with_its_own() -> None:
    body = {"model": "m", "prompt": ["first", "second"], "n": 2, "temperature": 0}
    kept = exhibit.Kept(Surface.COMPLETIONS, body, tuple(map(Said, ["a", "b", "c", "d"])))
    found = [kept.drawn(number) for number in range(4)]

    assert [(it.body["prompt"], it.answer) for it in found if it] == [
        ("first", "a"), ("first", "b"), ("second", "c"), ("second", "d"),
    ]  # fmt: skip


def test_a_call_is_no_way_out_of_being_judged_where_no_tool_was_offered() -> None:
    called = Said("text", calls=(("look", "{}"),))
    found = shown({}, called)

    assert found is not None
    assert found.answer == "text"
    assert shown({"tools": [{}]}, called) is None
