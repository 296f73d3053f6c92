import itertools
import random

import pytest

from mercato.lab.results import results
from tests.lab.studies import records, run

FOUND = results(records(), "c0ffee")
ASKED = ("extraction_of_retail", "gini", "p90_p10", "fill_rate", "buyers_filled", "impact_1h", "depth_2pct",
         "latency_value", "sybil_gain", "refund_error_wei", "best_attack")  # fmt: skip


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("mechanism", ["lca", "lca-elastic", "pump"])
def test_every_metric_of_the_contract_is_an_estimate(mechanism: str, name: str) -> None:
    found = FOUND["mechanisms"][mechanism][name]
    low, high = found["ci95"]

    assert low <= found["mean"] <= high
    assert found["n"] == 5
    assert "median" in found


def test_the_best_attack_is_the_one_that_took_most_and_no_placebo() -> None:
    pump = FOUND["mechanisms"]["pump"]

    assert (pump["best_attack"]["adversary"], pump["best_attack"]["parameters"]) == ("sniper", {"size_bps": 2})
    assert pump["extraction_of_retail"]["mean"] == pytest.approx(0.082)
    assert pump["attacks"]["placebo"]["extraction_of_retail"]["mean"] == pytest.approx(0.502)


def test_the_baseline_has_no_adversary() -> None:
    assert FOUND["mechanisms"]["lca"]["baseline"]["buyers_filled"]["mean"] == 105


def test_probes_are_compared_seed_by_seed() -> None:
    lca = FOUND["mechanisms"]["lca"]

    assert lca["latency_value"]["ci95"] == pytest.approx([0.1, 0.1])
    assert lca["sybil_gain"]["mean"] == pytest.approx((20 + 5) / 500)


def test_what_a_griefer_pays_is_held_against_what_people_lose_by_it() -> None:
    griefed = FOUND["mechanisms"]["lca"]["cost_to_grief"]

    assert griefed["ci95"] == pytest.approx([20 / 40, 20 / 40])
    assert FOUND["mechanisms"]["lca-elastic"]["cost_to_grief"]["mean"] is None


def test_the_fill_is_held_against_the_best_curve() -> None:
    asked = FOUND["retail_fill"]

    assert (asked["curve"], asked["filled"]) == ("pump", 102)
    assert asked["auctions"]["lca"]["mean"] == pytest.approx(97 / 102)
    assert asked["auctions"]["lca"]["met"] is True
    assert asked["auctions"]["lca-elastic"]["met"] is False


def test_the_fill_is_not_met_where_bots_take_more() -> None:
    greedy = [run("lca", "shill", seed, extraction_of_retail=0.006, buyers_filled=102.0) for seed in range(5)]
    asked = results([*greedy, *records()], "c0ffee")["retail_fill"]

    assert asked["auctions"]["lca"]["mean"] == pytest.approx(1)
    assert asked["auctions"]["lca"]["met"] is False


def test_the_order_of_a_mechanisms_records_changes_nothing() -> None:
    shuffled = list(records())
    random.Random(3).shuffle(shuffled)
    shuffled.sort(key=lambda item: item.mechanism, reverse=True)

    assert results(shuffled, "c0ffee") == FOUND


def test_an_unfinished_study_says_what_it_knows() -> None:
    only = list(itertools.islice(records(), 1))
    found = results(only, "c0ffee")["mechanisms"]["lca"]

    assert found["best_attack"]["adversary"] is None
    assert found["latency_value"]["n"] == 0
    assert found["buyers_filled"]["mean"] == 105
    assert results([], "c0ffee")["mechanisms"] == {}
