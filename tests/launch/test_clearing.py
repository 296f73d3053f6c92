"""The auction's mathematics: what must hold of every set of bids."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mercato.launch.case import Case
from mercato.launch.clearing import (
    FAILED,
    Q96,
    RETAIL,
    Clearing,
    Demand,
    Terms,
    aggregate,
    clear,
    grid,
    liquidity,
    settle,
)
from mercato.launch.settle import by_model
from tests.contracts.auctions import cases


def cleared(case: Case, *more: tuple[int, int]) -> Clearing:
    """Returns how a case comes out, with more bids added as pairs of level and amount."""
    bids = [*((bid.level, bid.amount) for bid in case.bids), *more]
    demand = aggregate([level for level, _ in bids], [amount for _, amount in bids], case.levels)
    return clear(demand, case.terms)


def test_the_grid_rises_by_the_step_rounded_up() -> None:
    assert grid(100, 200, 4) == (100, 102, 105, 108)
    assert grid(7, 1) == tuple(range(7, 7 + 256))


def test_bids_are_added_up_by_level() -> None:
    assert aggregate([2, RETAIL, 2, 0], [5, 7, 1, 3], 3) == Demand((3, 0, 6), 7)


def test_a_level_that_does_not_exist_is_refused() -> None:
    with pytest.raises(IndexError, match="level was 3, expected 0 to 2 or 65535 for retail"):
        aggregate([3], [1], 3)


PRICES = (1 * Q96, 2 * Q96, 3 * Q96, 4 * Q96)


def test_the_marginal_level_shares_what_is_left() -> None:
    found = clear(Demand((0, 0, 400, 100)), Terms(100, 0, 1, PRICES))

    assert found == Clearing(k=2, raised=300, sold=100, r_mid=200, d_mid=400, r_nc=0, a_nc=0)
    assert settle(3, 100, found).tokens == 33
    assert (settle(2, 40, found).charge, settle(2, 40, found).refund) == (20, 20)
    assert settle(1, 10, found).refund == 10


def test_the_price_may_lie_between_two_levels() -> None:
    found = clear(Demand((0, 0, 0, 350)), Terms(100, 0, 1, PRICES))

    assert found == Clearing(k=3, raised=350, sold=100, r_mid=0, d_mid=0, r_nc=0, a_nc=0)


def test_retail_takes_the_price_and_at_most_its_cap() -> None:
    small = clear(Demand((0, 0, 0, 300), 20), Terms(100, 25, 1, PRICES))
    large = clear(Demand((0, 0, 0, 270), 200), Terms(100, 25, 1, PRICES))

    assert (small.raised, small.r_nc, small.a_nc) == (320, 20, 20)
    assert (large.raised, large.r_nc, large.a_nc) == (360, 90, 200)
    assert settle(RETAIL, 100, large).refund == 55


def test_too_little_demand_sells_at_the_floor() -> None:
    found = clear(Demand((30, 20)), Terms(100, 0, 1, PRICES[:2]))

    assert (found.k, found.raised, found.sold) == (0, 50, 50)
    assert (settle(0, 30, found).tokens, settle(1, 20, found).tokens) == (30, 20)


@given(case=cases())
def test_i1_no_more_tokens_leave_than_are_sold_nor_are_sold_than_there_are(case: Case) -> None:
    found = by_model(case)

    assert sum(fill.tokens for _, fill in found.bids) <= found.sold <= case.sale


@given(case=cases())
def test_i2_charges_and_refunds_are_the_escrow_and_cover_the_raise(case: Case) -> None:
    found = by_model(case)
    charged = sum(fill.charge for _, fill in found.bids)

    assert all(fill.charge + fill.refund == bid.amount for bid, fill in found.bids)
    assert 0 <= charged - found.raised <= len(found.bids)


@given(case=cases())
def test_i3_nobody_is_charged_above_their_escrow_and_a_failure_refunds_all(case: Case) -> None:
    found = by_model(case)
    refunded_whole = all(fill.refund == bid.amount and fill.tokens == 0 for bid, fill in found.bids)

    assert all(0 <= fill.refund <= bid.amount for bid, fill in found.bids)
    assert refunded_whole or not found.failed


@given(case=cases())
def test_i4_nobody_pays_above_their_level(case: Case) -> None:
    found, prices = by_model(case), case.terms.prices
    limited = [(Fraction(prices[bid.level], Q96), fill) for bid, fill in found.bids if bid.level != RETAIL]

    # Beyond the level lies rounding alone: a wei and a unit of one's own, a wei and a unit of the sale as a whole.
    assert all(
        Fraction(fill.charge - 1, fill.tokens + 1) * found.sold <= price * (found.sold + 1) + 1
        for price, fill in limited
    )


@given(case=cases(), data=st.data())
def test_i5_the_order_of_bids_changes_nothing(case: Case, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(case.bids))
    other = aggregate([bid.level for bid in shuffled], [bid.amount for bid in shuffled], case.levels)

    assert clear(other, case.terms) == cleared(case)


@given(case=cases(), level=st.integers(0, 255), parts=st.lists(st.integers(1, 10**26), min_size=2, max_size=5))
def test_i6_splitting_a_bid_at_one_level_gains_no_tokens_and_lowers_no_charge(
    case: Case, level: int, parts: list[int]
) -> None:
    level = (*range(case.levels), RETAIL)[level % (case.levels + 1)]
    found = cleared(case, *((level, part) for part in parts))
    whole, split = settle(level, sum(parts), found), [settle(level, part, found) for part in parts]

    assert found == cleared(case, (level, sum(parts)))
    assert sum(fill.tokens for fill in split) <= whole.tokens
    assert sum(fill.charge for fill in split) >= whole.charge


@given(case=cases(), level=st.integers(0, 255), amount=st.integers(1, 10**27))
def test_i7_one_more_bid_lowers_the_price_by_rounding_at_most(case: Case, level: int, amount: int) -> None:
    level = (*range(case.levels), RETAIL)[level % (case.levels + 1)]
    before, after = cleared(case), cleared(case, (level, amount))
    assume(not before.failed)

    # R/T may fall by one wei of quote and by one unit of tokens at most.
    assert Fraction(after.raised + 1, after.sold) >= Fraction(before.raised - 1, before.sold + 1)


@given(case=cases())
def test_i10_everybody_who_gets_tokens_pays_the_same_price(case: Case) -> None:
    found = by_model(case)
    got = [fill for _, fill in found.bids if fill.tokens]

    # tokens = floor(spent * T / R) with spent the charge or one wei less
    assert all(fill.tokens <= fill.charge * found.sold // found.raised for fill in got)
    assert all(fill.tokens >= (fill.charge - 1) * found.sold // found.raised for fill in got)


@given(case=cases(), lp_bps=st.integers(0, 10_000))
def test_the_pool_opens_at_the_clearing_price_and_within_the_reserve(case: Case, lp_bps: int) -> None:
    found = cleared(case)
    assume(not found.failed)
    quote, tokens = liquidity(found, lp_bps)

    assert tokens * found.raised <= quote * found.sold < (tokens + 1) * found.raised
    assert tokens <= case.sale * lp_bps // 10_000


def test_a_failed_sale_settles_every_bid_whole() -> None:
    assert settle(0, 5, FAILED) == settle(RETAIL, 5, FAILED)
    assert settle(0, 5, FAILED).refund == 5
