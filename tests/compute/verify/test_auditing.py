"""From an answer to a verdict: real sockets, real books. Cheaters lose their unsettled pay and are asked no more."""

from __future__ import annotations

import json
from typing import Any

from mercato.compute import audits, roster
from mercato.compute.books import disputes
from mercato.compute.gateway.catalogue import named
from mercato.compute.model import Standing
from mercato.compute.verify.synced import FEATURE
from mercato.store.bare import Bare
from tests.compute.gateway.house import House
from tests.compute.verify.conftest import Audited
from tests.waiting import wait_for


def ask(home: House, number: int, name: str, **more: Any) -> int:
    body = {
        "model": "toy", "messages": [{"role": "user", "content": f"question {number}"}], "max_tokens": 40,
        "temperature": 0, "provider": {"only": [name], "verify": "always"},
    }  # fmt: skip
    return home.post("/chat/completions", {**body, **more}).status


def stands(home: House, name: str) -> Standing | None:
    with Bare(home.url) as bare:
        found = roster.one(bare, named(name))
    return None if found is None else found.standing


def found(home: House, name: str) -> list[audits.Audit]:
    with Bare(home.url) as bare:
        return audits.latest(bare, named(name))


def judged(home: House, name: str, count: int) -> list[audits.Audit]:
    wait_for(lambda: sum(bool(each.verdict) for each in found(home, name)) >= count)
    return found(home, name)


CHEATERS = ["wrong-model", "sybil", "replay-cache", "watermark"]


def test_cheaters_of_every_kind_are_ejected_lose_unsettled_pay_and_are_asked_no_more(audited: Audited) -> None:
    """Sybils that share their wrong answers too: nobody is judged by what other providers say."""
    home = audited({"good": "honest", "ally": "sybil", **{name: name for name in CHEATERS}})
    bad = [*CHEATERS, "ally"]
    for number in range(12):
        for name in ("good", *bad):
            ask(home, number, name)
    wait_for(lambda: {stands(home, name) for name in bad} == {Standing.EJECTED})
    wait_for(lambda: {ask(home, 99, name) for name in bad} == {503})
    with Bare(home.url) as bare:
        wait_for(lambda: sum(roster.unsettled(bare, named(name)) for name in bad) == 0)
        first = {name: disputes.listed(bare, named(name))[0] for name in bad}
        why = roster.history(bare, named("sybil"))[-1].why

    assert min(dispute.amount for dispute in first.values()) > 0
    assert {dispute.kind for dispute in first.values()} == {disputes.Kind.STATISTICAL}
    assert "audited answers failed" in why
    assert "100% of the bar for alpha 0.001" in why
    assert (ask(home, 100, "good"), stands(home, "good")) == (200, Standing.ACTIVE)


def test_an_honest_provider_passes_and_what_was_kept_is_dropped(audited: Audited) -> None:
    home = audited({"good": "honest"})
    for number in range(5):
        ask(home, number, "good", stream=number % 2 == 0)
    verdicts = judged(home, "good", 5)
    with Bare(home.url) as bare:
        kept = bare.run("SELECT evidence FROM compute_audit")

    assert [each.verdict for each in verdicts] == ["pass"] * 5
    assert {json.dumps(dict(each.statistic))[:26] for each in verdicts} == {'{"tokens": 40, "same": 40,'}
    assert {row[0] for row in kept} == {None}
    assert stands(home, "good") is Standing.ACTIVE


def test_texts_to_continue_are_judged_as_chats_are(audited: Audited) -> None:
    home = audited({"good": "honest", "bad": "wrong-model"})
    for name in ("good", "bad"):
        wish = {"only": [name], "verify": "always"}
        body = {"model": "toy", "prompt": f"go on, {name}", "max_tokens": 40, "temperature": 0, "provider": wish}
        answer = home.post("/completions", body)
        assert (answer.status, answer.headers["x-verified"]) == (200, "always; standing=active")

    assert [judged(home, name, 1)[0].verdict for name in ("good", "bad")] == ["pass", "fail"]


def test_seeded_draws_are_judged_where_providers_promise_to_draw_as_others_can(audited: Audited) -> None:
    home = audited({"good": "honest", "bad": "wrong-model"}, features=frozenset({FEATURE}))
    for name in ("good", "bad"):
        assert ask(home, 1, name, temperature=0.8, seed=11, max_tokens=100) == 200
    found = {name: judged(home, name, 1)[0] for name in ("good", "bad")}

    assert {name: it.verdict for name, it in found.items()} == {"good": "pass", "bad": "fail"}
    assert found["good"].statistic["same"] == found["good"].statistic["tokens"] == 100


def test_without_that_promise_seeded_draws_are_void(audited: Audited) -> None:
    home = audited({"bad": "wrong-model"})
    ask(home, 1, "bad", temperature=0.8, seed=11)

    assert [it.verdict for it in judged(home, "bad", 1)] == ["void"]


