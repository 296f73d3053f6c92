"""`mercato launch settle`: the model and the contract through the command line, and cases that are wrong."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.cli import main
from mercato.core.errors import InvalidInput
from mercato.launch.case import Case, load, parse
from mercato.launch.clearing import RETAIL
from mercato.launch.settle import by_contract, by_model
from tests.contracts.auctions import cases
from tests.profiles import examples

SOUND: dict[str, Any] = {
    "sale": "400000000000000000000000000",
    "retail_cap": "100000000000000000000000000",
    "raise_min": "1",
    "floor_q96": "7922816251426",
    "step_bps": "200",
    "levels": "256",
    "bids": [
        {"id": "a", "bidder": "ann", "level": 70, "amount": "90000000000"},
        {"id": "b", "bidder": "ben", "level": 70, "amount": "70000000000"},
        {"id": "c", "bidder": "cleo", "level": None, "amount": "5000000000"},
        {"id": "d", "bidder": "dan", "level": 3, "amount": "2000000000"},
    ],
}


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Returns what a command exits with and what it says."""
    with pytest.raises(SystemExit) as stop:
        main(["launch", "settle", *arguments])
    said = capsys.readouterr()
    return int(stop.value.code or 0), said.out, said.err


def written(folder: Path, case: Any) -> str:
    path = folder / "case.json"
    path.write_text(case if isinstance(case, str) else json.dumps(case), encoding="utf-8")
    return str(path)


def text(case: Case) -> str:
    """Returns a case as its JSON text."""
    names = ("sale", "retail_cap", "raise_min", "floor_q96", "step_bps", "levels")
    bids = [
        {"id": bid.id, "bidder": bid.bidder, "level": (bid.level, None)[bid.level == RETAIL], "amount": str(bid.amount)}
        for bid in case.bids
    ]
    return json.dumps({**{name: str(getattr(case, name)) for name in names}, "bids": bids})


def test_the_model_settles_a_case(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, written(tmp_path, SOUND), "--engine", "model", "--json")
    said = json.loads(out)

    assert code == 0
    assert (said["status"], said["k"], said["sold"]) == ("CLEARED", 70, SOUND["sale"])
    assert [bid["id"] for bid in said["bids"]] == ["a", "b", "c", "d"]
    assert "gas" not in said
    assert sum(int(bid["charge"]) for bid in said["bids"]) - int(said["raised"]) in range(5)


def test_the_contract_settles_it_alike_and_says_its_gas(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, SOUND)
    _, model, _ = run(capsys, path, "--engine", "model", "--json")
    _, contract, _ = run(capsys, path, "--engine", "evm", "--json")
    said = json.loads(contract)
    gas = said.pop("gas")

    assert said == json.loads(model)
    assert set(gas) == {"deploy", "clear", "first_bid", "bid", "claim", "claim_with_refund", "claim_of_loser"}
    bounds = {"clear": 630_000, "first_bid": 132_000, "bid": 98_000, "claim": 71_000, "claim_of_loser": 54_000}
    assert {name: gas[name] for name, most in bounds.items() if gas[name] > most} == {}


def test_people_get_lines_instead_of_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, written(tmp_path, SOUND))

    assert out.startswith("CLEARED: ")
    assert "  d: 0 tokens for 0, 2000000000 back" in out


@given(case=cases(most=5))
@settings(max_examples=examples(6))
def test_both_engines_agree_on_any_case(case: Case) -> None:
    body = by_contract(case).body()
    body.pop("gas")

    assert parse(text(case)) == case
    assert body == by_model(case).body()


def test_a_case_without_bids_fails_on_both(tmp_path: Path) -> None:
    case = load(Path(written(tmp_path, {**SOUND, "bids": []})))

    assert by_model(case).body()["status"] == by_contract(case).body()["status"] == "FAILED"


WRONG: dict[str, tuple[tuple[str | int, ...], Any, str]] = {
    "missing": (("sale",), ..., "sale is missing"),
    "zero": (("sale",), "0", 'sale was "0", expected 1 to 5192296858534827628530496329220095'),
    "negative": (("raise_min",), "-1", 'raise_min was "-1", expected a whole number as text'),
    "fraction": (("floor_q96",), 1.5, "floor_q96 was 1.5, expected a whole number as text"),
    "truth": (("levels",), True, "levels was true, expected a whole number as text"),
    "many levels": (("levels",), "257", 'levels was "257", expected 1 to 256'),
    "no step": (("step_bps",), "0", 'step_bps was "0", expected 1 to 10000'),
    "steep": (("step_bps",), "9000", "floor_q96 was 7922816251426, which makes the top level "),
    "retail above the sale": (("retail_cap",), str(10**30), f'retail_cap was "{10**30}", expected 0 to {4 * 10**26}'),
    "bids not a list": (("bids",), {}, "bids was {}, expected a list"),
    "bid not an object": (("bids", 1), 5, "bids[1] was 5, expected an object"),
    "unknown level": (("bids", 3, "level"), 256, "bids[3].level was 256, expected 0 to 255, or null for retail"),
    "no level": (("bids", 0, "level"), ..., "bids[0].level is missing"),
    "nothing bid": (("bids", 0, "amount"), "0", 'bids[0].amount was "0", expected 1 to '),
    "no id": (("bids", 2, "id"), "", 'bids[2].id was "", expected a text of 1 to 200 characters'),
    "the same id": (("bids", 2, "id"), "a", 'bids[2].id was "a", which an earlier bid has'),
    "bidder a list": (("bids", 2, "bidder"), [], "bids[2].bidder was [], expected a text of 1 to 200 characters"),
    "too much": (("bids", 0, "amount"), str(2**112 - 1), "bids add up to 51922968585348276285"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_malformed_case_exits_with_2_and_one_line_that_names_the_field(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, value, expected = WRONG[name]
    code, out, err = run(capsys, written(tmp_path, changed(SOUND, path, value)), "--json")

    assert (code, out) == (2, "")
    assert err.startswith(f"error: {expected}")
    assert err.count("\n") == 1


@pytest.mark.parametrize("content", ["", "{", "[1]", "NaN", "[" * 100_000, '{"sale": 1, "sale": 2}', "9" * 10_000])
def test_what_is_no_case_at_all_is_refused_in_one_line(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, written(tmp_path, content))

    assert code == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_a_file_that_is_not_there_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, str(tmp_path / "none.json"))

    assert code == 2
    assert err.endswith("which cannot be read: No such file or directory\n")
    assert err.count("\n") == 1


def changed(case: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """Returns a case with one value replaced, or with `...` taken away."""
    result = copy.deepcopy(case)
    inner = result
    for step in path[:-1]:
        inner = inner[step]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return result


PLACES = [(name,) for name in SOUND] + [("bids", n, name) for n in range(4) for name in SOUND["bids"][0]]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(place=st.sampled_from(PLACES), value=JSON)
@settings(max_examples=examples(200))
def test_any_value_in_any_place_is_either_taken_or_named(place: tuple[str | int, ...], value: Any) -> None:
    said = outcome(json.dumps(changed(SOUND, place, value)))

    assert said.startswith(("taken", "case", "bids", *SOUND))
    assert "\n" not in said


def outcome(content: str) -> str:
    """Returns "taken", or why a case was refused."""
    try:
        parse(content)
    except InvalidInput as refused:
        return refused.message
    return "taken"
