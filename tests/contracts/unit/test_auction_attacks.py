"""Every way that somebody may try to gain from an auction, or to break it, mounted for real."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mercato.chains import Address, Deployed, Reverted
from mercato.chains.evm.local import LocalChain
from mercato.launch.clearing import Clearing, Fill
from mercato.launch.stage import OPERATOR, Stage, stage
from tests.contracts.auctions import DOLLAR, ORDINARY, held, who
from tests.contracts.compiled import hostile
from tests.contracts.unit.test_auction import HOUR, MINUTE, WINDOW, staged

ANN, BEN, CLEO, DAN, EVE = (who(number) for number in range(1, 6))  # the first three have 100,000 dollars each
#: More than the whole sale costs at level 100.
PLENTY = 400_000 * DOLLAR


def bid(on: Stage, person: Address, level: int, amount: int) -> None:
    on.fund(person, amount)
    on.auction.send("bid", level, amount, sender=person)


def settled(on: Stage, *bids: tuple[Address, int, int]) -> tuple[Fill, ...]:
    """Clears, claims each bid, and returns what its bidder holds."""
    on.over()
    on.auction.send("clear", sender=OPERATOR)
    for person, level, _ in bids:
        on.auction.send("claim", person, level, sender=OPERATOR)
    return tuple(held(on, person, amount) for person, _, amount in bids)


# Sybil splitting


def test_sybil_splitting_gains_no_tokens_and_saves_no_quote() -> None:
    sums = []
    for parts in (1, 7):
        on = stage(LocalChain(), ORDINARY)
        on.open()
        mine = [(who(10 + n), 100, 90_000_000_001 // parts) for n in range(parts)]
        mine[0] = (mine[0][0], 100, 90_000_000_001 - sum(amount for *_, amount in mine[1:]))
        for each in (*mine, (ANN, 100, PLENTY)):
            bid(on, *each)
        fills = settled(on, *mine)
        sums.append((sum(fill.tokens for fill in fills), sum(fill.charge for fill in fills)))

    assert sums[1][0] <= sums[0][0]
    assert sums[1][1] >= sums[0][1]


# Last-block look


def test_the_last_bid_gets_what_the_first_one_gets() -> None:
    mine, others = (DAN, 120, 10_000 * DOLLAR), [(who(10 + n), 60 + n, 20_000 * DOLLAR) for n in range(12)]
    outcomes = []
    for mine_first in (True, False):
        on = staged()
        on.open()
        for each in [mine, *others] if mine_first else others:
            bid(on, *each)
        on.at(on.window[2] - 10)
        for each in [] if mine_first else [mine]:
            bid(on, *each)
        outcomes.append(settled(on, mine, *others))

    assert outcomes[0] == outcomes[1]


def test_a_large_bid_in_the_last_ten_minutes_extends_by_ten_but_not_past_two_hours() -> None:
    on = staged()
    closes = on.window[2]
    on.open()
    bid(on, ANN, 50, 50_000 * DOLLAR)
    for n in range(20):
        on.at(on.auction.read("end") - 5 * MINUTE)
        before = on.auction.read("end")
        bid(on, who(10 + n), 0, 2_000 * DOLLAR)
        assert on.auction.read("end") == min(before + 10 * MINUTE, closes + 2 * HOUR)

    assert on.auction.read("end") == closes + 2 * HOUR
    assert on.state() == "EXTENDED"


def test_a_small_bid_or_an_early_one_extends_nothing() -> None:
    on = staged()
    closes = on.window[2]
    on.open()
    bid(on, ANN, 50, 50_000 * DOLLAR)
    on.at(closes - 10 * MINUTE - 10)
    bid(on, BEN, 0, 2_000 * DOLLAR)
    on.at(closes - MINUTE)
    bid(on, CLEO, 0, 519 * DOLLAR)

    assert on.auction.read("end") == closes


def test_raising_much_in_the_last_minutes_extends_like_a_bid() -> None:
    on = staged()
    on.open()
    bid(on, ANN, 50, 50_000 * DOLLAR)
    on.at(on.window[2] - MINUTE)
    on.auction.send("improve", 50, 80, 1_000 * DOLLAR, sender=ANN)

    assert on.auction.read("end") == on.window[2] + 10 * MINUTE


# Phantom demand


def test_demand_that_stands_at_the_lock_stays_or_rises() -> None:
    on = staged()
    on.open()
    bid(on, ANN, 50, 50_000 * DOLLAR)
    on.at(on.window[1])

    with pytest.raises(Reverted, match="auction: bids are firm"):
        on.auction.send("cancel", 50, 50_000 * DOLLAR, sender=ANN)
    with pytest.raises(Reverted, match="auction: level out of range"):
        on.auction.send("improve", 50, 0, 50_000 * DOLLAR, sender=ANN)
    on.auction.send("improve", 50, 60, 50_000 * DOLLAR, sender=ANN)
    assert on.auction.read("demand", 60) == on.auction.read("total") == 50_000 * DOLLAR


# Dust and level spam


def test_spam_on_every_level_pays_the_least_bid_and_moves_no_price() -> None:
    results = []
    for spammed in (0, 60):
        on = stage(LocalChain(), replace(ORDINARY, min_bid=5 * DOLLAR))
        on.open()
        bid(on, ANN, 100, PLENTY)
        for n in range(spammed):
            bid(on, who(10 + n), n, 5 * DOLLAR)
        (fill,) = settled(on, (ANN, 100, PLENTY))
        results.append((on.auction.read("result"), fill))

    assert results[0] == results[1]
    with pytest.raises(Reverted, match="auction: bid too small"):
        bid(staged_open(), ANN, 0, 1)


def staged_open() -> Stage:
    on = staged()
    on.open()
    return on


# Collusion at the floor


def test_bidders_who_agree_on_the_floor_still_pay_the_floor() -> None:
    on = staged_open()
    bid(on, DAN, 0, 100 * DOLLAR)
    (fill,) = settled(on, (DAN, 0, 100 * DOLLAR))

    assert fill.charge * 2**96 >= fill.tokens * ORDINARY.floor_q96
    assert on.token.read("balanceOf", on.auction.address) == 0  # the rest was burnt, nobody gets it cheaper


# Re-entrancy, and quote tokens that misbehave


def odd_stage(name: str = "odd_dollar") -> Stage:
    """Returns an open auction whose quote token is one of the tests' own."""
    chain = LocalChain()
    on = stage(chain, replace(ORDINARY, **WINDOW), quote=hostile(chain, name))
    for person in (ANN, BEN, CLEO):
        on.fund(person, 200_000 * DOLLAR)
    on.open()
    return on


