"""The pool: its fee over time, its limits, its average price, and what nobody can do to it."""

import pytest

from mercato.chains import Reverted
from mercato.launch.clearing import Q96
from tests.contracts.compiled import hostile
from tests.contracts.house import CREATOR, CURATOR, FOREVER, PEOPLE, TREASURY, House, made
from tests.contracts.pools import MOST, SALT, TRADER, Bench, opened, prepared

TOKENS, DOLLARS = 300_000_000 * 10**18, 22_500 * 10**6
ONE = 10**6


@pytest.fixture
def bench() -> Bench:
    return opened(TOKENS, DOLLARS)


@pytest.mark.parametrize(
    ("age", "fee"), [(1, 49_977), (900, 30_000), (1_799, 10_022), (1_800, 10_000), (10**8, 10_000)]
)
def test_the_fee_falls_from_five_to_one_percent_in_thirty_minutes(bench: Bench, age: int, fee: int) -> None:
    assert bench.pool.read("fee_ppm") == bench.model.fee_ppm(bench.model.opened) == 50_000

    bench.chain.mine(seconds=age)

    assert bench.pool.read("fee_ppm") == bench.model.fee_ppm(bench.chain.time()) == fee


def test_what_early_trades_pay_above_the_base_fee_stays_in_the_liquidity(bench: Bench) -> None:
    trade, _ = bench.trade(True, 1_000 * ONE)

    assert trade.fee > 49_900_000
    assert bench.pool.read("owed") == (4 * ONE, 2 * ONE)
    assert bench.reserves[1] == DOLLARS + 994 * ONE


@pytest.mark.parametrize("function", ["buy", "sell"])
def test_a_trade_after_its_deadline_is_refused(bench: Bench, function: str) -> None:
    with pytest.raises(Reverted, match="pool: too late"):
        bench.pool.send(function, ONE, 0, bench.chain.time(), TRADER, sender=TRADER)


@pytest.mark.parametrize("function", ["buy", "sell"])
def test_the_pool_cannot_be_paid_its_own_reserves(bench: Bench, function: str) -> None:
    with pytest.raises(Reverted, match="pool: bad receiver"):
        bench.pool.send(function, ONE, 0, FOREVER, bench.pool.address, sender=TRADER)


@pytest.mark.parametrize("function", ["buy", "sell"])
def test_a_trade_of_nothing_is_refused(bench: Bench, function: str) -> None:
    with pytest.raises(Reverted, match="pool: too little out"):
        bench.pool.send(function, 0, 0, FOREVER, TRADER, sender=TRADER)


@pytest.mark.parametrize("function", ["buy", "sell"])
def test_a_trade_beyond_the_range_is_refused(bench: Bench, function: str) -> None:
    with pytest.raises(Reverted, match="out of range"):
        bench.pool.send(function, MOST + 1, 0, FOREVER, TRADER, sender=TRADER)


def test_a_pool_is_prepared_and_opened_once(bench: Bench) -> None:
    with pytest.raises(Reverted, match="pool: prepared already"):
        bench.pool.send("prepare", bench.token.address, CREATOR, sender=CURATOR)
    with pytest.raises(Reverted, match="pool: open already, or not prepared"):
        bench.pool.send("open", SALT, 1, 1, sender=CURATOR)


def test_the_shared_code_is_no_pool() -> None:
    house = House()

    with pytest.raises(Reverted, match="pool: prepared already"):
        house.pool_code.send("prepare", house.dollar.address, CREATOR, sender=CURATOR)
    with pytest.raises(Reverted, match="pool: open already, or not prepared"):
        house.pool_code.send("open", SALT, 1, 1, sender=CURATOR)
    with pytest.raises(Reverted, match="pool: not open"):
        house.pool_code.send("buy", ONE, 0, FOREVER, TRADER, sender=TRADER)


