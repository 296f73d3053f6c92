"""The pool's contract does what its model says, to the wei, whatever the reserves and the trades are."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mercato.chains import Reverted
from mercato.launch.pool import Pool, Shares
from tests.contracts.pools import MOST, opened
from tests.profiles import examples

RESERVES = st.one_of(st.integers(1, 10**6), st.integers(10**9, 10**27), st.integers(1, 2**111))
SHARES = st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)).filter(lambda pair: sum(pair) <= 10_000)
TRADES = st.lists(st.tuples(st.booleans(), st.integers(1, 10**27), st.integers(0, 2_000)), min_size=1, max_size=8)


def fits(pool: Pool, buys: bool, amount: int, now: int) -> bool:
    """Whether the pool can do a trade: something comes out, and the reserves stay in range."""
    reserve = pool.quote if buys else pool.token
    return reserve + amount <= MOST and (pool.buy(amount, now) if buys else pool.sell(amount, now)).received > 0


@given(RESERVES, RESERVES, SHARES, TRADES)
@settings(max_examples=examples(60))
def test_the_contract_agrees_with_the_model(
    token: int, quote: int, shares: tuple[int, int], trades: list[tuple[bool, int, int]]
) -> None:
    bench = opened(token, quote, Shares(*shares))
    for buys, amount, seconds in trades:
        bench.chain.mine(seconds=seconds + 1)
        amount = min(amount, max(bench.model.quote if buys else bench.model.token, 1) * 1_000)
        product = bench.model.token * bench.model.quote
        possible = fits(bench.model, buys, amount, bench.chain.time() + 1)
        quoted = bench.pool.read("quote_buy" if buys else "quote_sell", amount)
        at = bench.chain.time()
        shown = bench.model.buy(amount, at) if buys else bench.model.sell(amount, at)

        assert quoted == (shown.received, shown.fee)
        for _ in range(possible):
            trade, received = bench.trade(buys, amount)

            assert received == trade.received
        assert bench.reserves == (bench.model.token, bench.model.quote)
        assert bench.pool.read("owed") == tuple(bench.owed)
        assert bench.model.token * bench.model.quote >= product
        assert bench.pool.read("price") == bench.model.price


@given(st.integers(10**6, 2**100), st.integers(10**6, 2**100), st.booleans(), st.integers(1, 2**90))
@settings(max_examples=examples(30))
def test_a_trade_below_its_limit_is_refused_and_at_it_done(token: int, quote: int, buys: bool, amount: int) -> None:
    bench = opened(token, quote)
    now = bench.chain.time() + 1
    out = (bench.model.buy(amount, now) if buys else bench.model.sell(amount, now)).received

    assume(out > 0)
    mark = bench.chain.snapshot()
    _, received = bench.trade(buys, amount, min_out=out)
    bench.chain.revert(mark)

    assert received == out
    with pytest.raises(Reverted, match="pool: too little out"):
        bench.trade(buys, amount, min_out=out + 1)


@given(st.integers(10**9, 10**30), st.integers(10**6, 10**18), st.integers(1, 10**15), st.integers(0, 4_000))
def test_buying_and_selling_back_loses_at_least_both_fees(token: int, quote: int, paid: int, age: int) -> None:
    pool = Pool(token, quote, 0)
    bought = pool.buy(paid, age)
    back = bought.pool.sell(bought.received, age) if bought.received else bought

    assert back.received * (10**6) <= paid * (10**6 - pool.fee_ppm(age)) or not bought.received


@given(st.integers(10**9, 10**30), st.integers(10**6, 10**18), st.booleans(), st.integers(10**3, 10**15))
def test_a_larger_trade_has_a_larger_impact(token: int, quote: int, buys: bool, amount: int) -> None:
    pool = Pool(token, quote, 0)
    trades = [pool.buy(size, 10_000) if buys else pool.sell(size, 10_000) for size in (amount, 2 * amount)]
    small, large = (trade.impact_ppm(pool) for trade in trades)

    # What rounding takes from the trader weighs more in the small one: a unit of the fee and one of what comes out.
    slack = 3 * 10**6 // max(min(trades[0].received, amount), 1) + 3
    assert small >= 0
    assert large >= small - slack or not trades[0].received
