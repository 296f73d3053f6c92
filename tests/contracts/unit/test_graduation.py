"""Graduation into the own pool: what goes where, what can go wrong on the way, and what nobody can spoil."""

from dataclasses import replace
from typing import Any

import pytest

from mercato.chains import Reverted
from mercato.chains.addresses import create_address
from mercato.chains.evm.anvil import Anvil
from mercato.chains.model import Call
from mercato.chains.testing import local
from tests import npm
from tests.contracts.compiled import hostile
from tests.contracts.house import CREATOR, CURATOR, DAY, DOLLAR, FOREVER, PEOPLE, TOKEN, TREASURY, House, Sale

FIRST, SECOND, STRANGER, KEEPER = PEOPLE
BIDS = (FIRST, 10, 40_000 * DOLLAR), (SECOND, 20, 30_000 * DOLLAR)


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def moody() -> House:
    """A house whose dollar can be told to misbehave."""
    chain = local()
    return House(chain, quote=hostile(chain, "moody_dollar"))


def blocked(moody: House, name: str) -> Sale:
    """Returns a launch at the end of its window whose escrow or pool the dollar's issuer has blocked."""
    sale = bid_for(moody)
    account = sale.escrow.address if name == "escrow" else sale.pool_address
    moody.dollar.send("block_account", account, True, sender=CURATOR)
    return sale


def bid_for(house: House, **changes: Any) -> Sale:
    """Returns a launch at the end of its window, with bids."""
    sale = house.launch(**changes)
    house.wait_until(sale.terms["opens"])
    for person, level, amount in BIDS:
        house.bid(sale, person, level, amount)
    house.wait_until(sale.terms["closes"])
    return sale


