"""The auction step by step: its window, its books, its end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mercato.chains import Reverted
from mercato.chains.evm.local import LocalChain
from mercato.launch.clearing import Q96, RETAIL, grid
from mercato.launch.credentials import AllowList
from mercato.launch.stage import OPERATOR, Sale, Stage, stage
from tests.contracts.auctions import DOLLAR, ORDINARY, who
from tests.contracts.compiled import hostile

ANN, BEN, CLEO = who(1), who(2), who(3)
MINUTE, HOUR, DAY = 60, 3_600, 86_400
WINDOW = {"opens": HOUR, "locks": 19 * HOUR, "closes": 25 * HOUR}


def staged(**changes: Any) -> Stage:
    """Returns an auction before a real window, Ann and Ben on its retail list, everybody with 100,000 dollars."""
    around = {name: changes.pop(name) for name in ("graduator", "uptime", "retail_cap_each") if name in changes}
    chain = changes.pop("chain", None) or LocalChain()
    on = stage(chain, replace(ORDINARY, **(WINDOW | changes)), retail=(ANN, BEN), **around)
    for person in (ANN, BEN, CLEO):
        on.fund(person, 100_000 * DOLLAR)
    return on


@pytest.fixture
def on() -> Stage:
    on = staged()
    on.open()
    return on


def test_the_states_follow_the_clock_alone() -> None:
    on = staged()
    opens, locks, closes = on.window

    assert on.state() == "SCHEDULED"
    for time, state in ((opens, "OPEN"), (locks - 1, "OPEN"), (locks, "LOCKED"), (closes, "LOCKED")):
        on.chain.mine(seconds=time - on.chain.time())
        assert (on.state(), on.auction.read("due")) == (state, time == closes)


def test_a_bid_is_written_into_every_book(on: Stage) -> None:
    receipt = on.auction.send("bid", 7, 10 * DOLLAR, sender=ANN)
    on.auction.send("bid", 7, 5 * DOLLAR, sender=ANN)
    on.auction.send("bid", 6, 20 * DOLLAR, sender=BEN)
    (event,) = on.auction.events(receipt)

    assert (event.name, event.values) == ("BidPlaced", {"bidder": ANN, "level": 7, "amount": 10 * DOLLAR})
    assert on.auction.read("bids", ANN, 7) == on.auction.read("demand", 7) == 15 * DOLLAR
    assert on.auction.read("demands")[5:9] == (0, 20 * DOLLAR, 15 * DOLLAR, 0)
    assert on.auction.read("total") == on.quote.read("balanceOf", on.auction.address) == 35 * DOLLAR


@pytest.mark.parametrize(
    ("level", "amount", "reason"),
    [
        (256, 10 * DOLLAR, "auction: level out of range"),
        (RETAIL, 10 * DOLLAR, "auction: level out of range"),
        (0, 5 * DOLLAR - 1, "auction: bid too small"),
        (0, 0, "auction: bid too small"),
        (0, 2**112, "auction: amount out of range"),
        (0, 100_001 * DOLLAR, "erc20: balance too small"),
    ],
)
def test_a_bid_that_cannot_be_is_refused(on: Stage, level: int, amount: int, reason: str) -> None:
    with pytest.raises(Reverted, match=reason):
        on.auction.send("bid", level, amount, sender=ANN)


def test_no_more_is_bid_than_the_mathematics_can_hold(on: Stage) -> None:
    on.quote.send("faucet", ANN, 2**112, sender=ANN)
    on.auction.send("bid", 0, 2**112 - 1, sender=ANN)

    with pytest.raises(Reverted, match="auction: too much demand"):
        on.auction.send("bid", 0, 5 * DOLLAR, sender=BEN)


def test_nobody_bids_before_the_window_or_after_it() -> None:
    on = staged()

    with pytest.raises(Reverted, match="auction: not open yet"):
        on.auction.send("bid", 0, 10 * DOLLAR, sender=ANN)
    on.over()
    with pytest.raises(Reverted, match="auction: window is over"):
        on.auction.send("bid", 0, 10 * DOLLAR, sender=ANN)


def test_improving_moves_escrow_upwards_only(on: Stage) -> None:
    on.auction.send("bid", 7, 15 * DOLLAR, sender=ANN)
    (event,) = on.auction.events(on.auction.send("improve", 7, 9, 10 * DOLLAR, sender=ANN))

    assert event.values == {"bidder": ANN, "from_level": 7, "to_level": 9, "amount": 10 * DOLLAR}
    assert on.auction.read("demands")[7:10] == (5 * DOLLAR, 0, 10 * DOLLAR)
    for down in ((9, 7), (9, 9), (9, 256)):
        with pytest.raises(Reverted, match="auction: level out of range"):
            on.auction.send("improve", *down, 10 * DOLLAR, sender=ANN)
    with pytest.raises(Reverted, match="auction: more than was bid"):
        on.auction.send("improve", 7, 9, 6 * DOLLAR, sender=ANN)
    with pytest.raises(Reverted, match="auction: rest too small"):
        on.auction.send("improve", 7, 9, 3 * DOLLAR, sender=ANN)


def test_cancelling_gives_the_escrow_back_until_the_lock(on: Stage) -> None:
    on.auction.send("bid", 7, 15 * DOLLAR, sender=ANN)
    (event,) = on.auction.events(on.auction.send("cancel", 7, 10 * DOLLAR, sender=ANN))

    assert event.values == {"bidder": ANN, "level": 7, "amount": 10 * DOLLAR}
    assert on.quote.read("balanceOf", ANN) == 99_995 * DOLLAR
    assert on.auction.read("total") == on.auction.read("demand", 7) == 5 * DOLLAR
    on.at(on.window[1])
    with pytest.raises(Reverted, match="auction: bids are firm"):
        on.auction.send("cancel", 7, 5 * DOLLAR, sender=ANN)


def test_retail_bids_pass_the_gate_and_are_capped_by_identity() -> None:
    on = staged(retail_cap_each=100 * DOLLAR)
    on.open()
    listed = AllowList.of((ANN, BEN))
    on.auction.send("bid_retail", 60 * DOLLAR, listed.credential(ANN), sender=ANN)

    assert on.auction.read("retail_demand") == on.auction.read("bids", ANN, RETAIL) == 60 * DOLLAR
    with pytest.raises(Reverted, match="auction: above the cap of one identity"):
        on.auction.send("bid_retail", 41 * DOLLAR, listed.credential(ANN), sender=ANN)
    with pytest.raises(Reverted, match="gate: bidder not admitted"):
        on.auction.send("bid_retail", 10 * DOLLAR, listed.credential(ANN), sender=CLEO)
    on.auction.send("cancel", RETAIL, 60 * DOLLAR, sender=ANN)
    assert on.auction.read("retail_demand") == on.auction.read("total") == 0


def test_an_auction_without_a_gate_has_no_retail_tranche() -> None:
    on = stage(LocalChain(), ORDINARY)
    on.open()

    with pytest.raises(Reverted, match="auction: no retail tranche"):
        on.auction.send("bid_retail", 10 * DOLLAR, b"", sender=ANN)


def test_prices_are_the_grid_of_the_model(on: Stage) -> None:
    expected = grid(ORDINARY.floor_q96, 200)

    assert [on.auction.read("price", level) for level in (0, 1, 100, 255)] == [expected[n] for n in (0, 1, 100, 255)]
    with pytest.raises(Reverted, match="auction: level out of range"):
        on.auction.read("price", 256)


def test_clearing_graduates_and_burns_what_nobody_needs(on: Stage) -> None:
    on.auction.send("bid", 0, 20_000 * DOLLAR, sender=ANN)
    on.over()
    events = on.auction.events(on.auction.send("clear", sender=CLEO))
    sold = on.auction.read("result")[2]

    assert on.state() == "LIVE"
    assert [event.name for event in events] == ["Cleared", "Graduated"]
    assert on.token.read("live")
    assert ORDINARY.sale // 2 - 10**18 < sold <= ORDINARY.sale // 2 + 10**18
    assert on.token.read("totalSupply") == sold + events[1].values["tokens"]
    assert on.token.read("balanceOf", on.auction.address) == sold
    with pytest.raises(Reverted, match="auction: already settled"):
        on.auction.send("clear", sender=CLEO)


def test_nobody_clears_or_claims_before_the_end(on: Stage) -> None:
    on.auction.send("bid", 0, 20_000 * DOLLAR, sender=ANN)

    with pytest.raises(Reverted, match="auction: window is open"):
        on.auction.send("clear", sender=CLEO)
    with pytest.raises(Reverted, match="auction: not decided yet"):
        on.auction.send("claim", ANN, 0, sender=ANN)


def test_too_small_a_raise_fails_and_refunds_everything() -> None:
    on = staged(raise_min=20_001 * DOLLAR)
    on.open()
    on.auction.send("bid", 0, 20_000 * DOLLAR, sender=ANN)
    on.over()
    (event,) = on.auction.events(on.auction.send("clear", sender=CLEO))
    on.auction.send("claim", ANN, 0, sender=CLEO)

    assert (event.name, event.values) == ("Failed", {"total": 20_000 * DOLLAR})
    assert on.state() == "FAILED"
    assert not on.token.read("live")
    assert on.quote.read("balanceOf", ANN) == 100_000 * DOLLAR


def test_a_claim_is_paid_once_and_to_its_bidder(on: Stage) -> None:
    on.auction.send("bid", 0, 20_000 * DOLLAR, sender=ANN)
    on.over()
    on.auction.send("clear", sender=CLEO)
    (event,) = on.auction.events(on.auction.send("claim", ANN, 0, sender=CLEO))

    assert event.values["tokens"] == on.token.read("balanceOf", ANN) > 0
    assert event.values["charge"] == 20_000 * DOLLAR
    with pytest.raises(Reverted, match="auction: nothing to claim"):
        on.auction.send("claim", ANN, 0, sender=ANN)


def test_only_the_curator_aborts_and_only_before_the_window() -> None:
    on = staged()

    with pytest.raises(Reverted, match="auction: only the curator"):
        on.auction.send("abort", sender=ANN)
    kept = on.chain.snapshot()
    on.auction.send("abort", sender=OPERATOR)
    assert (on.state(), on.auction.read("end"), on.auction.read("due")) == ("ABORTED", 0, False)
    on.open()
    for name, args in (("bid", (0, 10 * DOLLAR)), ("clear", ())):
        with pytest.raises(Reverted, match="auction: already settled"):
            on.auction.send(name, *args, sender=ANN)
    on.chain.revert(kept)
    on.open()
    with pytest.raises(Reverted, match="auction: too late to abort"):
        on.auction.send("abort", sender=OPERATOR)


def pending() -> tuple[Stage, Any]:
    """Returns an auction that cleared while its graduator failed, and the graduator."""
    chain = LocalChain()
    graduator = hostile(chain, "plain_graduator")
    on = staged(chain=chain, graduator=graduator.address)
    on.open()
    on.auction.send("bid", 100, 60_000 * DOLLAR, sender=ANN)
    graduator.send("set_failing", True, sender=OPERATOR)
    on.over()
    events = on.auction.events(on.auction.send("clear", sender=CLEO))
    assert [event.name for event in events] == ["Cleared", "Pending"]
    return on, graduator


def test_a_graduation_that_fails_leaves_the_raise_in_the_auction_until_someone_retries() -> None:
    on, graduator = pending()

    assert on.state() == "CLEARED_PENDING"
    assert on.quote.read("balanceOf", on.auction.address) == 60_000 * DOLLAR
    assert not on.token.read("live")
    with pytest.raises(Reverted, match="graduator: told to fail"):
        on.auction.send("graduate", sender=BEN)
    with pytest.raises(Reverted, match="auction: not decided yet"):
        on.auction.send("claim", ANN, 100, sender=ANN)
    graduator.send("set_failing", False, sender=OPERATOR)
    on.auction.send("graduate", sender=BEN)

    assert on.state() == "LIVE"
    assert on.quote.read("balanceOf", graduator.address) == graduator.read("raised") == 60_000 * DOLLAR
    assert graduator.read("lp_quote") == 45_000 * DOLLAR
    with pytest.raises(Reverted, match="auction: nothing to graduate"):
        on.auction.send("graduate", sender=BEN)


def test_after_seven_days_anyone_fails_a_pending_auction_and_refunds_open() -> None:
    on, _ = pending()
    cleared = on.chain.time()

    with pytest.raises(Reverted, match="auction: graduation may still be retried"):
        on.auction.send("expire", sender=BEN)
    on.at(cleared + 7 * DAY)
    on.auction.send("expire", sender=BEN)
    on.auction.send("claim", ANN, 100, sender=BEN)

    assert on.state() == "FAILED"
    assert on.quote.read("balanceOf", ANN) == 100_000 * DOLLAR
    with pytest.raises(Reverted, match="auction: nothing to graduate"):
        on.auction.send("graduate", sender=BEN)


def test_nobody_but_the_auction_itself_hands_over() -> None:
    on, _ = pending()

    with pytest.raises(Reverted, match="auction: only itself"):
        on.auction.send("hand_over", sender=OPERATOR)


BAD_TERMS = {
    "sale out of range": {"sale": 2**112},
    "retail cap above the sale": {"retail_cap": ORDINARY.sale + 1},
    "least raise out of range": {"raise_min": 2**112},
    "levels out of range": {"levels": 257},
    "step out of range": {"step_bps": 0},
    "least bid out of range": {"min_bid": 0},
    "liquidity share out of range": {"lp_bps": 10_001},
    "window out of order": {"locks": HOUR},
    "floor out of range": {"floor_q96": 0},
    "top level out of range": {"floor_q96": 2**127},
}


@pytest.mark.parametrize("reason", BAD_TERMS)
def test_terms_that_cannot_be_are_refused(reason: str) -> None:
    with pytest.raises(Reverted, match=f"auction: {reason}"):
        staged(**BAD_TERMS[reason])


def test_a_sale_at_a_price_of_one_unit_is_possible() -> None:
    on = stage(LocalChain(), Sale(sale=10**18, floor_q96=Q96))
    on.fund(ANN, 10**20)
    on.open()
    on.auction.send("bid", 255, 10**18, sender=ANN)
    on.over()
    on.auction.send("clear", sender=ANN)

    assert on.auction.read("result")[:3] == (0, 10**18, 10**18)
