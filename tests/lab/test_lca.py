"""The level clearing auction of the lab: its rules of time and tranche, its variants, all worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.lab.mechanisms.book import Left
from mercato.lab.mechanisms.discount import Discounted
from mercato.lab.mechanisms.lca import Levels, Rules, Sums
from mercato.lab.mechanisms.variants import Elastic, EqualShare
from mercato.launch.clearing import BPS, LEVELS, Q96

#: Sells 1000 tokens from a quote each upwards, 250 of them to retail; locks after 10,000 s, closes after 14,000 s.
RULES = Rules(1_000, Q96, 250, 300, raise_min=0, least=10, locks=10_000, closes=14_000)
LAST = 13_999_000


def level(number: int) -> int:
    """Returns a limit between a level's price and the next one."""
    return int(Q96 * (BPS + 200) ** number // BPS**number) + 2**80


def test_retail_takes_its_part_and_the_floor_is_shared_pro_rata() -> None:
    # 600 above the floor, 250 for retail: 150 are left for the 400 that were bid at the floor.
    book = Levels(RULES)
    book.bid(0, 1, 600, level(2), retail=False)
    book.bid(0, 2, 400, Q96, retail=False)
    book.bid(0, 3, 300, None, retail=True)
    found = book.settle()

    assert (found.raised, found.sold) == (1_000, 1_000)
    assert found.bids == (Left(1, 600, 600, 600), Left(2, 400, 150, 150), Left(3, 300, 250, 250))


def test_a_bid_improves_to_a_higher_level_and_grows_there() -> None:
    book = Levels(RULES)
    book.bid(0, 1, 600, Q96, retail=False)

    assert book.raise_bid(LAST, 0, 100, level(2))
    assert not book.raise_bid(LAST, 0, 0, Q96)
    assert book.raise_bid(LAST, 0, 50, None)
    assert book.settle().bids == (Left(1, 750, 750, 750),)


def test_bids_may_leave_until_the_lock_and_not_after_it() -> None:
    book = Levels(RULES)
    book.bid(0, 1, 600, Q96, retail=False)
    book.bid(0, 2, 200, None, retail=True)

    assert book.cancel(9_999_999, 0) == Left(1, 600, 0, 0)
    assert book.cancel(10_000_000, 1) is None
    assert book.whose(0) is None
    assert not book.raise_bid(LAST, 0, 100, None)


def test_one_identity_gets_no_more_into_the_tranche_than_its_cap() -> None:
    book = Levels(RULES)

    assert book.bid(0, 1, 301, None, retail=True) is None
    assert book.bid(0, 1, 200, None, retail=True) == 0
    assert not book.raise_bid(0, 0, 101, None)
    assert book.raise_bid(0, 0, 100, None)


@pytest.mark.parametrize(
    ("at", "amount", "limit"), [(0, 9, None), (0, 100, Q96 - 1), (-1, 100, None), (14_000_000, 100, None)]
)
def test_small_low_early_and_late_bids_are_refused(at: int, amount: int, limit: int | None) -> None:
    assert Levels(RULES).bid(at, 1, amount, limit, retail=False) is None


def test_a_large_late_bid_extends_the_window_two_hours_at_most() -> None:
    book = Levels(RULES)
    book.bid(0, 1, 10_000, Q96, retail=False)
    book.bid(LAST, 2, 100, Q96, retail=False)
    small = book.closes
    ends = [(book.bid(book.closes - 1_000, 3, 1_000, Q96, retail=False), book.closes)[1] for _ in range(20)]

    assert small == 14_000_000
    assert ends[:2] == [14_600_000, 15_200_000]
    assert ends[-1] == 14_000_000 + 7_200_000


def test_without_soft_close_the_end_stays() -> None:
    from dataclasses import replace

    book = Levels(replace(RULES, soft_close=False))
    book.bid(LAST, 2, 100, Q96, retail=False)

    assert book.closes == 14_000_000


def test_equal_share_fills_small_retail_bids_whole_before_large_ones_get_more() -> None:
    # 250 for 60, 200 and 300: everybody gets 60, then the two others 95 each.
    book = EqualShare(RULES)
    book.bid(0, 1, 1_000, Q96, retail=False)
    for who, amount in ((2, 60), (3, 200), (4, 300)):
        book.bid(0, who, amount, None, retail=True)
    lefts = book.settle().bids

    assert [left.tokens for left in lefts] == [750, 60, 95, 95]
    assert [left.charge for left in lefts] == [750, 60, 96, 96]


def test_elastic_supply_sells_more_at_a_higher_price() -> None:
    # 2000 buy 1000 * 1.14 tokens at level 28 (1.741 each), and not 1000 * 1.145 at level 29 (1.776 each).
    book = Elastic(RULES)
    book.bid(0, 1, 2_000, None, retail=False)

    assert book.settle().bids == (Left(1, 2_000, 2_000, 1_140),)


def test_elastic_supply_stops_at_the_price_of_the_level_above() -> None:
    # 1018 do not buy the 1005 tokens of level 1 (1.02 each), and more than 1000 at that price: just what it buys.
    from dataclasses import replace

    book = Elastic(replace(RULES, sale=10_000, retail_cap=0))
    book.bid(0, 1, 10_230, level(1), retail=False)
    book.bid(0, 2, 5_000, Q96, retail=False)
    found = book.settle()

    assert found.bids == (Left(1, 10_230, 10_230, 10_029), Left(2, 5_000, 0, 0))
    assert found.raised * 10_000 <= found.sold * 10_200 + 10_200


def test_identities_buy_at_a_discount_beside_the_competitive_bids() -> None:
    # 80 at 0.8 buy 100 of 1000; of the other 900 the 600 above the floor are filled, so 300 are left for 400.
    book = Discounted(RULES, off_bps=2_000)
    book.bid(0, 1, 600, level(2), retail=False)
    book.bid(0, 2, 400, Q96, retail=False)
    book.bid(0, 3, 80, Q96 * 8 // 10, retail=True)
    found = book.settle()

    assert found.bids == (Left(1, 600, 600, 600), Left(2, 400, 300, 300), Left(3, 80, 80, 100))
    assert (found.raised, found.sold, found.price) == (980, 1_000, Q96)
    assert book.indicative(0) == (Q96, 980)


def test_identities_share_their_part_equally() -> None:
    # 250 tokens at a half cost 125, which 25, 60 and 300 share as 25, 50 and 50.
    book = Discounted(RULES, off_bps=5_000)
    book.bid(0, 1, 750, Q96, retail=False)
    for who, amount in ((2, 25), (3, 60), (4, 300)):
        book.bid(0, who, amount, None, retail=True)

    assert book.settle().bids[1:] == (Left(2, 25, 25, 50), Left(3, 60, 51, 100), Left(4, 300, 51, 100))


def test_identities_pay_no_more_than_their_limit() -> None:
    # Where they buy 200 tokens, 930 pay more than 1.02 for the rest: so all of it is bought at 1.02, which is too dear.
    book = Discounted(RULES, off_bps=2_000)
    book.bid(0, 1, 930, level(1), retail=False)
    book.bid(0, 2, 160, Q96 * 8 // 10, retail=True)

    assert book.settle().bids == (Left(1, 930, 930, 911), Left(2, 160, 0, 0))


@given(bids=st.lists(st.tuples(st.integers(0, 60), st.integers(10, 900), st.booleans()), max_size=25))
def test_nobody_pays_above_a_limit_beside_a_discount(bids: list[tuple[int, int, bool]]) -> None:
    book = Discounted(RULES, off_bps=2_000)
    for who, (number, amount, retail) in enumerate(bids):
        book.bid(0, who, min(amount, 300) if retail else amount, level(number), retail)
    found = book.settle()
    cheap = [left.tokens for left in found.bids if bids[left.who][2]]

    assert all((left.charge - 2) * Q96 <= (left.tokens + 1) * level(bids[left.who][0]) for left in found.bids)
    assert sum(cheap) <= RULES.retail_cap
    assert sum(left.tokens for left in found.bids) <= found.sold <= RULES.sale
    assert sum(left.charge for left in found.bids) >= found.raised


def test_an_identity_takes_its_bid_back_and_bids_again_up_to_its_cap() -> None:
    book = Discounted(RULES, off_bps=2_000)

    assert book.bid(0, 1, 300, None, retail=True) == 0
    assert book.bid(0, 1, 10, None, retail=True) is None
    assert not book.raise_bid(0, 0, 0, level(5))
    assert book.cancel(0, 0) == Left(1, 300, 0, 0)
    assert book.bid(0, 1, 300, Q96 * 8 // 10, retail=True) == 1


@given(bids=st.lists(st.tuples(st.integers(0, 300), st.integers(10, 3_000), st.booleans()), max_size=30))
def test_the_price_so_far_is_that_of_the_contracts_model(bids: list[tuple[int, int, bool]]) -> None:
    book = Levels(RULES)
    for who, (number, amount, retail) in enumerate(bids):
        book.bid(0, who, amount, level(number), retail)

    assert book.found() == book.final()


@given(numbers=st.lists(st.tuples(st.integers(0, LEVELS - 1), st.integers(0, 2**100)), max_size=20))
def test_sums_are_those_of_the_numbers(numbers: list[tuple[int, int]]) -> None:
    sums = Sums(LEVELS)
    for number, amount in numbers:
        sums.add(number, amount)

    assert [sums.from_level(number) for number in range(LEVELS + 1)] == [
        sum(amount for at, amount in numbers if at >= number) for number in range(LEVELS + 1)
    ]
    assert sum(sums.each()) == sums.from_level(0)
