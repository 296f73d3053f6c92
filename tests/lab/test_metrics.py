import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from mercato.lab import gas
from mercato.lab.metrics import measure
from mercato.lab.model import ADVERSARY, DOLLAR, Reserves
from mercato.lab.records import Record, record
from tests.lab.outcomes import M, T, outcome, tape

FOUND = measure(outcome(), tape())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("extraction_of_retail", (250 - 200 - 15) / 700),
        ("extraction_of_raise", 35 / 500),
        ("rent_of_retail", 7 / 700),
        ("adversary_tokens", 200e6),
        ("adversary_profit", 35.0),
        # prices by entity, in dollars a million tokens: 1 (the bot, two accounts), 2 and 4
        ("gini", (-2 * 1 + 0 * 2 + 2 * 4) / (3 * 7)),
        ("p90_p10", 4.0),
        ("theil", sum(x / (7 / 3) * math.log(x / (7 / 3)) for x in (1, 2, 4)) / 3),
        ("top10_share", 1.0),
        ("buyers_filled", 2.0),
        ("fill_rate", 2 / 4),
        ("late_buyers", 1.0),
        ("money_filled", 400 / 4000),
        ("half_filled", 0.0),
        # a million tokens at $2M for a billion is worth $2,000
        ("welfare", (100 * 2000 + 50 * 2000 + 50 * 3000 - 700) / 400_000),
        ("retail_return", (200 * 2000 - 700) / 700),
        ("people_gain", 200 * 2000 - 700.0),
        # $20 and $16 dollars a million tokens on average against $5
        ("impact_1h_half", 10 / 5 - 1),
        ("impact_1h", 16 / 5 - 1),
        ("depth_2pct", 500 * (math.sqrt(1.02) - math.sqrt(0.98))),
        ("depth_2pct_0h", 400 * (math.sqrt(1.02) - math.sqrt(0.98))),
        ("depth_2pct_24h", 200 * (math.sqrt(1.02) - math.sqrt(0.98))),
        ("lp_to_fdv", 0.1),
        # $550 for 250 million tokens after T: 2.2 against 4
        ("discovery_error", math.log(4 / 2.2)),
        ("value_error", math.log(2_000_000 / 2000)),
        ("price", 4000.0),
        ("refund_error_wei", 0.0),
        ("take_rate", 23 / (900 + 250)),
        ("transactions_each", 6 / 3),
        ("raised", 500.0),
        ("holders", 3.0),
        ("failed", 0.0),
    ],
)
def test_the_run_made_by_hand_measures(name: str, value: float) -> None:
    assert FOUND[name] == pytest.approx(value)


def test_no_metric_is_left_unchecked() -> None:
    assert len(FOUND) == 34


def test_gas_and_waiting_are_counted_where_people_bid_in_a_contract_of_ours() -> None:
    actions = {"bid": 3, "buy": 1, "sell": 2, "adversary-bid": 9}
    refunds = {1: 30 * DOLLAR, 3: 10 * DOLLAR, ADVERSARY: 5 * DOLLAR}
    late = replace(tape(), arrives=(0, T // 2, 0, T // 4), delays=(0,) * 4)
    ours = measure(outcome(mechanism="lca", actions=actions, refunds=refunds), late)
    theirs = measure(outcome(mechanism="easyauction", actions=actions, refunds=refunds), late)
    # Three bid: one wins whole, one with a refund, one loses; the fourth buys after the close.
    spent = 3 * gas.BID + gas.CLAIM + gas.CLAIM_WITH_REFUND + gas.CLAIM_OF_LOSER + gas.BUY + 2 * gas.SELL

    assert (ours["gas_each"], theirs["gas_each"]) == (spent / 4, None)
    assert ours["refund_hours"] == theirs["refund_hours"] == (30 * 12 + 10 * 18) / 40
    assert FOUND["gas_each"] is FOUND["refund_hours"] is None


def test_gas_is_what_the_contracts_tests_measured() -> None:
    kept = json.loads((Path(__file__).parents[1] / "contracts" / "gas.json").read_text())
    bidding, trading = kept["bidding"], kept["trading"]

    assert (bidding["bid on a new level"], bidding["claim of a winner"]) == (gas.BID, gas.CLAIM)
    assert bidding["claim at the margin"] == gas.CLAIM_WITH_REFUND
    assert bidding["claim of a loser"] == gas.CLAIM_OF_LOSER
    assert (trading["buy"], trading["sell"]) == (gas.BUY, gas.SELL)


def test_people_count_as_half_filled_from_half_of_their_budget_on() -> None:
    budgets = (400 * DOLLAR, 401 * DOLLAR, DOLLAR, DOLLAR)

    assert measure(outcome(), replace(tape(), budgets=budgets))["half_filled"] == 1 / 4


def test_many_accounts_of_the_adversary_are_one_entity() -> None:
    one = outcome(
        entries=((ADVERSARY, 200 * M, 200 * DOLLAR, 10), *outcome().entries[2:]),
        charged={**outcome().charged, ADVERSARY: 200 * DOLLAR, ADVERSARY + 1: 0},
    )

    assert measure(one, tape()) == FOUND


def test_a_launch_that_failed_has_no_prices() -> None:
    nothing = Reserves(T, 0, 0)
    failed = outcome(
        entries=(), exits=(), path=(), depths=(nothing, nothing, nothing), impacts=(), tokens={}, charged={},
        received={}, fees={}, raised=0, failed=True, costs=0, rent=0, refunds={0: 5},
    )  # fmt: skip
    found = measure(failed, tape())
    unknown = {name for name, value in found.items() if value is None}

    assert (found["failed"], found["buyers_filled"], found["raised"]) == (1.0, 0.0, 0.0)
    assert {"gini", "extraction_of_retail", "impact_1h", "depth_2pct", "price", "discovery_error"} <= unknown


def test_a_record_comes_back_from_its_line() -> None:
    kept = record(outcome(path=tuple(n << 40 for n in range(30))), tape(), {"size_bps": 2})

    assert Record.of(json.loads(kept.line())) == kept
    assert len(kept.path) == 3
    assert (kept.prices[0], kept.prices[-1]) == (2000, 4000)
