"""What no honest engine can answer counts as failed; what is merely odd is told; what is right is neither."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.compute import audits
from mercato.compute.books import disputes
from mercato.compute.gateway.tally import Said
from mercato.compute.model import End, KeyId, Need, Price, ProviderId, Receipt, RequestId, Standing, Surface, Usage
from mercato.compute.testing import ToyChecker, stub
from mercato.compute.verify import exhibit
from mercato.compute.verify.checker import Reference
from mercato.compute.verify.docket import recorded
from mercato.compute.verify.exhibit import Kept
from mercato.compute.verify.known import Reply
from mercato.compute.verify.match import Match
from mercato.compute.verify.protocol import Fault, Note, notes
from mercato.compute.verify.record import Finding, Judge, Record
from mercato.compute.verify.referees import NOBODY, Replayed, majority, replay
from mercato.compute.verify.standing import Effect
from mercato.compute.verify.vectors import BILLIONTHS, Gap, Sampled
from tests.compute.books.conftest import migrated, sqlite
from tests.compute.books.counter import ACME, NOON, Counter
from tests.compute.verify.books import listed
from tests.compute.verify.test_auditor import stands, turn
from tests.compute.verify.test_checker import with_line

__all__ = ["migrated", "sqlite"]  # fixtures of the books
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}
STRICT = {"response_format": {"type": "json_schema", "json_schema": {"name": "r", "schema": SCHEMA, "strict": True}}}
LOOSE = {"response_format": {"type": "json_schema", "json_schema": {"name": "r", "schema": SCHEMA}}}
OBJECT = {"response_format": {"type": "json_object"}}
LOOK = {"type": "function", "function": {"name": "look", "parameters": SCHEMA, "strict": True}}
NAMED = {"tools": [LOOK], "tool_choice": {"type": "function", "function": {"name": "look"}}}
SPENT = Usage(10, 50)
RECEIPT = Receipt(
    RequestId("req_1"), "l", 1, NOON, KeyId("key_1"), ProviderId("p"), "m", End.DONE, "a", "b", SPENT, SPENT,
    Price(1, 1), 1, 1, "0", "0f",
)  # fmt: skip


def found(body: dict[str, Any], *said: Said, receipt: Receipt = RECEIPT) -> list[Note]:
    return notes(Kept(Surface.CHAT, {"model": "m", "messages": [], **body}, said), receipt)


def text(words: str, end: str = "stop", **more: Any) -> Said:
    return Said(words, end=end, **more)


def called(*calls: tuple[str, str], end: str = "tool_calls") -> Said:
    return Said("", end=end, calls=calls)


RIGHT: list[tuple[dict[str, Any], Said]] = [
    ({}, text("yes")), (STRICT, text('{"a": 1}')), (STRICT, text('{"a": ', "length")), (OBJECT, text('{"b": []}')),
    (STRICT, Said("", refusal="I cannot", end="stop")), (STRICT, text("", "content_filter")),
    ({"tools": [LOOK]}, text("no need")), ({"tools": [LOOK]}, called(("look", '{"a": 2}'))),
    (NAMED, called(("look", '{"a": 2}'))),
    (NAMED, called(("look", '{"a": 2}'), end="stop")), ({**NAMED, **STRICT}, called(("look", '{"a": 2}'))),
    (NAMED, called(("look", '{"a":'), end="length")), ({"max_tokens": 5}, text("five5", "length")),
    (STRICT, text('{"a": ' + "9" * 5_000 + "}")),
    ({"tools": [{**LOOK, "function": {"name": "look"}}]}, called(("look", ""))),
]  # fmt: skip


@pytest.mark.parametrize(("body", "said"), RIGHT, ids=lambda it: str(it)[:60])
def test_what_keeps_to_the_api_is_passed_over(body: dict[str, Any], said: Said) -> None:
    assert found(body, said) == []


WRONG: list[tuple[dict[str, Any], Said, str]] = [
    (STRICT, text("yes"), "schema"), (STRICT, text('{"a": "1"}'), "schema"), (STRICT, text('{"a": NaN}'), "schema"),
    (STRICT, text(""), "schema"), (STRICT, text('```json\n{"a": 1}\n```'), "schema"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "said", "kind"), WRONG, ids=lambda it: str(it)[:60])
def test_what_no_engine_that_keeps_its_promises_writes_is_a_fault(body: dict[str, Any], said: Said, kind: str) -> None:
    assert [(it.kind, it.sure) for it in found(body, said)] == [(kind, True)]


ODD: list[tuple[dict[str, Any], Said, str]] = [
    ({}, called(("look", "{}")), "tools"), (NAMED, called(("look", "{}")), "arguments"),
    (NAMED, called(("look", "nonsense")), "arguments"),
    (LOOSE, text('{"a": "1"}'), "schema"), (OBJECT, text("[1]"), "schema"), (OBJECT, text("yes"), "schema"),
    ({**STRICT, "stop": ["}"]}, text('{"a": 1'), "schema"), ({**STRICT, "guided_regex": "x"}, text("x"), "schema"),
    (STRICT, text("", thoughts='{"a": 1}'), "schema"),
    ({"functions": [{"name": "look"}]}, called(("look", "{}")), "tools"),
    ({"tools": [LOOK]}, called(("look", "{}")), "arguments"), ({"tools": [LOOK]}, called(("jump", "{}")), "tools"),
    ({"tools": [LOOK], "tool_choice": "none"}, called(("look", '{"a": 1}')), "tools"), (NAMED, text("no"), "tools"),
    ({"tools": [LOOK], "tool_choice": "required"}, text("no"), "tools"), ({}, text("yes", "done"), "finish"),
    ({}, text("yes", ""), "finish"), ({}, text("yes", "tool_calls"), "finish"), ({"n": 2}, text("yes"), "choices"),
    ({"max_tokens": 500}, text("yes", "length"), "finish"), ({}, text('{"error": {"message": "busy"}}'), "error"),
    ({}, text("<!DOCTYPE html><title>502</title>"), "error"),
    ({"tools": [LOOK], "parallel_tool_calls": False}, called(*[("look", '{"a": 1}')] * 2), "tools"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "said", "kind"), ODD, ids=lambda it: str(it)[:60])
def test_what_honest_engines_differ_in_is_told_and_no_more(body: dict[str, Any], said: Said, kind: str) -> None:
    assert [(it.kind, it.sure) for it in found(body, said)] == [(kind, False)]


def test_a_claim_beyond_our_count_is_told() -> None:
    receipt = replace(RECEIPT, claimed=Usage(10, 500))

    assert [it.kind for it in found({}, text("yes"), receipt=receipt)] == ["count"]


def test_more_choices_than_were_asked_for_are_a_fault_and_fewer_are_told() -> None:
    """An empty one more would be what is judged now and then."""
    several = [found(body, text("yes"), text("")) for body in ({}, {"prompt": ["a"]}, {"n": 2}, {"n": 3}, {"odd": 1})]

    assert [[it.sure for it in them] for them in several] == [[True], [True], [], [False], [False]]


def test_every_choice_is_looked_at() -> None:
    assert [it.sure for it in found({**STRICT, "n": 2}, text('{"a": 1}'), text("no"))] == [True]


@pytest.mark.parametrize(
    ("sampled", "sure"),
    [
        (Sampled(("a",), ((1.0,),), 1, 1), []), (Sampled(("a",), ((1.0,),), 2, 1), [True]), (None, []),
        (Sampled(("a",), ((1.0,),), 1, 2, twice=True), [True]), (Sampled(("a",), (None,), 1, 1), [False]),
    ],
    ids=["right", "too few", "nothing", "twice", "none"],
)  # fmt: skip
def test_vectors_are_one_for_each_input(sampled: Sampled | None, sure: list[bool]) -> None:
    kept = Kept(Surface.EMBEDDINGS, {"model": "m", "input": ["a"]}, sampled=sampled)

    assert [it.sure for it in notes(kept, RECEIPT)] == sure


KINDS = {"choices", "count", "finish", "tools", "arguments", "schema", "error"}
JSON = st.recursive(st.none() | st.booleans() | st.text(max_size=5), lambda it: st.lists(it, max_size=3), max_leaves=4)


@given(JSON, JSON, JSON, st.text(max_size=9))
def test_whatever_a_question_holds_it_is_read(tools: Any, choice: Any, form: Any, words: str) -> None:
    body = {"tools": [tools], "tool_choice": choice, "response_format": form, "prompt": form}

    assert {it.kind for it in found(body, text(words), called((words, words)))} <= KINDS


@pytest.mark.parametrize(("before", "agrees"), [("fail", True), ("pass", False), ("void", None), ("", None)])
def test_in_a_dispute_no_model_is_needed_to_see_a_fault(before: str, agrees: bool | None) -> None:
    kept = Kept(Surface.CHAT, {"model": "m", "messages": [], **STRICT}, (text("no"),))
    found = asyncio.run(replay(kept, RECEIPT, [], Judge(), before))

    assert [(it.referee, it.verdict, it.agrees) for it in found] == [(NOBODY, "fail", agrees)]


@pytest.mark.parametrize("body", [{"temperature": 1}, {"temperature": 0, "logit_bias": {"1": 9}}], ids=str)
def test_what_chance_or_a_penalty_bent_no_referee_is_asked(body: dict[str, Any]) -> None:
    """Also where commitments came with it: those are to what the model read, and referees look at its words."""
    one = Said("some words", end="stop", proofs=("AAAA",))
    kept = Kept(
        Surface.CHAT, {"model": "m", "messages": [{"role": "user", "content": "hi"}], **body}, (one,), promised=True
    )
    with stub() as server:
        found = with_line(
            server.url, lambda it: replay(kept, RECEIPT, [Reference("r", ACME, it, {"m": "toy"})], Judge(), "")
        )
        asked = list(server.asked)

    assert ([it.verdict for it in found], asked) == (["void"], [])


@pytest.mark.parametrize(
    ("verdicts", "most"),
    [("fail fail pass", "fail"), ("pass void void", "pass"), ("fail pass", "void"), ("void", "void"), ("", "void")],
)
def test_most_of_those_who_could_judge_are_heard(verdicts: str, most: str) -> None:
    assert majority([Replayed("req_1", "one", "", it, {}) for it in verdicts.split()]) == most


# How an auditor books it.


def settled(counter: Counter, body: dict[str, Any], *said: Said, count: int = 1) -> None:
    """Answers that wait for an audit."""

    async def settle() -> None:
        async with counter.desk() as desk:
            for _ in range(count):
                hold = counter.hold()
                await desk.reserve(hold)
                raw = exhibit.packed(Need(Surface.CHAT, "toy", 1, 1), json.dumps({"messages": [], **body}), said)
                await desk.settle(hold.request, served=counter.served(audit=True, evidence=raw))

    asyncio.run(settle())


@pytest.fixture
def counter(sqlite: str) -> Iterator[Counter]:
    with Counter(sqlite) as made:
        listed(made)
        yield made


def test_broken_promises_eject_by_evidence_and_never_take_a_stake(counter: Counter) -> None:
    settled(counter, STRICT, text("no JSON"), count=8)
    verdicts = turn(counter, ToyChecker())
    kept = audits.judged(counter.till.bare, ACME)

    assert {it.verdict for it in verdicts} == {"fail"}
    assert stands(counter) is Standing.EJECTED
    assert {(it.method, it.checker, it.statistic["why"]) for it in kept} == {
        ("protocol", "", "schema: a text is no JSON")
    }
    assert {it.kind for it in disputes.listed(counter.till.bare)} == {disputes.Kind.STATISTICAL}


def test_kept_promises_are_no_evidence_so_that_nobody_hides_behind_them(counter: Counter) -> None:
    """Were they, whoever serves coarse weights could dilute what is found by questions that any model gets right."""
    settled(counter, STRICT, text('{"a": 1}'), count=3)
    verdicts = turn(counter, ToyChecker())

    assert [it.verdict for it in verdicts] == ["void"] * 3
    assert recorded(counter.till.bare, ACME, Standing.ACTIVE).evidence.audits == 0


def test_what_is_odd_is_kept_with_the_audit_in_words_that_repeat_nothing(counter: Counter) -> None:
    settled(counter, {"tools": [LOOK]}, called(("a secret", "{}")))
    verdict = turn(counter, ToyChecker())[0]
    kept = audits.latest(counter.till.bare)[0]

    assert (verdict.verdict, verdict.notes) == ("void", ("tools",))
    assert kept.statistic == {"told": ["tools: called one that was not offered"]}
    assert stands(counter) is Standing.ACTIVE


FINDINGS: st.SearchStrategy[Finding] = st.one_of(
    st.builds(lambda tokens, wrong: Match(tokens, max(0, tokens - wrong)), st.integers(24, 128), st.integers(0, 128)),
    st.builds(Gap, st.integers(1, 4), st.integers(0, 2 * BILLIONTHS)),
    st.builds(Reply, st.just("c"), st.booleans()), st.builds(Fault, st.just("schema: a text is no JSON")),
)  # fmt: skip


@given(st.lists(FINDINGS, max_size=60), st.sampled_from(list(Standing)))
def test_whatever_audits_find_nothing_of_it_takes_a_stake(findings: list[Finding], standing: Standing) -> None:
    """Only signed contradictions do."""
    record, effects = Record(standing), set[Effect]()
    for found in findings:
        record, more = Judge().after(record, found)
        effects |= more

    assert effects <= {Effect.AUDIT_ALL, Effect.WITHHOLD}
