"""A team's own launch, tried before crowds and attacks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mercato.core.errors import InvalidInput
from mercato.lab.adversaries import ADVERSARIES
from mercato.lab.commands import app
from mercato.lab.own import Attack, Own, mine, play, tape
from mercato.lab.prospects import attack, attacks, crowds
from mercato.lab.study import load
from mercato.lab.workers import here
from mercato.launch.application import Application
from mercato.launch.clearing import Q96
from mercato.launch.testing import application

HANDED = application(terms=replace(application().terms, floor=20_000 * 10**6))


@pytest.fixture(scope="module")
def found() -> dict[str, object]:
    """What may come of the launch, over two seeds."""
    return mine(load(), HANDED, 2, here)


def own(handed: Application, seed: int = 1000) -> tuple[Attack, int]:
    """A run of a launch that nobody attacks."""
    return Attack(load(), Own.of(handed), 100, "none", {}, range(seed, seed + 1)), seed


def test_three_crowds_and_every_attack_are_tried(found: dict[str, dict[str, dict[str, object]]]) -> None:
    assert set(found["crowds"]) == {"50", "100", "200"}
    assert set(found["attacks"]) == set(ADVERSARIES)
    assert all(crowd["n"] == 2 for crowd in found["crowds"].values())


def test_the_worst_attack_is_the_one_that_takes_most(found: dict[str, dict[str, dict[str, float]]]) -> None:
    taken = {name: body["mean"] for name, body in found["attacks"].items()}

    assert taken[str(found["worst_attack"]["adversary"])] == max(taken.values())
    assert attacks(found)[0][0] in attack(found)


@pytest.mark.parametrize(("mean", "words"), [(0.012, "it takes 1.2% of what people pay"), (-0.002, "No attack")])
def test_an_attack_that_loses_is_said_to_take_nothing(mean: float, words: str) -> None:
    taken = {"mean": mean, "median": mean, "ci95": [mean, mean], "n": 2}

    assert words in attack({"worst_attack": {"adversary": "sybil", "extraction_of_retail": taken}})


def test_more_money_brings_a_higher_price(found: dict[str, dict[str, dict[str, list[float]]]]) -> None:
    prices = [found["crowds"][crowd]["price"][2] for crowd in ("50", "100", "200")]

    assert prices == sorted(prices)
    assert prices[0] >= 20_000


def test_the_table_has_every_crowd_and_the_worst_attack(found: dict[str, object]) -> None:
    columns, rows = crowds(found)

    assert len(rows) == 4
    assert {len(row) for row in rows} == {len(columns)}


def test_the_same_application_gives_the_same_answer(found: dict[str, object]) -> None:
    assert mine(load(), HANDED, 2, here) == found


def test_the_auction_is_the_one_that_was_applied_for() -> None:
    terms = replace(HANDED.terms, step_bps=500, retail_bps=1000, open_seconds=7200, lock_seconds=3600)
    wanted = Own.of(application(terms=terms))
    auction = wanted.auction(wanted.economy(2))
    rules = auction.book.rules  # type: ignore[attr-defined] # ours has terms, other books have none

    assert auction.closes == 3 * 3600 * 1000
    assert rules.terms.prices[1] == -(-rules.terms.prices[0] * 10_500 // 10_000)
    assert rules.terms.prices[0] == -(-terms.floor * Q96 // terms.supply)
    assert rules.retail_cap * 10 == rules.sale == terms.supply * 4 // 10


def test_a_floor_that_nobody_reaches_fails_and_pays_back() -> None:
    terms = replace(HANDED.terms, raise_min=HANDED.terms.floor * 4 // 10)
    task, seed = own(application(terms=terms))
    order = tape(task, seed)
    poor = replace(order, budgets=(6 * 10**6,) * len(order))
    outcome = play(task, poor, {})

    assert outcome.failed
    assert sum(outcome.charged.values()) == 0
    assert outcome.refund_error == 0


def test_terms_that_the_checks_would_refuse_are_refused_with_the_reason() -> None:
    terms = replace(HANDED.terms, step_bps=1001)
    with pytest.raises(InvalidInput, match="step was 1001"):
        Own.of(application(terms=terms))


def test_the_command_answers_in_json(tmp_path: Path) -> None:
    file = tmp_path / "application.json"
    file.write_text(json.dumps(HANDED.body()), encoding="utf-8")
    said = CliRunner().invoke(app, ["mine", "--application", str(file), "--seeds", "1", "--json"])
    found = json.loads(said.stdout)

    assert (found["application"], found["simulated"], found["seeds"]) == (HANDED.hash, True, 1)
