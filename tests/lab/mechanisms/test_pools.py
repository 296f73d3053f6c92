"""The pools: ours equal to the contract's model to the wei, the others against numbers worked out by hand."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from mercato.lab.mechanisms.pool import OwnPool, QuoteFees, Rates, V2Pool
from mercato.launch.pool import Pool

SIZES = st.integers(10**6, 10**14)


@given(
    quote=st.integers(10**12, 10**14),
    tokens=st.integers(10**24, 10**27),
    trades=st.lists(st.tuples(st.booleans(), SIZES, st.integers(0, 10**6)), max_size=30),
)
def test_our_pool_trades_as_the_contracts_model_does(
    quote: int, tokens: int, trades: list[tuple[bool, int, int]]
) -> None:
    model, fees = Pool(tokens, quote, 5), defaultdict[str, int](int)
    pool = OwnPool(quote, tokens, 5_000, fees)
    now, creator, treasury = 5_000, 0, 0
    for buys, size, wait in trades:
        now += wait
        given = size if buys else size * 10**12
        trade = model.buy(size, now // 1_000) if buys else model.sell(given, now // 1_000)
        got = pool.buy(size, now, 0)[0] if buys else pool.sell(given, now, 0)
        assert got == trade.received
        model, creator, treasury = trade.pool, creator + trade.to_creator, treasury + trade.to_treasury

    assert pool.held() == (model.quote, model.token)
    assert (fees["creator"], fees["protocol"]) == (creator, treasury)


def test_our_pool_takes_five_percent_at_first_and_one_after_half_an_hour() -> None:
    pool = OwnPool(10**9, 10**21, 0, defaultdict(int))

    assert [pool.fee_ppm(at) for at in (0, 900_000, 1_799_000, 1_800_000)] == [50_000, 30_000, 10_022, 10_000]


def test_a_v2_pair_keeps_three_in_a_thousand_of_what_is_paid_in() -> None:
    pool = V2Pool(1_000_000, 1_000_000, 0, defaultdict(int))

    # 1000 * 0.997 = 997 in; 1,000,000 * 997 / 1,000,997 = 996.006...
    assert pool.buy(1_000, 0, 0) == (996, 1_000)
    assert pool.held() == (1_001_000, 999_004)


def test_a_taxed_v2_pair_gives_the_tax_away() -> None:
    fees = defaultdict[str, int](int)
    pool = V2Pool(1_000_000, 1_000_000, 0, fees, tax_ppm=10_000)

    # 990 reach the pair, of which 987.03 count; 1,000,000 * 987.03 / 1,000,987.03 = 986.05...
    assert pool.buy(1_000, 0, 0) == (986, 1_000)
    assert (fees["creator"], pool.held()[0]) == (10, 1_000_990)


def test_fees_in_quote_are_on_top_of_a_purchase_and_off_a_sale() -> None:
    fees = defaultdict[str, int](int)
    pool = QuoteFees(1_000_000, 1_000_000, 0, fees, Rates(10_000, 20_000, 30_000))

    # 106,000 = 100,000 net + 1,000 + 2,000 + 3,000, and 3,000 stay; 1,000,000 * 100,000 / 1,100,000
    assert pool.buy(106_000, 0, 0) == (90_909, 106_000)
    assert (dict(fees), pool.held()) == ({"protocol": 1_000, "creator": 2_000}, (1_103_000, 909_091))


def test_liquidity_that_joins_leaves_with_its_part_of_the_fees() -> None:
    pool = V2Pool(1_000_000, 1_000_000, 0, defaultdict(int))
    taken = pool.join(1_000_000, 1_000_000, who=3)
    pool.buy(100_000, 0, 0)
    quote, tokens = pool.leave(3)

    assert taken == 1_000_000
    # 99,700 of 2,000,000 + 99,700 count: 94,965 go out, and half of 2,100,000 and of 1,905,035 is the giver's
    assert (quote, tokens) == (1_050_000, 952_517)
    assert pool.leave(3) == (0, 0)