def test_responses_and_several_choices_are_judged_as_chats_are(audited: Audited) -> None:
    home = audited({"good": "honest", "bad": "wrong-model"})
    for name in ("good", "bad"):
        for stream in (False, True):
            wish = {"only": [name], "verify": "always"}
            body = {"model": "toy", "input": "go on", "max_output_tokens": 40, "temperature": 0, "stream": stream}
            answer = home.post("/responses", {**body, "provider": wish})
            assert (answer.status, answer.headers["x-verified"]) == (200, "always; standing=active")
            assert ask(home, 1, name, n=3, stream=stream) == 200

    assert {name: {it.verdict for it in judged(home, name, 4)} for name in ("good", "bad")} == {
        "good": {"pass"}, "bad": {"fail"},
    }  # fmt: skip


VECTORS = {"good": "honest", "wrong": "wrong-model", "coarse": "quantised", "cached": "replay-cache"}


def test_embeddings_of_other_texts_models_or_weights_are_found_out(audited: Audited) -> None:
    home = audited(VECTORS, apart=0.0001)
    others: list[dict[str, Any]] = [{"encoding_format": "base64"}, {"dimensions": 16}, {"input": [[1, 2], [3], [4]]}]
    for name in VECTORS:
        for more in ({}, *others):
            wish = {"only": [name], "verify": "always"}
            answer = home.post("/embeddings", {"model": "toy", "input": ["a", "b", "c"], "provider": wish, **more})
            assert (answer.status, answer.headers["x-verified"]) == (200, "always; standing=active")
    found = {name: judged(home, name, 4) for name in VECTORS}

    assert {name: {it.verdict for it in them} for name, them in found.items()} == {
        "good": {"pass"}, "wrong": {"fail"}, "coarse": {"fail"}, "cached": {"fail"},
    }  # fmt: skip
    assert {it.method for it in found["coarse"]} == {"vector-distance"}
    assert {(it.statistic["vectors"], it.statistic["far"]) for it in found["good"]} == {(3, 0)}


def test_what_no_reference_can_judge_is_void_and_changes_nothing(audited: Audited) -> None:
    home = audited({"bad": "wrong-model"})
    warm: dict[str, Any] = {"temperature": 1}
    members: list[dict[str, Any]] = [warm, {"max_tokens": 5}, {**warm, "n": 2}, {"temperature": None}]
    statuses = [ask(home, 1, "bad", **more) for more in members]

    assert statuses == [200] * 4
    assert [each.verdict for each in judged(home, "bad", 4)] == ["void"] * 4
    assert stands(home, "bad") is Standing.ACTIVE


def test_a_bribed_checker_finds_nothing_which_is_why_the_operator_names_it(audited: Audited) -> None:
    home = audited({"bad": "wrong-model"}, checker="bribed")
    ask(home, 1, "bad")

    assert [each.verdict for each in judged(home, "bad", 1)] == ["pass"]


def test_answers_are_drawn_without_being_asked_for_by_a_secret_committed_before(audited: Audited) -> None:
    home = audited({"good": "honest"})
    for number in range(3):
        ask(home, number, "good", provider={"only": ["good"]})
    verdicts = judged(home, "good", 3)
    with Bare(home.url) as bare:
        secrets = audits.published(bare)

    assert len(verdicts) == 3  # all of them, at first
    assert len(secrets) >= 2
    assert {public for _, _, public in secrets} == {""}


def test_the_checker_serves_nobody(audited: Audited) -> None:
    home = audited({"good": "honest"})

    assert ask(home, 1, "reference") == 400


def test_a_request_tells_its_audit_to_its_own_key_only(audited: Audited) -> None:
    home = audited({"good": "honest"})
    ask(home, 1, "good")
    request = judged(home, "good", 1)[0].request
    shown = home.get(f"/audit/{request}").json
    others = home.get(f"/audit/{request}", {"authorization": f"Bearer {home.key('bob')}"})
    draws = home.get("/audits").json["data"]

    assert (shown["verdict"], shown["checker"], shown["statistic"]["same"]) == ("pass", "reference", 40)
    assert (others.status, home.get("/audit/req_none").status) == (404, 404)
    assert [len(each["commitment"]) for each in draws] == [64, 64]
    assert {each["secret"] for each in draws} == {None}


CALL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}, "strict": True}}
FORM = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
SHAPES: list[dict[str, Any]] = [
    {}, {"n": 3}, {"tools": [CALL], "tool_choice": "required"}, {"response_format": {"type": "json_object"}},
    {"tools": [CALL], "tool_choice": {"type": "function", "function": {"name": "look"}}}, {"tools": [CALL]},
    {"response_format": {"type": "json_schema", "json_schema": {"name": "f", "schema": FORM, "strict": True}}},
]  # fmt: skip


def test_an_honest_answer_of_any_shape_owes_the_api_nothing(audited: Audited) -> None:
    home = audited({"good": "honest"})
    statuses = {ask(home, 1, "good", stream=stream, **shape) for shape in SHAPES for stream in (False, True)}
    seen = judged(home, "good", 2 * len(SHAPES))

    assert statuses == {200}
    assert sorted(it.verdict for it in seen) == ["pass"] * 4 + ["void"] * 10
    assert [it.statistic["told"] for it in seen if "told" in it.statistic] == []
