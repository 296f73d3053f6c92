"""EasyAuction-like batches against numbers worked out by hand. Prices are small: one token wei for some quote."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from mercato.lab.mechanisms.book import Left
from mercato.lab.mechanisms.easyauction import Batch
from mercato.lab.model import Q96

END = 1_000


def batch(*orders: tuple[int, int, float], sale: int = 100, least_raise: int = 50) -> Batch:
    """Returns a batch with orders placed: who, quote, limit."""
    book = Batch(sale, least_raise * Q96 // sale, least=0, closes=END)
    for who, amount, limit in orders:
        assert book.bid(0, who, amount, int(limit * 4) * Q96 // 4, retail=False) is not None
    return book


def test_the_order_at_the_margin_sets_the_price_and_is_filled_in_part() -> None:
    # 150 at 3 and 120 at 2: at 2 the first one buys 75 of 100, so the second gets 25 for 50.
    found = batch((1, 150, 3), (2, 120, 2), (3, 90, 1.5)).settle()

    assert (found.raised, found.sold) == (200, 100)
    assert found.bids == (Left(1, 150, 150, 75), Left(2, 120, 50, 25), Left(3, 90, 0, 0))


def test_the_price_lies_between_two_orders_where_the_lower_one_is_not_needed() -> None:
    found = batch((1, 150, 3), (2, 40, 1)).settle()

    assert found.bids == (Left(1, 150, 150, 100), Left(2, 40, 0, 0))
    assert found.lp_tokens(75) == 50


def test_all_orders_together_set_the_price_where_they_buy_more_than_the_initial_one() -> None:
    assert batch((1, 60, 3)).settle().bids == (Left(1, 60, 60, 100),)


def test_tokens_stay_unsold_at_the_initial_price() -> None:
    found = batch((1, 30, 3)).settle()

    assert (found.raised, found.sold) == (30, 60)
    assert found.bids == (Left(1, 30, 30, 60),)


def test_of_equal_prices_the_smaller_order_stands_first() -> None:
    # Both want 2 quote a token; the smaller one is filled whole, the larger one gets what is left.
    found = batch((1, 400, 2), (2, 80, 2)).settle()

    assert found.bids == (Left(2, 80, 80, 40), Left(1, 400, 120, 60))


def test_orders_at_or_below_the_initial_price_or_twice_the_same_are_refused() -> None:
    book = batch((1, 100, 2))

    assert book.bid(0, 2, 100, Q96 // 2, retail=False) is None
    assert book.bid(0, 1, 100, 2 * Q96, retail=False) is None
    assert book.bid(END, 2, 100, 2 * Q96, retail=False) is None


def test_orders_are_firm() -> None:
    book = batch((1, 100, 2))

    assert book.cancel(1, 0) is None
    assert not book.raise_bid(1, 0, 50, 3 * Q96)


def test_the_price_so_far_is_the_one_that_settles() -> None:
    book = batch((1, 150, 3))
    before = book.indicative(0)
    book.bid(0, 2, 120, 2 * Q96, retail=False)

    assert before == (150 * Q96 // 100, 150)
    assert book.indicative(0) == (2 * Q96, 200)


@given(orders=st.lists(st.tuples(st.integers(40, 400), st.integers(3, 24)), min_size=1, max_size=12, unique=True))
def test_orders_above_the_price_are_filled_and_those_below_are_not(orders: list[tuple[int, int]]) -> None:
    book = batch(*((who, amount, limit / 4) for who, (amount, limit) in enumerate(orders)))
    price = Fraction(book.indicative(0)[0], Q96)
    found = book.settle()
    limits = {left: Fraction(orders[left.who][1], 4) for left in found.bids}
    slack = Fraction(1, 2**90)  # the price that is shown is rounded down

    assert all(left.charge == left.escrow for left, limit in limits.items() if wanted(left, limit) > price + slack)
    assert all(left.charge == 0 for left, limit in limits.items() if wanted(left, limit) < price)
    assert sum(left.tokens for left in found.bids) <= found.sold <= 100
    assert sum(left.charge for left in found.bids) >= found.raised >= found.sold // 2


def wanted(left: Left, limit: Fraction) -> Fraction:
    """Returns the price of an order as it is kept: its quote by the tokens that it wants, a whole number."""
    return left.escrow / Fraction(-(-left.escrow // limit))