REENTRY: dict[str, tuple[object, ...]] = {
    "bid": (100, 10 * DOLLAR),
    "improve": (100, 101, 10 * DOLLAR),
    "cancel": (100, 10 * DOLLAR),
    "clear": (),
    "graduate": (),
    "expire": (),
    "claim": (ANN, 100),
    "hand_over": (),
}


@pytest.mark.parametrize("function", REENTRY)
def test_a_quote_token_that_calls_back_gets_nowhere(function: str) -> None:
    on = odd_stage()
    message = on.auction.interface.encode(function, *REENTRY[function])
    on.quote.send("call_back", on.auction.address, message, sender=OPERATOR)
    on.auction.send("bid", 100, 100_000 * DOLLAR, sender=ANN)
    on.auction.send("bid", 20, 100_000 * DOLLAR, sender=BEN)
    on.auction.send("cancel", 20, 50_000 * DOLLAR, sender=BEN)
    on.over()
    on.auction.send("clear", sender=OPERATOR)
    for person, level in ((ANN, 100), (BEN, 20)):
        on.auction.send("claim", person, level, sender=OPERATOR)

    assert on.state() == "LIVE"
    assert on.quote.read("tried") >= 5
    assert on.quote.read("reentered") == 0
    assert on.quote.read("balanceOf", BEN) == 200_000 * DOLLAR


def test_a_quote_token_that_keeps_a_fee_is_refused() -> None:
    on = odd_stage()
    on.quote.send("set_fee", 1, sender=OPERATOR)

    with pytest.raises(Reverted, match="escrow: money arrived short"):
        on.auction.send("bid", 100, 100_000 * DOLLAR, sender=ANN)


