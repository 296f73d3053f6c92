"""Ticks and ranges, and the mechanisms made of them: Clanker and Doppler."""

from __future__ import annotations

from collections import defaultdict

import pytest

from mercato.lab.mechanisms.clanker import Clanker, falling
from mercato.lab.mechanisms.doppler import RANGE_TICKS, Curve, Doppler
from mercato.lab.mechanisms.lbp import BootstrappingPool, out
from mercato.lab.mechanisms.ticks import Ranges, for_tokens, sqrt_at, tick_of
from mercato.lab.model import DOLLAR, HOUR, Q96
from tests.lab.mechanisms.traffic import ECONOMY


def test_square_roots_at_ticks_are_those_of_uniswap() -> None:
    # TickMath rounds up and carries 128 digits
    assert sqrt_at(0) == Q96
    assert sqrt_at(1) == 79_232_123_823_359_799_118_286_999_567
    assert sqrt_at(-1) == pytest.approx(79_224_201_403_219_477_170_569_942_574, rel=1e-18)
    assert [tick_of(sqrt) for sqrt in (Q96 - 1, Q96, 2 * Q96)] == [-1, 0, 13_863]


def test_a_range_sells_as_the_constant_product_it_is_a_part_of() -> None:
    ranges = Ranges(Q96, [(Q96, 2 * Q96, 1_000_000)])

    # L = 1,000,000 at price 1: 250,000 quote move the root to 1.25 and bring 1,000,000 * (1 - 1/1.25) tokens
    assert ranges.bought(250_000) == (200_000, 250_000, 5 * Q96 // 4)
    # all of it: the root ends at 2, for 1,000,000 quote and 500,000 tokens
    assert ranges.bought(1_500_000) == (500_000, 1_000_000, 2 * Q96)
    assert for_tokens(500_000, Q96, 2 * Q96) == 1_000_000


def test_a_purchase_walks_through_gaps_and_overlaps() -> None:
    ranges = Ranges(Q96, [(Q96, 2 * Q96, 100), (3 * Q96, 4 * Q96, 100), (3 * Q96, 6 * Q96, 100)])

    # 100 quote for 50 tokens up to 2, then L = 200 from 3 to 3.5: 200 * (1/3 - 1/3.5) = 9.52
    assert ranges.bought(200) == (59, 200, 7 * Q96 // 2)


def test_clankers_fee_falls_with_the_square_of_the_time_left() -> None:
    # 5 % and a quarter of 61.6777 % half way; a nine-hundredth of it in the last second
    assert [falling(left) for left in (30, 15, 1, 0)] == [666_777, 204_194, 50_685, 50_000]


def test_nobody_trades_clankers_pool_in_its_first_second() -> None:
    venue = Clanker(ECONOMY)
    venue.advance(999)
    first = venue.buy(1, 100 * DOLLAR)
    venue.advance(1_000)
    venue.buy(1, 100 * DOLLAR)

    # p = 13.3355 %: 11.766 % of 100 to Clanker, then 66.6777 % of the rest to the creator
    assert first == 0
    assert venue.ledger.fees["protocol"] == 11_766_392
    assert venue.ledger.fees["creator"] == pytest.approx(666_777 * (100_000_000 - 11_766_392) // 10**6, abs=1)


def test_clanker_starts_at_the_floor_and_takes_one_percent_in_the_end() -> None:
    venue = Clanker(ECONOMY)
    venue.advance(31_000)

    assert venue.price() == pytest.approx(ECONOMY.floor_q96, rel=1e-6)
    assert (venue.ladder.fee, venue.phase()) == (10_000, "pool")


def test_a_place_in_the_first_blocks_goes_to_the_highest_offer() -> None:
    venue = Clanker(ECONOMY, auctioned=True)
    venue.advance(4_000)
    assert venue.tip(1, 5 * DOLLAR)
    assert venue.tip(2, 7 * DOLLAR)

    assert venue.buy(3, 100 * DOLLAR) == 0
    assert venue.buy(1, 100 * DOLLAR) == 0
    assert venue.buy(2, 100 * DOLLAR) > 0
    assert venue.ledger.charged[2] == 107 * DOLLAR
    venue.advance(6_000)
    assert venue.buy(3, 100 * DOLLAR) == 0


def test_the_auction_of_places_ends_with_a_block_without_buyer() -> None:
    venue = Clanker(ECONOMY, auctioned=True)
    venue.advance(4_000)
    early = venue.buy(3, 100 * DOLLAR)
    venue.advance(6_000)

    # the fall began at deployment, six seconds ago
    assert early == 0
    assert venue.ladder.fee == falling(24)
    assert venue.buy(3, 100 * DOLLAR) > 0


def test_doppler_falls_to_its_floor_when_nobody_buys() -> None:
    curve = Curve(Q96, 24_000, 24, defaultdict(int))
    ticks = []
    for epoch in range(1, 24):
        curve.rebalance(epoch)
        ticks.append(curve.tick())

    # 960 ticks an hour of 23,040
    assert ticks == [RANGE_TICKS - 960 * epoch for epoch in range(1, 24)]


def test_doppler_falls_by_the_part_that_was_not_sold() -> None:
    curve = Curve(Q96, 24 * 10**21, 24, defaultdict(int))
    curve.sold = 10**21 // 4
    curve.proceeds = 2 * 10**21
    curve.rebalance(1)

    # three quarters of 960 ticks are 720
    assert curve.tick() == RANGE_TICKS - 720


def test_doppler_rises_when_sales_are_ahead() -> None:
    venue = Doppler(ECONOMY)
    venue.advance(0)
    venue.buy(1, 10**6 * DOLLAR)
    price, sold = venue.price(), venue.curve.sold
    venue.advance(HOUR)

    assert sold > venue.curve.expected(1)
    assert venue.curve.moved > 0
    assert venue.price() == pytest.approx(price, rel=1e-3)


def test_doppler_pays_everybody_back_below_its_minimum() -> None:
    venue = Doppler(ECONOMY, minimum=10**9 * DOLLAR)
    venue.advance(20 * HOUR)
    venue.buy(1, 1_000 * DOLLAR)
    venue.advance(24 * HOUR)

    assert (venue.phase(), venue.ledger.tokens[1]) == ("failed", 0)
    # all but the fee of 1 %
    assert venue.ledger.received[1] == pytest.approx(990 * DOLLAR, abs=2)


def test_dopplers_pool_opens_with_all_proceeds_at_the_last_price() -> None:
    venue = Doppler(ECONOMY)
    venue.advance(20 * HOUR)
    venue.buy(1, 100_000 * DOLLAR)
    venue.advance(24 * HOUR - 1)
    price = venue.price()
    venue.advance(24 * HOUR)

    assert venue.phase() == "pool"
    assert venue.price() == pytest.approx(price, rel=1e-9)
    assert (venue.reserves() or (0, 0))[0] == venue.raised


def test_weighted_balances_trade_by_the_ratio_of_their_weights() -> None:
    # equal weights are a constant product: 1001 * (1 - 100/125) = 200.2
    assert out(100, 1, 1_001, 1, 25) == 200
    # 4e26 * (1 - (10/11)**(1/9)) = 4213657254503726710330571.18
    assert out(10**12, 10**17, 4 * 10**26, 9 * 10**17, 10**11) == 4_213_657_254_503_726_710_330_571
    assert out(100, 1, 1_000, 1, 31) == 0


def test_the_bootstrapping_pool_falls_eighty_one_fold_without_buyers() -> None:
    venue = BootstrappingPool(ECONOMY)
    venue.advance(0)
    start = venue.price()
    venue.advance(12 * HOUR)
    middle = venue.price()
    venue.advance(24 * HOUR - 1)

    # weights 90/10, 50/50, 10/90: 9 to 1 and 81 to 1
    assert start == pytest.approx(2 * ECONOMY.high * Q96 // ECONOMY.supply, rel=1e-6)
    assert start / middle == pytest.approx(9, rel=1e-6)
    assert start / venue.price() == pytest.approx(81, rel=1e-3)


def test_the_bootstrapping_pool_leaves_three_quarters_of_its_raise_in_its_successor() -> None:
    venue = BootstrappingPool(ECONOMY)
    venue.advance(20 * HOUR)
    venue.buy(1, 10_000 * DOLLAR)
    venue.advance(24 * HOUR)

    assert (venue.phase(), venue.raised) == ("pool", 10_000 * DOLLAR)
    assert (venue.reserves() or (0, 0))[0] == 7_500 * DOLLAR
