"""What holds at the opening of every pool, whatever the bids: its price, the flip, the seller who bids for itself."""

from functools import cache

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mercato.chains import Address
from tests.contracts.house import CREATOR, DOLLAR, FOREVER, PEOPLE, House, Sale
from tests.profiles import examples

BIDS = st.lists(st.tuples(st.integers(0, 60), st.integers(5 * DOLLAR, 60_000 * DOLLAR)), min_size=1, max_size=6)
Bids = list[tuple[int, int]]


@cache
def house() -> House:
    """One house for all examples, each of which is undone."""
    return House()


def bidder(place: int) -> Address:
    return Address(f"0x{0xB1DDE5 + place:040x}")


def cleared(bids: Bids, shill: tuple[int, int] | None = None) -> Sale:
    """Returns a cleared launch; the creator's own bid comes last."""
    people = [(bidder(place), level, amount) for place, (level, amount) in enumerate(bids)]
    people += [(CREATOR, *shill)] if shill else []
    return house().cleared(*people, raise_min=0)


def sold(sale: Sale, person: Address, level: int) -> tuple[int, int]:
    """Claims a bid and sells its tokens straight into the pool; returns what was charged and what came back."""
    claim = sale.auction.send("claim", person, level, sender=person)
    charge = next(event.values["charge"] for event in sale.auction.events(claim))
    tokens = sale.token.read("balanceOf", person)
    before = house().dollar.read("balanceOf", person)
    sale.token.send("approve", sale.pool_address, tokens, sender=person)
    if tokens and sale.pool.read("quote_sell", tokens)[0]:
        sale.pool.send("sell", tokens, 0, FOREVER, person, sender=person)
    return charge, house().dollar.read("balanceOf", person) - before


@given(BIDS)
@settings(max_examples=examples(25))
def test_i9_the_pool_opens_at_the_auctions_price_and_its_liquidity_is_its_own(bids: Bids) -> None:
    mark = house().chain.snapshot()
    sale = cleared(bids)
    _, raised, tokens_sold, *_ = sale.auction.read("result")
    token, quote = sale.pool.read("reserves")
    locker, escrow = sale.pool.read("locker"), house().dollar.read("balanceOf", sale.escrow.address)
    house().chain.revert(mark)

    assert quote == raised * 7_500 // 10_000
    assert 0 <= quote * tokens_sold - token * raised < raised
    assert locker == sale.pool_address
    assert escrow == raised - quote - raised * 200 // 10_000


@given(BIDS, st.integers(1, 3_600))
@settings(max_examples=examples(15))
def test_i8_selling_straight_into_the_pool_returns_less_than_it_cost(bids: Bids, seconds: int) -> None:
    """For each bidder as if it were the first to sell, at any age of the pool; at its opening less by both fees."""
    mark = house().chain.snapshot()
    sale = cleared(bids)
    house().chain.mine(seconds=seconds)
    fee = sale.pool.read("fee_ppm")
    outcomes = []
    for place, (level, _) in enumerate(bids):
        inner = house().chain.snapshot()
        outcomes.append(sold(sale, bidder(place), level))
        house().chain.revert(inner)
    house().chain.revert(mark)

    # The fee falls by 23 parts per million a second, and selling comes three seconds later.
    assert [pair for pair in outcomes if pair[1] * 10**6 > pair[0] * (10**6 - fee + 100)] == []


def takings(bids: Bids, shill: tuple[int, int] | None) -> tuple[int, int]:
    """Returns R and what the creator has gained, milestones not counted, when the opening fee is over.

    The creator takes the money at once, sells every token of its bid and claims its share of the fees.
    """
    mark = house().chain.snapshot()
    sale = cleared(bids, shill)
    house().chain.mine(seconds=1_800)
    dollar = house().dollar
    before = dollar.read("balanceOf", CREATOR)
    sale.escrow.send("take_at_once", sender=PEOPLE[3])
    gained = dollar.read("balanceOf", CREATOR) - before
    raised = sale.auction.read("result")[1]
    if shill:
        charge, back = sold(sale, CREATOR, shill[0])
        before = dollar.read("balanceOf", CREATOR)
        sale.pool.send("claim_creator_fees", sender=CREATOR)
        gained += back - charge + dollar.read("balanceOf", CREATOR) - before
    house().chain.revert(mark)
    return raised, gained


@given(BIDS, st.tuples(st.integers(0, 60), st.integers(5 * DOLLAR, 200_000 * DOLLAR)))
@settings(max_examples=examples(25))
def test_i12_a_seller_who_bids_for_itself_gains_nothing(bids: Bids, shill: tuple[int, int]) -> None:
    """At once the creator gets f(1-c) of the raise, and bidding for itself costs at least what it adds to that."""
    raised, honest = takings(bids, None)
    shilled, gained = takings(bids, shill)
    assume(raised > 0)

    assert honest == raised * 60 // 10_000
    assert gained <= shilled * 60 // 10_000
    assert gained <= honest + 3  # one unit for each rounding: the bid, the sale, the money at once