def test_a_quote_token_that_says_no_is_refused() -> None:
    on = odd_stage()
    on.quote.send("set_refusing", True, sender=OPERATOR)

    with pytest.raises(Reverted, match="escrow: money refused"):
        on.auction.send("bid", 100, 100_000 * DOLLAR, sender=ANN)


def test_a_quote_token_that_says_nothing_is_taken() -> None:
    on = odd_stage("silent_dollar")
    on.auction.send("bid", 100, 100_000 * DOLLAR, sender=ANN)
    on.auction.send("bid", 0, 10 * DOLLAR, sender=BEN)
    on.auction.send("cancel", 0, 5 * DOLLAR, sender=BEN)
    on.over()
    on.auction.send("clear", sender=OPERATOR)
    on.auction.send("claim", BEN, 0, sender=OPERATOR)

    assert on.quote.read("balanceOf", BEN) == 200_000 * DOLLAR


def test_a_barred_bidder_blocks_nobody_but_themselves() -> None:
    on = odd_stage()
    on.auction.send("bid", 100, 100_000 * DOLLAR, sender=ANN)
    on.auction.send("bid", 1, 10 * DOLLAR, sender=BEN)
    on.auction.send("bid", 1, 10 * DOLLAR, sender=CLEO)
    on.quote.send("bar", BEN, True, sender=OPERATOR)
    on.over()
    on.auction.send("clear", sender=OPERATOR)

    with pytest.raises(Reverted, match="dollar: barred"):
        on.auction.send("claim", BEN, 1, sender=BEN)
    on.auction.send("claim", CLEO, 1, sender=CLEO)
    on.quote.send("bar", BEN, False, sender=OPERATOR)
    on.auction.send("claim", BEN, 1, sender=BEN)
    assert on.quote.read("balanceOf", BEN) == on.quote.read("balanceOf", CLEO) == 200_000 * DOLLAR


def test_a_barred_graduator_leads_to_refunds_and_not_to_a_loss() -> None:
    on = odd_stage()
    on.auction.send("bid", 100, 100_000 * DOLLAR, sender=ANN)
    on.quote.send("bar", Address(on.auction.read("params")[2]), True, sender=OPERATOR)
    on.over()
    on.auction.send("clear", sender=OPERATOR)
    assert on.state() == "CLEARED_PENDING"
    on.at(on.chain.time() + 7 * 24 * HOUR)
    on.auction.send("expire", sender=CLEO)
    on.auction.send("claim", ANN, 100, sender=CLEO)

    assert on.quote.read("balanceOf", ANN) == 200_000 * DOLLAR


def test_a_quote_token_that_shrinks_pays_claims_one_by_one_as_far_as_it_goes() -> None:
    on = odd_stage()
    for person in (ANN, BEN, CLEO):
        on.auction.send("bid", 0, 10_000 * DOLLAR, sender=person)
    on.quote.send("rebase", 5_000, sender=OPERATOR)
    on.over()
    on.auction.send("clear", sender=OPERATOR)

    # The raise is no longer there: nothing graduates. The allow-list of the factory keeps such tokens out.
    assert on.state() == "CLEARED_PENDING"
    on.at(on.chain.time() + 7 * 24 * HOUR)
    on.auction.send("expire", sender=CLEO)
    on.auction.send("claim", ANN, 0, sender=ANN)
    with pytest.raises(Reverted):
        on.auction.send("claim", BEN, 0, sender=BEN)


# Block time and sequencer outage


def outage(answer: int, since: int, *, failing: bool = False, bidding: bool = True) -> tuple[Stage, Deployed]:
    """Returns an auction past its end whose uptime feed says this; `since` is in seconds from the end."""
    chain = LocalChain()
    feed = hostile(chain, "uptime_feed")
    on = staged(chain=chain, uptime=feed.address)
    on.open()
    bid(on, ANN, 100, PLENTY)
    feed.send("set", answer, on.window[2] + since, failing, sender=OPERATOR)
    on.at(on.window[2])
    return on, feed


