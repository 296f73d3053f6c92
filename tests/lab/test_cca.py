"""CCA-like auctions against numbers worked out by hand: 1000 tokens, ten blocks of a second, ticks of one quote."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from mercato.lab.mechanisms.book import Left
from mercato.lab.mechanisms.cca import MPS, Continuous, backloaded, linear
from mercato.lab.model import Q96


def auction(*, least: int = 0) -> Continuous:
    return Continuous(1_000, Q96, Q96, 1_000, linear(10), least)


def test_a_bid_alone_is_spent_evenly_at_the_price_that_buys_the_sale() -> None:
    book = auction()
    book.bid(0, 1, 4_000, 10 * Q96, retail=False)

    assert book.indicative(0) == (4 * Q96, 4_000)
    assert book.settle().bids == (Left(1, 4_000, 4_000, 1_000),)


def test_bids_pay_the_price_of_each_block_and_share_the_tick_that_sets_it() -> None:
    # 4000 alone clear at 4. From half time 2000 more count as 4000, and 8000 clear at 8, the second bid's limit. From
    # block 8 another 400 count as 2000: 6000 are above 8, and the tick's 4000 share the 2000 that remain.
    book = auction()
    book.bid(0, 1, 4_000, 10 * Q96, retail=False)
    book.bid(5_000, 2, 2_000, 8 * Q96, retail=False)
    before = book.indicative(5_000)
    book.bid(8_000, 3, 400, 20 * Q96, retail=False)
    found = book.settle()

    assert before == (8 * Q96, 6_000)
    assert found.bids == (Left(1, 4_000, 4_000, 750), Left(2, 2_000, 1_600, 200), Left(3, 400, 400, 50))
    assert (found.raised, found.sold, found.price) == (6_000, 1_000, 8 * Q96)


def test_a_bid_must_lie_above_the_price() -> None:
    book = auction()
    book.bid(0, 1, 4_000, 10 * Q96, retail=False)

    assert book.bid(1_000, 2, 100, 4 * Q96, retail=False) is None
    assert book.bid(1_000, 2, 100, 5 * Q96, retail=False) is not None
    assert book.bid(10_000, 3, 100, None, retail=False) is None


def test_an_outbid_bid_may_leave_with_what_it_bought_and_no_other_may() -> None:
    book = auction()
    book.bid(0, 1, 2_000, 4 * Q96, retail=False)
    book.bid(5_000, 2, 4_000, 16 * Q96, retail=False)

    assert book.cancel(5_500, 0) is None
    assert book.cancel(6_000, 1) is None
    assert book.cancel(6_000, 0) == Left(1, 2_000, 1_000, 500)
    assert book.whose(0) is None


def test_below_the_least_raise_everything_goes_back() -> None:
    book = auction(least=5_000)
    book.bid(0, 1, 4_000, 10 * Q96, retail=False)

    assert book.settle().bids == (Left(1, 4_000, 0, 0),)


def test_what_demand_does_not_buy_at_the_floor_stays_unsold() -> None:
    book = auction()
    book.bid(0, 1, 500, 10 * Q96, retail=False)
    found = book.settle()

    assert (found.raised, found.sold) == (500, 500)
    assert found.bids == (Left(1, 500, 500, 500),)


def test_schedules_sell_everything_in_the_blocks_there_are() -> None:
    day = 7_200

    assert linear(day).steps == ((1_388, 800), (1_389, 6_400))
    assert [sum(mps * blocks for mps, blocks in made(day).steps) for made in (linear, backloaded)] == [MPS, MPS]
    assert backloaded(day).blocks == day


def test_the_backloaded_schedule_is_the_makers_for_two_days_of_two_seconds() -> None:
    # Twelve equal parts of 70 % end at 86400 * (i / 12) ** (5/6) blocks; the first of them lasts 10894.
    steps = backloaded(86_401).steps

    assert steps[0] == (54, 10_894)
    assert [blocks for _, blocks in steps] == sorted((blocks for _, blocks in steps), reverse=True)
    assert (len(steps), steps[-1][1]) == (13, 1)
    assert 0.29 < steps[-1][0] / MPS < 0.31


@given(bids=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9_000), st.integers(2, 30)), min_size=1, max_size=9))
def test_it_is_the_auction_that_its_makers_describe_block_by_block(bids: list[tuple[int, int, int]]) -> None:
    bids.sort()
    book = auction()
    tickets = [book.bid(at * 1_000, who, amount, limit * Q96, False) for who, (at, amount, limit) in enumerate(bids)]
    found = {left.who: left for left in book.settle().bids}
    taken = [bid for bid, ticket in zip(bids, tickets, strict=True) if ticket is not None]
    expected = block_by_block(taken)

    assert len(found) == len(taken)
    for left, (spent, tokens) in zip(found.values(), expected, strict=True):
        assert spent - 2 <= left.charge <= spent + 2
        assert tokens - 2 <= left.tokens <= tokens  # each of two parts is rounded down


def block_by_block(bids: list[tuple[int, int, int]]) -> list[tuple[Fraction, Fraction]]:
    """Returns what each bid spends and gets where every block of ten sells 100 tokens, in fractions.

    A bid offers its money in equal parts to every block from its own on.
    """
    price, ends = Fraction(1), [(Fraction(0), Fraction(0)) for _ in bids]
    for block in range(10):
        offers = [Fraction(amount, 10 - at) if at <= block else Fraction(0) for at, amount, _ in bids]
        limits = [limit for _, _, limit in bids]
        price = max(price, *prices(offers, limits))
        above = sum(offer for offer, limit in zip(offers, limits, strict=True) if limit > price)
        level = sum(offer for offer, limit in zip(offers, limits, strict=True) if limit == price)
        part = min((100 * price - above) / level, Fraction(1)) if level else Fraction(0)
        for place, (offer, limit) in enumerate(zip(offers, limits, strict=True)):
            spent = offer * (limit > price) + offer * part * (limit == price)
            ends[place] = (ends[place][0] + spent, ends[place][1] + spent / price)
    return ends


def prices(offers: list[Fraction], limits: list[int]) -> tuple[Fraction, Fraction]:
    """Returns the highest limit that demand at or above it buys a block's tokens at, and what demand above it pays."""
    both = list(zip(offers, limits, strict=True))
    reached = [one for one in limits if sum(offer for offer, limit in both if limit >= one) >= 100 * one]
    highest = max(reached, default=0)
    return Fraction(highest), Fraction(sum(offer for offer, limit in both if limit > highest)) / 100
