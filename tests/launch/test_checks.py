"""Each automatic check refuses what it is for, says why with the value, and lets a sound application through."""

from dataclasses import replace
from typing import Any

import pytest

from mercato.core.errors import InvalidInput
from mercato.launch.application import Allocation, Application, Member, Milestone, Revenue, Terms
from mercato.launch.checks import RULES, Facts, check, passed
from mercato.launch.testing import application

FACTS = Facts(frozenset({"TAKEN"}), frozenset({"USDC"}), bonded=100, deposit=100)
TERMS = application().terms
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("identity", {"applicant": "0x12"}, "'0x12', not an account"),
    ("identity", {"applicant": "0x" + "00" * 20}, "not an account"),
    ("identity", {"team": ()}, "no member"),
    ("identity", {"team": (Member("", "x"),)}, "no name"),
    ("disclosure", {"models": ()}, "no model"),
    ("disclosure", {"tools": ()}, "no tool"),
    ("disclosure", {"summary": "Short."}, "at least 40"),
    ("disclosure", {"name": "x" * 65}, "not 1 to 64 bytes"),
    ("disclosure", {"name": "é" * 33}, "not 1 to 64 bytes"),
    ("disclosure", {"name": "Court\u202eedis"}, "can be printed"),
    ("repository", {"repository": "http://plain.example/x"}, "not an https"),
    ("repository", {"repository": "https://user:secret@host.example/x"}, "not an https"),
    ("repository", {"repository": "file:///etc"}, "not an https"),
    ("repository", {"repository": "https://[bad/x"}, "not an https"),
    ("repository", {"commit": "main"}, "not the 40 digits"),
    ("repository", {"licence": "Proprietary"}, "not an open-source one"),
    ("revenue", {"revenue": Revenue((), 100)}, "no source"),
    ("symbol", {"symbol": "lower"}, "not 2 to 10"),
    ("symbol", {"symbol": "USDC"}, "well-known"),
    ("symbol", {"symbol": "TAKEN"}, "another launch"),
    ("supply", {"terms": replace(TERMS, supply=10**20)}, "supply was"),
    ("allocation", {"allocation": Allocation(sale=4001)}, "add up to 10001"),
    ("allocation", {"allocation": Allocation(4000, 2000, 2000, 1000, 500, 500)}, "needs 3000"),
    ("allocation", {"allocation": Allocation(4000, 3000, 3000, 0, 0, 0)}, "team was 3000"),
    ("allocation", {"partner": ""}, "partner gets 500"),
    ("allocation", {"partner": "0x" + "00" * 20}, "partner gets 500"),
    ("allocation", {"allocation": Allocation(5714, 4286, 0, 0, 0, 0)}, "nobody but the auction"),
    ("floor", {"terms": replace(TERMS, floor=1)}, "grid of levels"),
    ("floor", {"terms": replace(TERMS, floor=0)}, "grid of levels"),
    ("floor", {"terms": Terms(floor=10**36, raise_min=1, step_bps=1000, supply=10**24)}, "grid"),
    ("auction", {"terms": replace(TERMS, retail_bps=2501)}, "retail was 2501"),
    ("auction", {"terms": replace(TERMS, raise_min=10**12)}, "least raise"),
    ("auction", {"terms": replace(TERMS, open_seconds=60)}, "open was 60"),
    ("auction", {"terms": replace(TERMS, lock_seconds=60)}, "lock was 60"),
    ("milestones", {"milestones": (Milestone("a", 10_000),)}, "not 2 to 8"),
    ("milestones", {"milestones": (Milestone("a", 1), Milestone("b", 2))}, "add up to 3"),
]


def test_a_sound_application_passes_every_check() -> None:
    results = check(application(), FACTS)

    assert passed(results)
    assert [item.name for item in results] == list(RULES)


@pytest.mark.parametrize(("name", "changes", "said"), WRONG, ids=[f"{name}-{said}" for name, _, said in WRONG])
def test_a_fault_fails_its_own_check_and_the_reason_names_it(name: str, changes: dict[str, Any], said: str) -> None:
    found = {item.name: item for item in check(application(**changes), FACTS)}

    assert not found[name].passed
    assert said in found[name].reason


def test_a_deposit_that_is_too_small_fails_and_none_is_asked_where_no_chain_holds_any() -> None:
    short = check(application(), replace(FACTS, deposit=99))
    none = check(application(), replace(FACTS, deposit=None))

    assert [item.name for item in short if not item.passed] == ["deposit"]
    assert passed(none)


def test_an_application_survives_json_and_its_hash_names_it() -> None:
    again = Application.of(application().body())

    assert again == application()
    assert again.hash == application().hash
    assert application(name="Other").hash != application().hash


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("name", 5, "name was 5"),
        ("team", "me", "team was 'me'"),
        ("team", [{"name": "x", "role": "y", "wallet": "z"}], "team.0. has the field 'wallet'"),
        ("team", [{"name": "x"}], "team.0. lacked"),
        ("models", [{"name": "x", "provider": "y", "open_weights": "yes"}], "open_weights was 'yes'"),
        ("terms", {"floor": "1.5", "raise_min": "1"}, "terms.floor was '1.5'"),
        ("terms", {"floor": -1, "raise_min": "1"}, "terms.floor was -1"),
        ("revenue", [], "revenue was"),
        ("colour", "red", "application has the field 'colour'"),
        ("summary", "x" * 4001, "summary was 4001 letters"),
        ("summary", "half \ud800 of a pair", r"summary was 'half .ud800 of a pair'"),
        ("name", "end\0", "name was 'end.x00'"),
    ],
)
def test_a_body_of_the_wrong_shape_is_refused_by_the_name_of_its_field(path: str, value: object, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        Application.of({**application().body(), path: value})
