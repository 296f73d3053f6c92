"""Each maker's rules against numbers worked out by hand from the sources that the modules name."""

from __future__ import annotations

from collections import defaultdict

import pytest

from mercato.lab.mechanisms.meteora import LIMITER_MS, Meteora, limited
from mercato.lab.mechanisms.pump import SOLD, VIRTUAL_TOKENS, Curve, Pump, PumpSwap
from mercato.lab.mechanisms.virtuals import Taxed, Virtuals
from mercato.lab.model import DOLLAR, HOUR, MINUTE
from tests.lab.mechanisms.traffic import ECONOMY

SOL = 10**9
#: Tokens have six decimals on Solana.
MILLION = 10**12


def test_a_first_purchase_of_one_sol_gives_what_the_program_gives() -> None:
    fees = defaultdict[str, int](int)
    curve = Curve(30 * SOL, 1_073 * MILLION, 793_100_000 * 10**6, fees)

    # net 987,654,320; fees 9,382,717 + 2,962,963; 987,654,319 * 1.073e15 / 30,987,654,319
    assert curve.buy(SOL, 0, 0) == (34_199_203_120_618, SOL)
    assert curve.held() == (987_654_320, 0)
    assert sum(fees.values()) == 12_345_680


def test_pump_graduates_at_its_raise_and_at_the_curves_price() -> None:
    pump = Pump(ECONOMY)
    pump.advance(0)
    bought = pump.buy(1, 10 * ECONOMY.raise_target)
    end = ECONOMY.raise_target * VIRTUAL_TOKENS * 2**96 // (SOLD * (VIRTUAL_TOKENS - SOLD))

    assert (bought, pump.phase()) == (SOLD, "pool")
    assert abs(pump.raised - ECONOMY.raise_target) <= 2
    assert pump.ledger.charged[1] == pytest.approx(pump.raised * 1.0125, abs=3)
    assert pump.held() == (pump.raised, 206_900_000 * 10**18)
    assert pump.price() == pytest.approx(end, rel=1e-4)


def test_pumpswap_takes_less_at_higher_capitalisations() -> None:
    def total(sol: int) -> int:
        return sum(PumpSwap(sol * SOL, 10**15, 0, defaultdict(int), SOL, 10**15).rates())

    assert [total(sol) for sol in (100, 419, 420, 1_470, 9_820)] == [12_500, 12_500, 12_000, 11_500, 9_500]


def test_the_limiter_charges_each_reference_amount_more() -> None:
    # 1 % + 2 % + 3 % + half of 4 % of a SOL, rounded up twice; 1 % to 99 % = 49.5 SOL, and 101 SOL at 99 %
    assert limited(SOL, SOL) == 10_000_000
    assert limited(3_500_000_000, SOL) == 80_000_001
    assert limited(200 * SOL, SOL) == 149_490_000_000


def test_the_limiter_ends_after_an_hour_and_never_meets_sales() -> None:
    venue = Meteora(ECONOMY)
    venue.advance(LIMITER_MS)
    early = venue.quote(ECONOMY.raise_target // 10)
    venue.advance(LIMITER_MS + 1)
    late = venue.quote(ECONOMY.raise_target // 10)

    # 8.5 reference amounts: 1 % to 8 % and half of 9 %, 40.5 % of one, are 4.76 % of the whole; 1 % later
    assert early < late
    assert venue.buy(1, ECONOMY.raise_target // 10) == late
    assert venue.ledger.fees["protocol"] == ECONOMY.raise_target // 10 // 100 * 6 // 10


def test_meteora_opens_its_pool_with_a_fifth_of_the_supply_at_the_curves_price() -> None:
    venue = Meteora(ECONOMY)
    venue.advance(2 * HOUR)
    bought = venue.buy(1, 2 * ECONOMY.raise_target)
    target = ECONOMY.raise_target

    assert bought == pytest.approx(8 * ECONOMY.supply // 10, rel=1e-6)
    assert venue.phase() == "pool"
    assert venue.raised == pytest.approx(target, rel=1e-6)
    assert venue.price() == pytest.approx(5 * target * 2**96 // ECONOMY.supply, rel=1e-5)


def test_half_of_virtuals_window_leaves_half_of_a_purchase() -> None:
    curve = Taxed(6_300 * 10**18, 10**27, MINUTE, defaultdict(int))

    # floor(99 * 30 / 60) = 49 and 1 percent: 50 of 100 count; 1e27 * 50 / 6,350, rounded up as the pair does
    assert [curve.sniper_percent(at) for at in (0, 1_000, 30_000, 59_000, 60_000)] == [98, 97, 49, 1, 0]
    assert curve.buy(100 * 10**18, 30_000, 0) == (7_874_015_748_031_496_062_992_126, 100 * 10**18)
    assert curve.held()[0] == 99 * 10**18
    assert curve.vault == 49 * 10**18


def test_virtuals_graduates_only_once_the_window_is_over() -> None:
    venue = Virtuals(ECONOMY, 98 * MINUTE)
    venue.advance(97 * MINUTE)
    venue.buy(1, 2 * ECONOMY.raise_target)
    early = venue.phase()
    venue.advance(98 * MINUTE)
    venue.buy(1, DOLLAR)

    assert (early, venue.phase()) == ("primary", "pool")
    assert venue.raised > ECONOMY.raise_target


def test_virtuals_pool_opens_at_the_curves_price() -> None:
    venue = Virtuals(ECONOMY, MINUTE)
    venue.advance(HOUR)
    venue.buy(1, 99 * ECONOMY.raise_target // 100)
    before = venue.price()
    venue.buy(1, 3 * ECONOMY.raise_target // 100)

    # 42,000 real beside 6,300 virtual, 48,300 in all, leave 6,300/48,300 of the supply, of which 42,000/48,300 pair
    assert venue.phase() == "pool"
    assert before < venue.price() < before * 110 // 100
    assert venue.held()[1] == pytest.approx(ECONOMY.supply * 6_300 // 48_300, rel=0.02)


def test_snipers_taxes_buy_back_for_the_team_over_a_day() -> None:
    venue = Virtuals(ECONOMY, MINUTE)
    venue.advance(0)
    venue.buy(1, 1_000 * DOLLAR)
    taxed = venue.curve.vault
    venue.advance(MINUTE + 12 * HOUR)
    half = venue.curve.vault
    venue.advance(MINUTE + 24 * HOUR)

    assert taxed == 980 * DOLLAR
    assert half == pytest.approx(taxed // 2, rel=0.03)
    assert venue.curve.vault == 0
    assert venue.idle[1] > 0