def test_the_raise_is_shared_out_to_the_unit(house: House) -> None:
    sale = house.cleared(*BIDS)
    raised = sale.auction.read("result")[1]
    held = [house.dollar.read("balanceOf", to) for to in (sale.pool_address, TREASURY, sale.escrow.address)]

    assert sale.state == "LIVE"
    assert held[:2] == [raised * 7_500 // 10_000, raised * 200 // 10_000]
    assert sum(held) == raised
    assert house.dollar.read("balanceOf", house.graduator.address) == 0
    assert sale.token.read("balanceOf", house.graduator.address) == 0


def test_the_pool_opens_at_the_clearing_price_and_owns_itself(house: House) -> None:
    """I9 for one launch; the property is in `property/test_opening.py`."""
    sale = house.cleared(*BIDS)
    _, raised, sold, *_ = sale.auction.read("result")
    token, quote = sale.pool.read("reserves")

    assert 0 <= quote * sold - token * raised < raised
    assert (sale.pool.read("locker"), sale.pool.read("creator")) == (sale.pool_address, CREATOR)
    assert sale.pool.read("treasury") == TREASURY
    assert sale.pool.read("token") == sale.token.address


def test_unsold_tokens_and_unused_reserve_burn(house: House) -> None:
    sale = house.cleared((FIRST, 0, 10_000 * DOLLAR))
    _, _, sold, *_ = sale.auction.read("result")
    token, _ = sale.pool.read("reserves")

    assert sold < sale.terms["sale"]
    assert sale.token.read("totalSupply") == 300_000_000 * TOKEN + sold + token
    assert sale.token.read("balanceOf", sale.auction.address) == sold


def test_money_sent_to_the_pool_before_it_opens_changes_nothing(house: House) -> None:
    sale = house.launch()
    house.dollar.send("faucet", sale.pool_address, 123_456 * DOLLAR, sender=STRANGER)
    house.wait_until(sale.terms["opens"])
    for person, level, amount in BIDS:
        house.bid(sale, person, level, amount)
    house.wait_until(sale.terms["closes"])
    sale.auction.send("clear", sender=KEEPER)
    raised = sale.auction.read("result")[1]

    assert sale.pool.read("reserves")[1] == raised * 7_500 // 10_000
    sale.pool.send("sweep", sender=STRANGER)
    assert sale.pool.read("owed") == (0, 123_456 * DOLLAR)


def test_nobody_moves_the_token_before_it_is_live(house: House) -> None:
    sale = house.launch()

    for holder in (TREASURY, CREATOR, STRANGER):
        with pytest.raises(Reverted, match="token: locked until live"):
            sale.token.send("transfer", sale.pool_address, 1, sender=holder)


def test_only_the_auctions_maker_enrolls_it_and_once(house: House) -> None:
    sale = house.launch()

    with pytest.raises(Reverted, match="graduator: not the auction's maker"):
        house.graduator.send("enroll", sale.auction.address, sale.token.address, STRANGER, STRANGER, sender=STRANGER)


def test_only_an_enrolled_auction_graduates(house: House) -> None:
    sale = house.cleared(*BIDS)

    with pytest.raises(Reverted, match="graduator: unknown auction"):
        house.graduator.send("graduate", sale.token.address, house.dollar.address, 1, 1, 1, sender=STRANGER)
    with pytest.raises(Reverted):
        sale.auction.send("hand_over", sender=STRANGER)
    with pytest.raises(Reverted, match="nothing to graduate"):
        sale.auction.send("graduate", sender=STRANGER)


def test_an_auction_of_ones_own_takes_nothing_from_the_graduator(house: House) -> None:
    """An account that creates an auction itself may enroll it; what lies in the graduator is nobody's anyway."""
    own = create_address(STRANGER, 2)
    house.graduator.send("enroll", own, STRANGER, STRANGER, STRANGER, sender=STRANGER)
    with pytest.raises(Reverted):
        house.graduator.send("graduate", own, house.dollar.address, 1, 1, 1, sender=own)
    with pytest.raises(Reverted, match="graduator: enrolled already"):
        house.graduator.send("enroll", own, STRANGER, STRANGER, STRANGER, sender=STRANGER)


@pytest.mark.parametrize("name", ["escrow", "pool"])
def test_a_failing_graduation_keeps_the_raise_and_anyone_retries_it(moody: House, name: str) -> None:
    sale = blocked(moody, name)
    sale.auction.send("clear", sender=KEEPER)
    raised = sale.auction.read("result")[1]

    assert sale.state == "CLEARED_PENDING"
    assert moody.dollar.read("balanceOf", sale.auction.address) >= raised
    assert not sale.token.read("live")
    assert sale.pool.read("opened_at") == 0
    with pytest.raises(Reverted):
        sale.auction.send("graduate", sender=STRANGER)
    with pytest.raises(Reverted, match="not decided yet"):
        sale.auction.send("claim", FIRST, 10, sender=FIRST)

    account = sale.escrow.address if name == "escrow" else sale.pool_address
    moody.dollar.send("block_account", account, False, sender=CURATOR)
    sale.auction.send("graduate", sender=STRANGER)

    assert sale.state == "LIVE"
    assert sale.pool.read("reserves")[1] == raised * 7_500 // 10_000


def test_after_seven_days_of_failing_everybody_gets_everything_back(moody: House) -> None:
    sale = blocked(moody, "escrow")
    sale.auction.send("clear", sender=KEEPER)
    with pytest.raises(Reverted, match="graduation may still be retried"):
        sale.auction.send("expire", sender=STRANGER)
    moody.chain.mine(seconds=7 * DAY)
    sale.auction.send("expire", sender=STRANGER)
    for person, level, _ in BIDS:
        sale.auction.send("claim", person, level, sender=STRANGER)

    assert sale.state == "FAILED"
    assert [moody.dollar.read("balanceOf", person) for person, _, _ in BIDS] == [amount for _, _, amount in BIDS]
    assert moody.dollar.read("balanceOf", sale.auction.address) == 0
    with pytest.raises(Reverted, match="nothing to graduate"):
        sale.auction.send("graduate", sender=STRANGER)


def test_a_treasury_that_cannot_be_paid_does_not_stand_in_the_way(moody: House) -> None:
    moody.dollar.send("block_account", TREASURY, True, sender=CURATOR)
    sale = moody.cleared(*BIDS)
    raised = sale.auction.read("result")[1]

    assert sale.state == "LIVE"
    assert moody.dollar.read("balanceOf", sale.escrow.address) == raised - raised * 7_500 // 10_000


def test_a_caller_who_brings_too_little_gas_clears_nothing(house: House) -> None:
    """From nothing up to more than enough: at first the call fails whole, from some point on it graduates as well."""
    sale = bid_for(house)
    enough = house.chain.simulate([sale.auction.call("clear", sender=KEEPER)])[0].gas_used
    states = []
    for gas in range(enough // 2, 2 * enough, enough // 50):
        mark = house.chain.snapshot()
        house.chain.send(replace(sale.auction.call("clear", sender=KEEPER), gas=gas))
        states.append(sale.state)
        house.chain.revert(mark)

    assert set(states) == {"LOCKED", "LIVE"}
    assert states == sorted(states, reverse=True)


def test_a_graduator_that_burns_all_gas_cannot_hold_the_auction_for_ever(house: House) -> None:
    """For a day nobody can clear, then everybody can, and after seven more days refunds open."""
    burning = hostile(house.chain, "burning_graduator", house.dollar.address)
    sale = bid_for(house, factory=house.factory_with(burning), graduator=burning.address)
    with pytest.raises(Reverted, match="auction: too little gas to graduate"):
        sale.auction.send("clear", sender=KEEPER)
    house.wait_until(sale.terms["closes"] + DAY)
    sale.auction.send("clear", sender=KEEPER)
    assert sale.state == "CLEARED_PENDING"

    house.chain.mine(seconds=7 * DAY)
    sale.auction.send("expire", sender=KEEPER)
    sale.auction.send("claim", FIRST, 10, sender=FIRST)

    assert house.dollar.read("balanceOf", FIRST) == 40_000 * DOLLAR


@pytest.mark.npm
def test_the_gas_that_a_node_estimates_graduates() -> None:
    """Nodes look for the least gas with which a call succeeds; it must not be one that only clears."""
    program = npm.anvil()
    assert program
    node = Anvil(program)
    try:
        sale = House(node).cleared(*BIDS)  # type: ignore[arg-type]  # a node has the same methods
        found = sale.state
    finally:
        node.close()

    assert found == "LIVE"


def test_the_first_block_has_no_snipe_to_win(house: House) -> None:
    """Whoever buys in the block that opens the pool pays more than bidders did, and selling at once loses both fees."""
    sale = house.launch()
    house.wait_until(sale.terms["opens"])
    for person, level, amount in BIDS:
        house.bid(sale, person, level, amount)
    spent = 2_000 * DOLLAR
    house.pay(STRANGER, spent, sale.pool_address)
    house.wait_until(sale.terms["closes"])
    house.chain.automine = False
    house.chain.send(sale.auction.call("clear", sender=KEEPER))
    pool = sale.pool
    house.chain.send(pool.call("buy", spent, 0, FOREVER, STRANGER, sender=STRANGER))
    house.chain.mine()
    house.chain.automine = True
    _, raised, sold, *_ = sale.auction.read("result")
    bought = sale.token.read("balanceOf", STRANGER)

    assert spent * sold > bought * raised * 105 // 100
    sale.token.send("approve", sale.pool_address, bought, sender=STRANGER)
    pool.send("sell", bought, 0, FOREVER, STRANGER, sender=STRANGER)
    assert house.dollar.read("balanceOf", STRANGER) < spent * 91 // 100


@pytest.mark.parametrize("function", ["clear", "graduate", "claim_creator_fees", "take_at_once"])
def test_a_quote_token_that_calls_back_gets_nowhere(moody: House, function: str) -> None:
    """During the graduation's transfers the dollar calls into the auction, the pool or the escrow."""
    sale = blocked(moody, "nothing")
    moody.dollar.send("block_account", sale.pool_address, False, sender=CURATOR)
    target = {"claim_creator_fees": sale.pool_address, "take_at_once": sale.escrow.address}
    at = target.get(function, sale.auction.address)
    interface = {sale.pool_address: sale.pool, sale.escrow.address: sale.escrow}.get(at, sale.auction).interface
    moody.dollar.send("call_back", at, interface.encode(function), sender=CURATOR)
    sale.auction.send("clear", sender=KEEPER)
    raised = sale.auction.read("result")[1]

    assert sale.state == "LIVE"
    assert moody.dollar.read("balanceOf", CREATOR) in (0, raised * 60 // 10_000)
    assert sale.pool.read("reserves")[1] == raised * 7_500 // 10_000
    assert moody.dollar.read("balanceOf", sale.pool_address) == raised * 7_500 // 10_000


def test_a_quote_token_that_graduates_on_its_own_takes_nothing_on_the_way() -> None:
    """The dollar itself stands where its maker's auction would, is enrolled, and calls back while the raise passes."""
    chain = local()
    for _ in range(2):
        chain.send(Call(STRANGER, STRANGER))
    house = House(chain, quote=hostile(chain, "moody_dollar", sender=STRANGER))
    house.graduator.send("enroll", house.dollar.address, KEEPER, STRANGER, STRANGER, sender=STRANGER)
    sale = bid_for(house)
    steal = house.graduator.interface.encode(
        "graduate", sale.token.address, house.dollar.address, 1, 1, 40_000 * DOLLAR
    )
    house.dollar.send("call_back_at", house.graduator.address, steal, sale.pool_address, sender=STRANGER)
    sale.auction.send("clear", sender=KEEPER)

    assert house.dollar.read("tried")
    assert not house.dollar.read("called_back")
    assert (sale.state, house.dollar.read("balanceOf", STRANGER)) == ("LIVE", 0)


def test_a_pool_trade_cannot_be_entered_twice(moody: House) -> None:
    sale = moody.cleared(*BIDS)
    moody.pay(STRANGER, 2_000 * DOLLAR, sale.pool_address)
    again = sale.pool.interface.encode("buy", 1_000 * DOLLAR, 0, FOREVER, STRANGER)
    moody.dollar.send("call_back", sale.pool_address, again, sender=CURATOR)
    sale.pool.send("buy", 1_000 * DOLLAR, 0, FOREVER, STRANGER, sender=STRANGER)

    assert not moody.dollar.read("called_back")
    token, _ = sale.pool.read("reserves")
    assert sale.token.read("balanceOf", sale.pool_address) == token


@pytest.mark.parametrize(("mood", "value"), [("take", 1), ("lie", True)])
def test_a_pool_refuses_money_that_does_not_arrive_whole(moody: House, mood: str, value: object) -> None:
    sale = moody.cleared(*BIDS)
    moody.pay(STRANGER, 1_000 * DOLLAR, sale.pool_address)
    moody.dollar.send(mood, value, sender=CURATOR)

    with pytest.raises(Reverted, match="payment: "):
        sale.pool.send("buy", 100_000, 0, FOREVER, STRANGER, sender=STRANGER)


def test_a_blocked_creator_does_not_block_the_treasury(moody: House) -> None:
    sale = moody.cleared(*BIDS)
    moody.pay(STRANGER, 1_000 * DOLLAR, sale.pool_address)
    sale.pool.send("buy", 1_000 * DOLLAR, 0, FOREVER, STRANGER, sender=STRANGER)
    moody.dollar.send("block_account", CREATOR, True, sender=CURATOR)
    before = moody.dollar.read("balanceOf", TREASURY)
    sale.pool.send("claim_treasury_fees", sender=STRANGER)

    assert moody.dollar.read("balanceOf", TREASURY) == before + 2 * DOLLAR
    with pytest.raises(Reverted, match="dollar: blocked"):
        sale.pool.send("claim_creator_fees", sender=STRANGER)
    assert sale.pool.read("owed") == (4 * DOLLAR, 0)