def test_only_whoever_made_a_pool_opens_it(bench: Bench) -> None:
    maker, thief = (hostile(bench.chain, "pool_maker") for _ in range(2))
    code = made(bench.chain, "pool", bench.quote.address, TREASURY, 4_000, 2_000).address
    pool = prepared(maker, code, bench.token.address)
    for token in (bench.token, bench.quote):
        token.send("faucet", pool.address, 10, sender=CURATOR)

    for sender, salt in ((thief, SALT), (maker, b"\x01" * 32)):
        with pytest.raises(Reverted, match="pool: not its maker"):
            sender.send("open", pool.address, salt, 10, 10, sender=CURATOR)
    with pytest.raises(Reverted, match="pool: not open"):
        pool.send("buy", 1, 0, FOREVER, TRADER, sender=TRADER)
    assert (pool.read("token"), pool.read("opened_at")) == (bench.token.address, 0)

    maker.send("open", pool.address, SALT, 10, 10, sender=CURATOR)
    assert pool.read("reserves") == (10, 10)


@pytest.mark.parametrize(
    ("tokens", "quote", "reason"),
    [(0, 1, "range"), (1, 0, "range"), (2**112, 1, "range"), (1, 1, "tokens missing")],
)
def test_a_pool_opens_only_with_what_it_holds(bench: Bench, tokens: int, quote: int, reason: str) -> None:
    maker = hostile(bench.chain, "pool_maker")
    code = made(bench.chain, "pool", bench.quote.address, TREASURY, 4_000, 2_000).address
    pool = prepared(maker, code, bench.token.address)

    with pytest.raises(Reverted, match=reason):
        maker.send("open", pool.address, SALT, tokens, quote, sender=CURATOR)


def test_nothing_takes_liquidity_out(bench: Bench) -> None:
    names = {part.get("name") for part in bench.pool.interface.abi if part.get("stateMutability") == "nonpayable"}

    assert names - {None} == {
        "prepare", "open", "buy", "sell", "deepen", "sweep", "claim_creator_fees", "claim_treasury_fees",
    }  # fmt: skip
    assert bench.pool.read("locker") == bench.pool.address


def test_gifts_change_no_price_and_are_swept_away(bench: Bench) -> None:
    """A gift of quote is booked for the treasury; gifts of the agent's token burn, here they are of another kind."""
    bench.quote.send("faucet", bench.pool.address, 777, sender=CURATOR)
    price = bench.pool.read("price")
    bench.pool.send("sweep", sender=PEOPLE[1])
    bench.pool.send("sweep", sender=PEOPLE[1])

    assert bench.pool.read("price") == price
    assert bench.reserves == (TOKENS, DOLLARS)
    assert bench.pool.read("owed") == (0, 777)


@pytest.mark.parametrize("gift", [2**112, 2**128 - 1, 2**128, 2**129, 2**199])
def test_a_vast_gift_is_booked_in_parts_and_stops_no_trade(bench: Bench, gift: int) -> None:
    """The treasury's part of the slot has 128 bits: a gift of more must neither fill it nor wrap around in it."""
    bench.quote.send("faucet", bench.pool.address, gift, sender=CURATOR)
    bench.pool.send("sweep", sender=PEOPLE[1])
    bench.pool.send("sweep", sender=PEOPLE[1])
    booked = bench.pool.read("owed")
    bench.trade(True, 1_000 * ONE)
    bench.pool.send("claim_treasury_fees", sender=PEOPLE[1])
    bench.pool.send("sweep", sender=PEOPLE[1])

    assert booked == (0, MOST)
    assert bench.quote.read("balanceOf", TREASURY) == MOST + 2 * ONE
    assert bench.pool.read("owed") == (4 * ONE, min(gift - MOST, MOST))


def test_given_agent_tokens_burn() -> None:
    house = House()
    sale = house.cleared()
    sale.auction.send("claim", PEOPLE[1], 20, sender=PEOPLE[1])
    supply, reserves = sale.token.read("totalSupply"), sale.pool.read("reserves")
    sale.token.send("transfer", sale.pool.address, 12_345, sender=PEOPLE[1])
    sale.pool.send("sweep", sender=PEOPLE[2])

    assert sale.token.read("totalSupply") == supply - 12_345
    assert sale.pool.read("reserves") == reserves


def test_anyone_deepens_the_liquidity_at_the_present_price_for_good(bench: Bench) -> None:
    price, liquidity = bench.pool.read("price"), bench.pool.read("liquidity")
    bench.pool.send("deepen", DOLLARS, TOKENS, sender=TRADER)

    assert bench.reserves == (2 * TOKENS, 2 * DOLLARS)
    assert bench.pool.read("price") == price
    assert bench.pool.read("liquidity") in (2 * liquidity, 2 * liquidity + 1)
    with pytest.raises(Reverted, match="pool: too many tokens"):
        bench.pool.send("deepen", ONE, 1, sender=TRADER)


