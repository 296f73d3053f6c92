from collections import defaultdict
from dataclasses import replace

import pytest

from mercato.lab.mechanisms import MECHANISMS
from mercato.lab.model import Q96, Outcome
from mercato.lab.players import FEAR, Crowd
from mercato.lab.run import run
from tests.lab import small

TAPE = small.tape(5)
SOBER = replace(TAPE, momentum=(0,) * len(TAPE))


@pytest.fixture(scope="module", params=["pump", "virtuals-60s", "clanker-decay", "lbp", "lca", "easyauction"])
def outcome(request: pytest.FixtureRequest) -> Outcome:
    return run(request.param, "none", {}, SOBER)


def test_nobody_pays_more_than_the_own_belief_or_three_times_it_at_any_price(outcome: Outcome) -> None:
    supply = SOBER.economy.supply
    most = [value * Q96 // supply * (FEAR if market else 1)
            for value, market in zip(SOBER.values, SOBER.market, strict=True)]  # fmt: skip

    trades = [trade for trade in outcome.entries if trade[3] != outcome.closed]
    assert all(spent * Q96 // tokens <= most[who] for who, tokens, spent, _ in trades)


def test_nobody_spends_more_than_the_budget(outcome: Outcome) -> None:
    assert all(paid <= SOBER.budgets[who] for who, paid in outcome.charged.items())


def test_who_needs_the_money_leaves_with_nothing(outcome: Outcome) -> None:
    gone = [who for who, at in enumerate(SOBER.exits) if 0 <= at < 20 * 3_600_000]
    held = [who for who in gone if outcome.tokens.get(who) and SOBER.checks[who][-1:] > (outcome.closed,)]

    assert gone
    assert held == []


def test_people_act_when_they_looked_and_thought_and_not_before(outcome: Outcome) -> None:
    first: defaultdict[int, int] = defaultdict(lambda: SOBER.economy.horizon_ms)
    for who, _, _, at in outcome.entries:
        first[who] = min(first[who], at)

    assert first
    assert all(at >= SOBER.arrives[who] + SOBER.delays[who] for who, at in first.items())


def test_who_follows_a_rise_pays_more_than_the_own_belief_after_one() -> None:
    venue = MECHANISMS["pump"](SOBER.economy)
    venue.advance(0)
    below = venue.price() * 9 // 10 * TAPE.economy.supply // Q96
    people = len(TAPE)
    tape = replace(TAPE, market=(False,) * people, momentum=(5_000,) * people, values=(below,) * people)
    crowd = Crowd(tape, venue)

    crowd.act(0)
    assert not venue.ledger.entries

    crowd.path.extend([venue.price() // 2] * 6)  # the price has doubled within the hour: belief is half as much again
    crowd.act(0)

    assert venue.ledger.entries


def test_market_orders_of_proven_people_go_to_the_part_kept_for_people_up_to_its_limit() -> None:
    venue = MECHANISMS["lca"](SOBER.economy)

    assert 0 < venue.retail_most <= SOBER.economy.retail_most
