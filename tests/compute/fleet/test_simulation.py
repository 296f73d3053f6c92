"""The simulated fleet: our policy beside what others do, and audits that find cheaters and spare the honest."""

from __future__ import annotations

from functools import cache

import pytest

from mercato.compute.fleet import audited
from mercato.compute.fleet.detection import KINDS, detect, spare
from mercato.compute.fleet.market import HONEST, fleet
from mercato.compute.fleet.policies import POLICIES
from mercato.compute.fleet.simulation import Outcome, mean, play
from mercato.compute.verify import Match

REQUESTS = 10_000


@cache
def outcome(policy: str) -> Outcome:
    return play(policy, REQUESTS, 0)


def test_ours_serves_few_bad_answers_at_no_higher_cost_than_round_robin() -> None:
    ours, turns = outcome("ours").row(), outcome("round robin").row()

    assert ours["bad"] <= 0.015
    assert ours["cost"] <= 1.05 * turns["cost"]
    assert (ours["false_bans"], ours["unserved"]) == (0, 0)


def test_what_goes_by_price_serves_more_bad_answers_than_taking_turns() -> None:
    """As published baselines have it: cheaters undercut the honest."""
    turns, *priced = [
        outcome(name).row()["bad"] for name in ("round robin", "inverse square + outage filter", "score", "cheapest")
    ]

    assert 0.12 <= turns <= 0.19
    assert min(priced) >= 0.2


def test_those_who_always_cheat_are_found_soon_and_the_patient_too() -> None:
    found = outcome("ours").ejected

    assert {kind: len(counts) for kind, counts in found.items() if kind != "partial"} == {
        "wrong-model": 2, "quantised": 1, "patient": 1,
    }  # fmt: skip
    assert max(found["wrong-model"] + found["quantised"]) <= 60


@pytest.mark.nightly
def test_the_published_size_keeps_the_goals_with_audits_paid_for() -> None:
    rows = {name: mean([play(name, 40_000, seed) for seed in range(3)]) for name in ("ours", "round robin")}
    ours = rows["ours"]

    assert ours["bad"] <= 0.015
    assert ours["cost"] + ours["audit_cost"] <= 1.05 * rows["round robin"]["cost"]
    assert ours["false_bans"] == 0
    assert ours["ejected"] >= ours["cheaters"] - 1


def test_every_policy_meets_the_same_luck_and_a_run_repeats_itself() -> None:
    assert play("ours", 500, 7).row() == play("ours", 500, 7).row()
    assert fleet(3) == fleet(3) != fleet(4)
    assert sorted({member.kind for member in fleet(0)}) == [
        "cutting", "flaky", HONEST, "partial", "patient", "quantised", "slow", "wrong-model",
    ]  # fmt: skip


@pytest.mark.parametrize("policy", POLICIES)
def test_every_request_is_served_or_counted_as_unserved(policy: str) -> None:
    few = play(policy, 400, 1)

    assert len(few.seconds) + few.unserved == 400


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind[0])
def test_no_cheater_is_kept_longer_than_stated_but_a_share_beta(kind: tuple[str, str, float]) -> None:
    """With 60 providers a share of beta is 3, and 9 would come by chance once in 300 tries."""
    found = detect(*kind, runs=60, seed=1)

    assert found.late * found.runs <= 8
    assert found.half <= found.stated


def test_honest_answers_by_fresh_noise_eject_nobody() -> None:
    spared = spare(120_000, seed=1)

    assert spared.ejected == 0
    assert 0 < spared.fails <= spared.allowed


def test_the_bound_of_honest_fails_is_what_the_calibration_could_not_exclude() -> None:
    judge = audited.judge()
    fails = sum(judge.cut.fails(Match(audited.TOKENS, int(same))) for same in audited.pool("honest"))

    assert fails / audited.ANSWERS < judge.test.honest < 3 * fails / audited.ANSWERS


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(5))
def test_a_million_audited_tokens_eject_no_honest_provider(seed: int) -> None:
    """At alpha 1e-3 for six times as many audits, an ejection would come once in 1,000 tries or rarer."""
    assert spare(1_000_000, seed=seed).ejected == 0
    assert spare(1_000_000, seed=seed, about="embeddings").ejected == 0
