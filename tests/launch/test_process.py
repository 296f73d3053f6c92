"""The whole way on an embedded chain: apply, review, schedule, bid, clear, live; or fail and be refunded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from mercato.chains import Address, Reverted
from mercato.chains.signing import Key
from mercato.chains.testing import KEYS
from mercato.chains.typed import digest
from mercato.core.clock import HandClock
from mercato.core.errors import Conflict, InvalidInput, NotFound
from mercato.launch.clearing import RETAIL
from mercato.launch.contracts import at
from mercato.launch.curator import Curator
from mercato.launch.model import Launch, Request
from mercato.launch.service import Launches
from mercato.launch.settings import LaunchSettings
from mercato.launch.states import State, Step
from mercato.launch.testing import APPLICANT, House, application, card, reviewed
from mercato.store import Store, outbox

ANN, BOB, CARL = (f"0x{name * 20}" for name in ("aa", "bb", "cc"))
DOLLAR = 10**6
HOUR = 3600


@pytest.fixture
def house(either: Store, clock: HandClock, settings: LaunchSettings) -> House:
    return House.open(either, clock, settings)


@pytest.fixture
def scheduled(house: House) -> Launch:
    return house.scheduled(application())


def told(house: House) -> list[tuple[str, str]]:
    with house.room.store.transaction() as tx:
        outbox.relay(tx, {}, house.room.clock.now())
    with house.room.store.read() as session:
        return [
            (str(item.body["before"]), str(item.body["after"]))
            for item in outbox.after(session, 0)
            if item.name == "launch.LaunchChanged"
        ]


def test_from_an_application_to_a_live_market(house: House) -> None:
    launch = house.scheduled(application())
    house.to_open(launch)
    house.bid(launch, ANN, 10, 300 * DOLLAR)
    house.bid(launch, BOB, 20, 200 * DOLLAR)
    house.over(launch)
    receipt = house.room.keep(launch.id)
    live = house.room.launch(launch.id)

    assert receipt is not None
    assert live.state is State.LIVE
    assert live.contracts is not None
    assert live.contracts.pool is not None
    assert live.outcome is not None
    assert live.outcome.sold == application().terms.tokens(4000)
    assert told(house) == [
        ("draft", "review"),
        ("review", "approved"),
        ("approved", "scheduled"),
        ("scheduled", "open"),
        ("open", "locked"),
        ("locked", "live"),
    ]
    assert [change.block is not None for change in house.room.history(launch.id)] == [False, False] + [True] * 4


def test_what_was_forecast_is_what_is_paid_out(house: House, scheduled: Launch) -> None:
    house.to_open(scheduled)
    house.bid(scheduled, ANN, 0, 500 * DOLLAR)
    house.bid(scheduled, BOB, 30, 200 * DOLLAR)
    preview = house.room.preview(scheduled.id, 5, 300 * DOLLAR)
    house.bid(scheduled, CARL, 5, 300 * DOLLAR)
    forecast = {who: house.room.positions(scheduled.id, who)[0] for who in (ANN, BOB, CARL)}
    house.over(scheduled)
    house.room.keep(scheduled.id)

    token = at(house.chain, "agent_token", house.contracts(scheduled).token)
    for who, position in forecast.items():
        before = house.dollars(who)
        house.sign(house.room.prepare_claim(scheduled.id, who, position.level))
        assert token.read("balanceOf", who) == position.tokens
        assert house.dollars(who) - before == position.refund
        (paid,) = house.room.positions(scheduled.id, who)
        assert (paid.tokens, paid.charge, paid.refund, paid.final, paid.claimed) == (
            position.tokens,
            position.charge,
            position.refund,
            True,
            True,
        )
    assert (preview.tokens, preview.charge) == (forecast[CARL].tokens, forecast[CARL].charge)


def test_a_launch_that_raises_too_little_fails_and_everybody_gets_everything_back(
    house: House, scheduled: Launch
) -> None:
    house.to_open(scheduled)
    house.bid(scheduled, ANN, 3, 60 * DOLLAR)
    house.bid(scheduled, BOB, 9, 39 * DOLLAR)
    before = house.dollars(ANN), house.dollars(BOB)
    assert not house.room.demand(scheduled.id).clears
    house.over(scheduled)
    house.room.keep(scheduled.id)

    assert house.room.launch(scheduled.id).state is State.FAILED
    for who, level in ((ANN, 3), (BOB, 9)):
        house.sign(house.room.prepare_claim(scheduled.id, who, level))
    assert (house.dollars(ANN) - before[0], house.dollars(BOB) - before[1]) == (60 * DOLLAR, 39 * DOLLAR)


def test_the_book_says_what_is_firm_and_what_may_still_leave(house: House, scheduled: Launch) -> None:
    house.to_open(scheduled)
    house.bid(scheduled, ANN, 7, 300 * DOLLAR)
    open_book = house.room.demand(scheduled.id)
    house.at(house.contracts(scheduled).locks)
    locked = house.room.demand(scheduled.id)

    assert (open_book.firm, open_book.cancellable) == (0, 300 * DOLLAR)
    assert (locked.firm, locked.cancellable) == (300 * DOLLAR, 0)
    assert [item.demand for item in locked.levels if item.demand] == [300 * DOLLAR]
    assert locked.levels[0].price == application().terms.floor_price
    assert locked.clears


def test_bids_are_improved_and_cancelled_until_they_are_firm(house: House, scheduled: Launch) -> None:
    house.to_open(scheduled)
    house.bid(scheduled, ANN, 7, 300 * DOLLAR)
    house.sign(house.room.prepare_improve(scheduled.id, ANN, 7, 9, 100 * DOLLAR))
    house.sign(house.room.prepare_cancel(scheduled.id, ANN, 7, 50 * DOLLAR))
    held = {item.level: item.amount for item in house.room.positions(scheduled.id, ANN)}
    house.at(house.contracts(scheduled).locks)
    (refused,) = house.room.prepare_cancel(scheduled.id, ANN, 7, 50 * DOLLAR)

    assert held == {7: 150 * DOLLAR, 9: 100 * DOLLAR}
    assert refused.refusal == "auction: bids are firm"


def test_a_prepared_bid_says_what_it_asks_for_and_needs_no_approval_twice(house: House, scheduled: Launch) -> None:
    house.to_open(scheduled)
    house.fund(ANN, 500 * DOLLAR)
    approve, bid = house.room.prepare_bid(scheduled.id, ANN, 7, 300 * DOLLAR)
    house.sign([approve])
    (alone,) = house.room.prepare_bid(scheduled.id, ANN, 7, 300 * DOLLAR)

    assert (approve.function, approve.arguments["amount"]) == ("approve(address,uint256)", str(300 * DOLLAR))
    assert (bid.function, bid.arguments) == ("bid(uint256,uint256)", {"level": "7", "amount": str(300 * DOLLAR)})
    assert [item.refusal for item in (approve, bid, alone)] == ["", "", ""]
    assert alone.call == bid.call


def test_a_bid_that_the_chain_would_refuse_says_why_before_it_is_signed(house: House, scheduled: Launch) -> None:
    house.fund(ANN, 500 * DOLLAR)
    early = house.room.prepare_bid(scheduled.id, ANN, 7, 300 * DOLLAR)
    house.to_open(scheduled)
    small = house.room.prepare_bid(scheduled.id, ANN, 7, 1)
    ungated = house.room.prepare_bid(scheduled.id, ANN, RETAIL, 10 * DOLLAR)

    assert early[-1].refusal == "auction: not open yet"
    assert small[-1].refusal == "auction: bid too small"
    assert ungated[-1].refusal == "gate: bidder not admitted"


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (lambda room, id: room.prepare_bid(id, "me", 1, 1), InvalidInput),
        (lambda room, id: room.prepare_bid(id, ANN, 256, 1), Conflict),
        (lambda room, id: room.prepare_bid(id, ANN, -1, 1), Conflict),
        (lambda room, id: room.prepare_bid(id, ANN, 1, 0), InvalidInput),
        (lambda room, id: room.prepare_bid(id, ANN, RETAIL, 1, b"x" * 1026), InvalidInput),
        (lambda room, id: room.positions(id, "0x"), InvalidInput),
        (lambda room, id: room.schedule(id), Conflict),
        (lambda room, id: room.demand("lch_none"), NotFound),
    ],
)
def test_a_question_that_cannot_be_right_is_refused(
    house: House, scheduled: Launch, ask: Callable[[Launches, str], object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        ask(house.room, scheduled.id)


def test_nothing_is_asked_of_a_chain_before_a_launch_is_there(house: House) -> None:
    launch = house.room.apply(application())

    assert house.room.keep(launch.id) is None
    for ask in (house.room.demand, house.room.abort):
        with pytest.raises(Conflict):
            ask(launch.id)


def test_a_launch_is_called_off_before_it_opens_and_never_after(house: House, scheduled: Launch) -> None:
    second = house.scheduled(application(symbol="OTHER"))
    aborted = house.room.abort(scheduled.id)
    house.to_open(second)

    assert aborted.state is State.ABORTED
    with pytest.raises(Conflict, match="possible steps: lock"):
        house.room.abort(second.id)


def test_an_opening_that_is_past_is_refused_and_leaves_the_launch_approved(house: House) -> None:
    launch = house.approved(application())

    with pytest.raises(InvalidInput, match="opening was 1"):
        house.room.schedule(launch.id, 1)
    assert house.room.launch(launch.id).state is State.APPROVED


def test_scheduling_goes_on_where_a_kill_left_a_launch_made_and_not_remembered(house: House) -> None:
    launch = house.approved(application())
    opens = house.chain.time() + 2 * HOUR
    Curator(house.chain, house.room.deployment).create(launch, opens)
    block = house.chain.block().number
    again = house.room.schedule(launch.id)

    assert again.state is State.SCHEDULED
    assert house.chain.block().number == block
    assert house.contracts(again).opens == opens


def test_what_the_factory_made_is_of_our_code_and_on_the_approved_terms(house: House, scheduled: Launch) -> None:
    (check,) = (item for item in house.room.checks(scheduled.id) if item.name == "bytecode")

    assert check.passed


def test_a_launch_that_was_made_on_other_terms_than_approved_is_noticed(house: House) -> None:
    launch = house.approved(application())
    cheaper = replace(launch, floor=launch.floor_valuation // 2)
    Curator(house.chain, house.room.deployment).create(cheaper, house.chain.time() + HOUR)

    with pytest.raises(Conflict, match=r"was made with other \['floor_q96'\]"):
        house.room.schedule(launch.id)
    assert house.room.launch(launch.id).state is State.APPROVED


def test_the_floor_that_the_panel_left_is_the_floor_of_the_auction(house: House) -> None:
    launch = house.room.apply(application())
    house.pay_deposit(launch)
    house.room.submit(launch.id)
    reviewed(house.room, launch.id, [card(8, floor=10**10)] * 5)
    house.room.schedule(launch.id)

    assert house.room.launch(launch.id).floor_valuation == 5 * 10**9
    assert house.room.demand(launch.id).levels[0].price == -(-5 * 10**9 * 2**96 // 10**27)


def test_the_supply_is_shared_out_to_the_last_unit(house: House) -> None:
    odd = application(terms=application().terms.__class__(floor=10**9, raise_min=10**8, supply=10**24 + 7_777_777))
    launch = house.scheduled(odd)
    held = house.contracts(launch)
    token, auction = at(house.chain, "agent_token", held.token), at(house.chain, "auction", held.auction)
    assert held.vesting is not None
    assert held.partner_vesting is not None
    holders = [held.auction, held.vesting, held.partner_vesting, odd.grants, odd.community]

    assert sum(token.read("balanceOf", holder) for holder in holders) == odd.terms.supply == token.read("totalSupply")
    assert token.read("balanceOf", held.auction) == auction.read("allotment")
    assert at(house.chain, "vesting", held.vesting).read("beneficiary") == APPLICANT


def test_a_deposit_must_lie_on_the_chain_by_the_applicant_and_goes_back_once_scheduled(house: House) -> None:
    launch = house.room.apply(application())
    with pytest.raises(Conflict, match="deposit was 0 base units"):
        house.room.submit(launch.id)
    house.pay_deposit(launch)
    poorer = house.dollars(APPLICANT)
    house.room.submit(launch.id)
    reviewed(house.room, launch.id, [card(8)] * 5)
    assert house.room.settle_deposits() == 0
    house.room.schedule(launch.id)

    assert house.room.settle_deposits() == 1
    assert house.dollars(APPLICANT) - poorer == 250 * DOLLAR
    assert house.room.settle_deposits() == 0


def test_nobody_takes_an_applicants_place_by_leaving_a_deposit_first(house: House) -> None:
    launch, stranger = house.room.apply(application()), Address(ANN)
    deposits = at(house.chain, "deposit", house.room.deployment.deposit)
    house.fund(stranger, 250 * DOLLAR)
    at(house.chain, "test_dollar", house.room.deployment.quote).send(
        "approve", deposits.address, 250 * DOLLAR, sender=stranger
    )
    deposits.send("submit", bytes.fromhex(launch.application.hash[2:]), sender=stranger)
    with pytest.raises(Conflict, match="deposit was 0 base units"):
        house.room.submit(launch.id)

    house.pay_deposit(launch)
    assert house.room.submit(launch.id).state is State.REVIEW
    house.room.settle_deposit(launch.id)
    assert house.dollars(stranger) == 0


def test_a_declined_applicant_may_appeal_with_a_bond_or_wait_for_the_deposit(house: House, clock: HandClock) -> None:
    launch = house.declined(application())
    assert house.room.settle_deposits() == 0
    with pytest.raises(Conflict, match="deposit was 250000000 base units"):
        house.room.appeal(launch.id)
    house.pay_deposit(launch)
    house.room.appeal(launch.id)
    reviewed(house.room, launch.id, [card(1)] * 11)
    clock.move(timedelta(days=14))

    assert house.room.settle_deposits() == 1
    assert house.room.settle_deposit(launch.id) is None


def test_the_deposit_of_a_declined_false_statement_can_be_forfeited_and_of_no_other(house: House) -> None:
    launch, other = house.declined(application()), house.approved(application(symbol="OTHER"))
    before = house.dollars(house.room.deployment.treasury)
    house.room.settle_deposit(launch.id, forfeit=True)

    assert house.dollars(house.room.deployment.treasury) - before == 250 * DOLLAR
    with pytest.raises(Conflict, match="only the deposit of a declined one"):
        house.room.settle_deposit(other.id, forfeit=True)


def test_a_mirror_that_slept_walks_every_step_and_a_second_look_adds_none(house: House, scheduled: Launch) -> None:
    house.to_open(scheduled, sync=False)
    house.bid(scheduled, ANN, 30, 500 * DOLLAR)
    house.over(scheduled, sync=False)
    auction = at(house.chain, "auction", house.contracts(scheduled).auction)
    auction.send("clear", sender=house.stranger)
    house.room.sync_all()
    house.room.sync_all()

    steps = [change.step for change in house.room.history(scheduled.id)]
    assert steps[-3:] == [Step.OPEN, Step.LOCK, Step.GRADUATE]
    assert steps.count(Step.OPEN) == 1


def test_a_block_taken_back_is_taken_back_in_the_mirror(house: House, scheduled: Launch) -> None:
    house.to_open(scheduled)
    house.bid(scheduled, ANN, 30, 500 * DOLLAR)
    house.over(scheduled)
    mark = house.chain.snapshot()
    house.room.keep(scheduled.id)
    assert house.room.launch(scheduled.id).state is State.LIVE
    house.chain.revert(mark)
    back = house.room.sync(scheduled.id)

    assert (back.state, back.outcome, house.contracts(back).pool) == (State.LOCKED, None, None)
    assert Step.REWIND in [change.step for change in house.room.history(scheduled.id)]


def test_one_launch_in_trouble_keeps_no_other_waiting(house: House) -> None:
    first, second = house.scheduled(application()), house.scheduled(application(symbol="OTHER"))
    for launch in (first, second):
        house.to_open(launch)
        house.bid(launch, ANN, 30, 500 * DOLLAR)
    house.over(second)
    house.lose(first)

    assert house.room.keep_all() == 1
    assert house.room.launch(second.id).state is State.LIVE


def test_a_retail_bidder_is_admitted_once_and_pays_the_clearing_price(house: House, scheduled: Launch) -> None:
    attester = Key(KEYS[0])
    house.to_open(scheduled)
    house.bid(scheduled, ANN, 20, 400 * DOLLAR)
    credential = house.room.admit(scheduled.id, BOB, "x:Bob", attester)
    house.bid(scheduled, BOB, RETAIL, 50 * DOLLAR, credential)
    again = house.room.admit(scheduled.id, CARL, " X:bob ", attester)
    refused = house.room.prepare_bid(scheduled.id, CARL, RETAIL, 50 * DOLLAR, again)
    house.over(scheduled)
    house.room.keep(scheduled.id)
    (position,) = house.room.positions(scheduled.id, BOB)

    assert refused[-1].refusal == "gate: bidder not admitted"
    assert (position.level, position.amount, position.charge) == (RETAIL, 50 * DOLLAR, 50 * DOLLAR)
    assert house.room.launch(scheduled.id).outcome is not None
    with pytest.raises(Conflict, match="attester was"):
        house.room.admit(scheduled.id, BOB, "x:Bob", Key(KEYS[5]))


def test_a_bid_that_was_only_signed_is_brought_by_a_stranger_and_is_the_bidders(
    house: House, scheduled: Launch
) -> None:
    key = Key(KEYS[6])
    house.to_open(scheduled)
    house.fund(key.address, 100 * DOLLAR)
    asked = house.room.prepare_authorization(scheduled.id, key.address, 12, 100 * DOLLAR)
    signature = key.digest(digest(asked.typed))
    named = {"salt": asked.salt, "valid_before": asked.valid_before, "signature": signature}

    def brought(level: int, amount: int) -> tuple[Request, ...]:
        return house.room.prepare_signed_bid(scheduled.id, house.stranger, key.address, level, amount, **named)  # type: ignore[arg-type] # the values of a mixed mapping

    twisted = [brought(13, 100 * DOLLAR), brought(12, 99 * DOLLAR)]
    house.sign(brought(12, 100 * DOLLAR))
    again = brought(12, 100 * DOLLAR)

    assert [item[0].refusal != "" for item in [*twisted, again]] == [True] * 3
    assert [(item.level, item.amount) for item in house.room.positions(scheduled.id, key.address)] == [
        (12, 100 * DOLLAR)
    ]
    assert house.dollars(key.address) == 0


@pytest.mark.parametrize(
    "ask",
    [
        lambda room, id: room.prepare_authorization(id, ANN, RETAIL, 1),
        lambda room, id: room.prepare_authorization(id, ANN, 1, 0),
        lambda room, id: room.prepare_signed_bid(id, ANN, ANN, 1, 1, salt=b"", valid_before=1, signature=bytes(65)),
        lambda room, id: room.prepare_signed_bid(
            id, ANN, ANN, 1, 1, salt=bytes(32), valid_before=1, signature=bytes(64)
        ),
    ],
)
def test_a_signed_bid_of_the_wrong_shape_is_refused(
    house: House, scheduled: Launch, ask: Callable[[Launches, str], object]
) -> None:
    with pytest.raises(InvalidInput):
        ask(house.room, scheduled.id)


def test_all_code_on_the_chain_is_what_the_build_made(house: House, scheduled: Launch) -> None:
    house.to_open(scheduled)
    house.bid(scheduled, ANN, 20, 400 * DOLLAR)
    house.over(scheduled)
    house.room.keep(scheduled.id)
    found = dict(house.room.verify())

    assert {"factory", "COURT token", "COURT auction", "COURT escrow", "COURT vesting", "COURT pool"} <= set(found)
    assert all(found.values())


def test_signed_requests_are_ordinary_transactions(house: House, scheduled: Launch) -> None:
    house.to_open(scheduled)
    requests: tuple[Request, ...] = house.room.prepare_bid(scheduled.id, ANN, 7, 10 * DOLLAR)

    with pytest.raises(Reverted, match=r"refused|balance|short"):
        house.sign(requests)
