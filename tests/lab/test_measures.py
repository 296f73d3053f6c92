import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.lab import measures

PRICES = st.lists(st.integers(1, 10**30), min_size=1, max_size=40)


def test_the_inequality_of_one_to_four_by_hand() -> None:
    # (-3*1 - 1*2 + 1*3 + 3*4) / (4 * 10)
    assert measures.gini([4, 1, 3, 2]) == pytest.approx(10 / 40)
    assert measures.theil([1, 3]) == pytest.approx((0.5 * math.log(0.5) + 1.5 * math.log(1.5)) / 2)


def test_one_holder_of_everything_is_nearly_one() -> None:
    assert measures.gini([0] * 99 + [7]) == pytest.approx(0.99)


@given(st.integers(1, 10**30), st.integers(1, 50))
def test_equal_prices_have_no_inequality(price: int, count: int) -> None:
    assert measures.gini([price] * count) == 0
    assert measures.theil([price] * count) == pytest.approx(0, abs=1e-12)
    assert measures.spread([price] * count) == 1


@given(PRICES, st.integers(2, 1000))
def test_inequality_does_not_depend_on_the_unit(prices: list[int], times: int) -> None:
    scaled = [price * times for price in prices]

    assert measures.gini(scaled) == pytest.approx(measures.gini(prices))
    assert measures.theil(scaled) == pytest.approx(measures.theil(prices), abs=1e-9)
    assert measures.spread(scaled) == pytest.approx(measures.spread(prices))


@given(PRICES)
def test_inequality_stays_between_none_and_one(prices: list[int]) -> None:
    found = measures.gini(prices)

    assert found is not None
    assert 0 <= found < 1


def test_the_spread_takes_the_nearest_ranks() -> None:
    assert measures.spread(list(range(10, 110, 10))) == pytest.approx(90 / 10)
    assert measures.spread([5, 7]) == pytest.approx(7 / 5)


def test_the_ten_largest_of_twenty_equal_holders_hold_half() -> None:
    assert measures.largest([3] * 20) == pytest.approx(0.5)
    assert measures.largest([3]) == 1


def test_a_purchase_of_a_tenth_of_the_reserve_costs_a_tenth_more() -> None:
    quote, tokens, spend = 1000, 5000, 100
    bought = tokens * spend / (quote + spend)

    assert measures.impact(quote, spend) == pytest.approx(spend / bought / (quote / tokens) - 1)


def test_depth_is_what_moves_the_price_both_ways() -> None:
    up, down = 10_000 * (math.sqrt(1.02) - 1), 10_000 * (1 - math.sqrt(0.98))

    assert measures.depth(10_000) == pytest.approx(up + down)


def test_twice_and_half_the_price_are_equally_far() -> None:
    assert measures.apart(2, 1) == measures.apart(1, 2) == pytest.approx(math.log(2))


@pytest.mark.parametrize(
    "unknown",
    [measures.gini([]), measures.theil([]), measures.spread([]), measures.largest([]), measures.impact(0, 5),
     measures.depth(0), measures.apart(0, 5), measures.part(1, 0)],
)  # fmt: skip
def test_what_nothing_is_known_of_is_unknown(unknown: float | None) -> None:
    assert unknown is None