@pytest.mark.parametrize("since", [-59 * MINUTE, -MINUTE])
def test_an_outage_shortly_before_the_end_gives_an_hour_after_it_once(since: int) -> None:
    on, feed = outage(0, since)
    closes = on.window[2]

    assert on.auction.read("end") == closes + since + HOUR
    assert (on.state(), on.auction.read("due")) == ("EXTENDED", False)
    bid(on, BEN, 120, 5 * DOLLAR)
    feed.send("set", 1, on.chain.time(), False, sender=OPERATOR)
    on.over()
    on.auction.send("clear", sender=OPERATOR)
    assert on.state() == "LIVE"


def test_clearing_too_soon_after_an_outage_only_moves_the_end() -> None:
    on, _ = outage(0, -MINUTE)
    (event,) = on.auction.events(on.auction.send("clear", sender=OPERATOR))

    assert (event.name, event.values) == ("Extended", {"end": on.window[2] + 59 * MINUTE})
    assert on.state() == "EXTENDED"
    with pytest.raises(Reverted, match="auction: window is open"):
        on.auction.send("clear", sender=OPERATOR)


def test_an_outage_that_outlasts_the_end_reopens_the_window_when_service_is_back() -> None:
    on, _ = outage(0, 5 * HOUR)
    on.at(on.window[2] + 5 * HOUR + MINUTE)
    bid(on, BEN, 120, 5 * DOLLAR)

    assert on.auction.read("end") == on.window[2] + 6 * HOUR


@pytest.mark.parametrize(
    ("answer", "since", "failing"), [(0, -61 * MINUTE, False), (0, -99 * HOUR, False), (1, 0, True)]
)
def test_service_that_was_there_and_a_feed_that_fails_extend_nothing(answer: int, since: int, failing: bool) -> None:
    on, _ = outage(answer, since, failing=failing)

    assert on.auction.read("due")
    with pytest.raises(Reverted, match="auction: window is over"):
        on.auction.send("bid", 0, 10 * DOLLAR, sender=ANN)
    on.auction.send("clear", sender=OPERATOR)
    assert on.state() == "LIVE"


def test_a_feed_that_says_down_for_ever_delays_by_an_hour_and_no_more() -> None:
    on, _ = outage(1, 0)
    on.auction.send("clear", sender=OPERATOR)
    assert on.state() == "EXTENDED"
    on.over()
    on.auction.send("clear", sender=OPERATOR)

    assert on.state() == "LIVE"


def test_blocks_of_any_length_change_nothing_but_the_clock() -> None:
    slow, fast = staged(), staged()
    for on, blocks in ((slow, 1), (fast, 500)):
        on.open()
        bid(on, EVE, 100, PLENTY)
        on.chain.mine(blocks)
    fills = [settled(on, (EVE, 100, PLENTY)) for on in (slow, fast)]

    assert fills[0] == fills[1]


# Censorship and keepers


def test_a_bid_counts_alike_whoever_brings_it_in_whichever_hour() -> None:
    outcomes = []
    for hour in (0, 9, 17, 23):
        on = staged()
        on.open()
        on.at(on.window[0] + hour * HOUR)
        bid(on, EVE, 100, PLENTY)
        outcomes.append(settled(on, (EVE, 100, PLENTY)))

    assert len(set(outcomes)) == 1


def test_without_any_keeper_strangers_clear_and_claim_even_years_later() -> None:
    on = staged_open()
    bid(on, EVE, 100, PLENTY)
    on.at(on.window[2] + 3 * 365 * 24 * HOUR)
    on.auction.send("clear", sender=CLEO)
    on.auction.send("claim", EVE, 100, sender=DAN)
    found = Clearing(*on.auction.read("result"))

    assert held(on, EVE, PLENTY).charge == found.raised


def test_starving_the_graduation_of_gas_clears_nothing() -> None:
    on = staged_open()
    bid(on, EVE, 100, PLENTY)
    on.over()
    states = {gas: cleared_with(on, gas) for gas in range(150_000, 700_000, 10_000)}

    assert set(states.values()) == {"LOCKED", "LIVE"}
    assert sorted(states.values(), reverse=True) == list(states.values())


def cleared_with(on: Stage, gas: int) -> str:
    """Returns the state after clearing with so little gas, and undoes it."""
    kept = on.chain.snapshot()
    on.chain.wait(on.chain.send(replace(on.auction.call("clear", sender=DAN), gas=gas)))
    state = on.state()
    on.chain.revert(kept)
    return state
