from __future__ import annotations

from fractions import Fraction
from math import exp, isclose
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mercato.launch.season.agents import agents
from mercato.launch.season.bidding import Terms, level_of, moves
from mercato.launch.season.draws import bell, count, grown
from mercato.launch.season.people import crowd
from mercato.launch.season.tide import Tide
from mercato.launch.season.trading import SUPPLY, Reserves, correction, order

CROWD = crowd(7, 300)
TERMS = Terms(18 * 3600, 6 * 3600)
LIVE = agents()[0]


@given(st.integers(1, 10**24), st.integers(-8000, 8000))
@example(1, -7996)  # little enough that to drop a fraction is more than a digit in 10**9
def test_growth_is_the_exponential_to_nine_digits_and_below(value: int, milli: int) -> None:
    assert grown(value * 10**12, milli) <= value * 10**12 * Fraction(exp(milli / 1000)) * Fraction(1 + 10**-12)
    assert isclose(grown(value * 10**12, milli), value * 10**12 * exp(milli / 1000), rel_tol=1e-9, abs_tol=1)


def test_draws_have_the_mean_and_deviation_that_they_say() -> None:
    draw = Random(1)
    bells, counts = [bell(draw) for _ in range(4000)], [count(draw, 2500) for _ in range(4000)]

    assert abs(sum(bells)) / 4000 < 60
    assert 950 < (sum(item**2 for item in bells) / 4000) ** 0.5 < 1050
    assert 2400 < sum(counts) * 1000 / 4000 < 2600


def test_the_crowd_is_the_same_for_a_seed_and_another_for_another() -> None:
    assert crowd(7, 50) == CROWD[:50]
    assert crowd(8, 50) != CROWD[:50]
    assert moves(LIVE, CROWD, 7, TERMS) == moves(LIVE, crowd(7, 300), 7, TERMS)


def test_hundreds_bid_and_nobody_more_than_there_is_to_spend() -> None:
    acts = moves(LIVE, CROWD, 7, TERMS)
    spent = sum(act.amount for act in acts if act.act in {"bid", "retail"})

    assert len({act.person for act in acts}) > 150
    assert 0 < spent <= LIVE.interest * 10**6
    assert {act.act for act in acts} == {"bid", "retail", "improve", "cancel"}


def test_cancels_come_while_they_are_allowed_and_all_acts_inside_the_window() -> None:
    acts = moves(LIVE, CROWD, 7, TERMS)

    assert all(0 <= act.at < TERMS.seconds for act in acts)
    assert all(act.at < TERMS.open_seconds for act in acts if act.act == "cancel")


@given(st.integers(1, 10**15))
def test_a_level_costs_at_most_the_value_and_the_next_one_more(value: int) -> None:
    costs = TERMS.costs(1_000_000)
    level = level_of(value, costs)
    above = 0 if level is None else level + 1

    assert level is None or costs[level] <= value
    assert above == len(costs) or costs[above] > value


def test_the_tide_is_drawn_from_the_seed_whatever_was_asked_before() -> None:
    one, two = Tide(7), Tide(7)
    far = one.worth("COURT", 10**12, 72, 500)
    steps = [two.worth("COURT", 10**12, 72, hour) for hour in range(72, 501)]

    assert (steps[0], steps[-1]) == (10**12, far)
    assert Tide(8).worth("COURT", 10**12, 72, 500) != far


@pytest.mark.parametrize("seed", range(20))
def test_orders_move_a_pool_towards_what_it_is_worth(seed: int) -> None:
    pool = Reserves(300 * 10**24, 1_500_000 * 10**6)
    low, high = pool.price * 3 // 4, pool.price * 5 // 4
    down, up = order(Random(seed), pool, low, 10**9), order(Random(seed), pool, high, 10**9)

    assert down is not None
    assert up is not None
    assert (down.side, up.side) == ("sell", "buy")
    assert low <= pool.after(down).price < pool.price < pool.after(up).price <= high * 101 // 100


def test_a_market_maker_leaves_a_fair_price_alone_and_halves_a_wrong_one() -> None:
    pool = Reserves(300 * 10**24, 1_500_000 * 10**6)
    fix = correction(pool, pool.price * 2)

    assert correction(pool, pool.price * 1002 // 1000) is None
    assert fix is not None
    assert pool.price * 13 // 10 < pool.after(fix).price < pool.price * 17 // 10
    assert pool.price == 1_500_000 * 10**6 * SUPPLY // (300 * 10**24)