@pytest.mark.parametrize(
    ("claim", "who", "share"), [("claim_creator_fees", CREATOR, 4), ("claim_treasury_fees", TREASURY, 2)]
)
def test_fees_go_to_their_owner_whoever_asks(bench: Bench, claim: str, who: str, share: int) -> None:
    bench.trade(True, 1_000 * ONE)
    bench.pool.send(claim, sender=PEOPLE[3])

    assert bench.quote.read("balanceOf", who) == share * ONE


def wobble(bench: Bench, seconds: int, times: int) -> list[tuple[int, int]]:
    """Trades up and down at even intervals; returns when each price began."""
    prices = [(bench.model.opened, bench.model.price)]
    for step in range(times):
        bench.chain.mine(seconds=seconds - 1)
        bench.trade(step % 2 == 0, 200 * ONE if step % 2 == 0 else 2_000_000 * 10**18)
        prices.append((bench.chain.time(), bench.model.price))
    return prices


def average(prices: list[tuple[int, int]], start: int, end: int) -> int:
    """Returns the time-weighted average of a history, as the contract rounds it."""
    ends = [*(time for time, _ in prices[1:]), end]
    held = zip(prices, ends, strict=True)
    total = sum(price * (until - max(since, start)) for (since, price), until in held if until > start)
    return total // (end - start)


@pytest.mark.parametrize("window", [1, 300, 1_800, 3_000])
def test_the_average_is_over_the_window_and_at_most_one_observation_more(bench: Bench, window: int) -> None:
    prices = wobble(bench, 100, 40)
    found, span = bench.pool.read("consult", window)
    now = bench.chain.time()

    assert window <= span < window + 400
    assert found == average(prices, now - span, now)


def test_the_average_of_a_day_outlasts_the_ring(bench: Bench) -> None:
    prices = wobble(bench, 300, 600)
    found, span = bench.pool.read("consult", 86_400)
    now = bench.chain.time()

    assert span == 86_400
    assert found == average(prices, now - span, now)
    with pytest.raises(Reverted, match="pool: window too long"):
        bench.pool.read("consult", 512 * 300)
    assert bench.pool.read("consult", 511 * 300)[1] == 511 * 300


def test_there_is_no_average_from_before_the_opening(bench: Bench) -> None:
    bench.chain.mine(seconds=100)

    assert bench.pool.read("consult", 100) == (bench.model.price, 100)
    with pytest.raises(Reverted, match="pool: window before the opening"):
        bench.pool.read("consult", 101)
    with pytest.raises(Reverted, match="pool: window before the opening"):
        bench.pool.read("consult", 0)


def test_a_price_that_lasts_no_time_counts_for_nothing(bench: Bench) -> None:
    """A flash purchase and its sale in one block leave the average as it was, but for the price it starts from."""
    bench.chain.mine(seconds=5_000)
    before = bench.pool.read("consult", 1_800)
    bench.chain.automine = False
    for function, amount in (("buy", DOLLARS * 10), ("sell", TOKENS // 2)):
        bench.chain.send(bench.pool.call(function, amount, 0, FOREVER, TRADER, sender=TRADER))
    bench.chain.mine()

    assert bench.pool.read("consult", 1_800)[0] == before[0]
    assert bench.pool.read("price") != bench.model.price


def test_a_price_is_capped_where_it_would_not_fit() -> None:
    bench = opened(1, MOST)
    bench.chain.mine(seconds=10)

    assert bench.pool.read("price") == 2**128 - 1
    assert bench.pool.read("consult", 10) == (2**128 - 1, 10)
    assert Q96 * MOST > 2**128


@pytest.mark.parametrize(("creator", "treasury"), [(10_001, 0), (6_000, 4_001)])
def test_shares_over_the_whole_fee_are_refused(bench: Bench, creator: int, treasury: int) -> None:
    with pytest.raises(Reverted, match="pool: shares over the whole fee"):
        made(bench.chain, "pool", bench.quote.address, TREASURY, creator, treasury)
