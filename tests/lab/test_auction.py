"""What holds in every auction venue, whatever people do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.lab.mechanisms.auction import Auction
from mercato.lab.mechanisms.auctions import AUCTIONS
from mercato.lab.model import BPS, DOLLAR, HOUR, Q96, Economy
from tests.profiles import examples

ECONOMY = Economy(low=250_000 * DOLLAR, high=1_000_000 * DOLLAR)
FLOOR = ECONOMY.floor_q96
people = st.integers(0, 4)
times = st.integers(0, 27 * HOUR)
dollars = st.integers(1, 120_000).map(lambda amount: amount * DOLLAR + amount)
limits = st.none() | st.integers(90, 500).map(lambda percent: FLOOR * percent // 100)
steps = st.one_of(
    st.tuples(st.just("bid"), people, dollars, limits, st.booleans()),
    st.tuples(st.just("raise_bid"), st.integers(0, 9), st.just(0) | dollars, limits),
    st.tuples(st.just("cancel"), st.integers(0, 9)),
    st.tuples(st.just("buy"), people, dollars),
    st.tuples(st.just("sell"), people, st.integers(1, 10**26)),
)


def balanced(venue: Auction) -> bool:
    """Returns whether quote and tokens are all somewhere, once."""
    ledger, (quote, tokens) = venue.ledger, venue.held()
    into = sum(ledger.charged.values()) + sum(ledger.escrow.values())
    out = sum(ledger.received.values()) + sum(ledger.fees.values())
    return into == out + quote and ECONOMY.supply == sum(ledger.tokens.values()) + tokens


@pytest.mark.parametrize("name", AUCTIONS)
@given(acts=st.lists(st.tuples(times, steps), max_size=14).map(lambda acts: sorted(acts, key=lambda act: act[0])))
@settings(max_examples=examples(15))
def test_quote_and_tokens_are_conserved_in_every_auction(name: str, acts: list[tuple[int, tuple[Any, ...]]]) -> None:
    venue = AUCTIONS[name](ECONOMY)
    for at, (verb, *given_) in acts:
        venue.advance(at)
        getattr(venue, verb)(*given_)
        assert balanced(venue)
    venue.advance(29 * HOUR)

    assert balanced(venue)
    assert not any(venue.ledger.escrow.values())
    assert venue.ledger.unpaid == 0
    assert all(tokens >= 0 for tokens in venue.ledger.tokens.values())


@pytest.mark.parametrize("name", AUCTIONS)
@given(bids=st.lists(st.tuples(dollars, st.integers(101, 900)), min_size=1, max_size=12))
@settings(max_examples=examples(15))
def test_nobody_pays_above_a_limit(name: str, bids: list[tuple[int, int]]) -> None:
    venue = AUCTIONS[name](ECONOMY)
    for who, (amount, percent) in enumerate(bids):
        venue.advance(who * HOUR)
        venue.bid(who, amount, FLOOR * percent // 100)
    venue.advance(29 * HOUR)
    spent = [(venue.ledger.charged[who], venue.ledger.tokens[who], percent) for who, (_, percent) in enumerate(bids)]

    assert all((paid - 2) * Q96 * 100 <= (tokens + 1) * FLOOR * percent for paid, tokens, percent in spent)


@pytest.mark.parametrize("name", AUCTIONS)
def test_a_launch_that_sells_opens_its_pool_at_the_price_and_shares_out_the_raise(name: str) -> None:
    venue = AUCTIONS[name](ECONOMY)
    before = venue.phase()
    venue.advance(0)
    venue.bid(1, 200_000 * DOLLAR, None)
    primary, price = venue.phase(), venue.price()
    venue.advance(24 * HOUR)
    quote, tokens = venue.reserves() or (0, 0)

    assert (before, primary, venue.phase()) == ("before", "primary", "pool")
    assert abs(venue.price() - price) * 1_000 < price
    assert quote in {venue.raised * bps // BPS for bps in (7_500, 5_000, 4_285)}
    assert venue.ledger.fees == {"protocol": venue.raised * 200 // BPS}
    assert venue.idle[0] >= venue.raised - quote - venue.raised * 200 // BPS
    assert venue.buy(2, 100 * DOLLAR) > 0
    assert tokens < ECONOMY.supply // 2


@pytest.mark.parametrize("name", AUCTIONS)
def test_a_launch_without_bids_fails_and_trades_nothing(name: str) -> None:
    venue = AUCTIONS[name](ECONOMY)
    venue.advance(24 * HOUR)

    assert venue.phase() == "failed"
    assert (venue.buy(1, DOLLAR), venue.price(), venue.reserves()) == (0, 0, None)
