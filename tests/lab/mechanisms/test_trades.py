"""What holds of every venue that sells by trades: nothing appears or vanishes, and quotes are kept."""

from __future__ import annotations

import pytest

from mercato.lab.mechanisms.port import Venue
from mercato.lab.mechanisms.trades import TRADES
from mercato.lab.model import DOLLAR, MINUTE
from tests.lab.mechanisms.traffic import ECONOMY, HORIZON, balance, moments, play


@pytest.fixture(params=list(TRADES.values()), ids=list(TRADES))
def venue(request: pytest.FixtureRequest) -> Venue:
    """Returns a fresh venue of each mechanism."""
    made: Venue = request.param(ECONOMY)
    return made


@pytest.mark.parametrize("seed", range(3))
def test_no_quote_and_no_token_appears_or_vanishes(venue: Venue, seed: int) -> None:
    for action in moments(seed, 400, HORIZON // 400):
        play(venue, action)

        assert balance(venue, ECONOMY) == (0, 0)


def test_a_trade_gives_what_was_quoted_in_the_same_moment(venue: Venue) -> None:
    kept = [promised == given or given == 0 for promised, given in (play(venue, a) for a in moments(7, 300, MINUTE))]

    assert all(kept)


def test_nothing_is_traded_before_the_launch(venue: Venue) -> None:
    venue.advance(-1)

    assert (venue.phase(), venue.quote(DOLLAR), venue.buy(1, DOLLAR), venue.sell(1, 1)) == ("before", 0, 0, 0)


def test_a_purchase_below_its_least_is_refused_and_costs_nothing(venue: Venue) -> None:
    venue.advance(40_000)
    promised = venue.quote(100 * DOLLAR)

    assert promised > 0
    assert venue.buy(1, 100 * DOLLAR, promised + 1) == 0
    assert venue.ledger.charged[1] == 0


def test_nobody_sells_more_than_he_has(venue: Venue) -> None:
    venue.advance(40_000)
    got = venue.buy(1, 100 * DOLLAR)

    assert venue.sell(1, got + 1) == 0
    assert venue.sell(2, 1) == 0


def test_a_round_trip_never_pays(venue: Venue) -> None:
    venue.advance(40_000)
    venue.buy(9, 5_000 * DOLLAR)
    tokens = venue.buy(1, 1_000 * DOLLAR)
    venue.sell(1, tokens)

    assert venue.ledger.received[1] < venue.ledger.charged[1]


def test_the_reserves_price_a_small_purchase_as_the_venue_does(venue: Venue) -> None:
    venue.advance(120_000)
    venue.buy(9, 50_000 * DOLLAR)
    quote, tokens = venue.reserves() or (0, 1)

    assert quote * 2**96 // tokens == pytest.approx(venue.price(), rel=1e-9)
