import pytest

from mercato.lab.adversaries import ADVERSARIES, BASELINES, Place
from mercato.lab.mechanisms import MECHANISMS
from mercato.lab.mechanisms.port import Venue
from mercato.lab.model import ADVERSARY, HOUR, Outcome
from mercato.lab.study import load
from mercato.lab.world import World
from tests.lab import small

TAPE = small.tape(2)
POINTS = {name: grid[0] for name, grid in load().attacks.items()}
EVERYBODY = [*BASELINES, *ADVERSARIES]


def attack(mechanism: str, adversary: str) -> tuple[Outcome, Venue]:
    """A run, and the venue as it was left."""
    venue = MECHANISMS[mechanism](TAPE.economy)
    point = POINTS.get(adversary, POINTS["sybil"])
    attacker = (ADVERSARIES | BASELINES)[adversary](point, Place(TAPE.seed, venue.block_ms))
    return World(venue, TAPE, attacker).run((mechanism, adversary)), venue


@pytest.mark.parametrize("mechanism", list(MECHANISMS))
@pytest.mark.parametrize("adversary", EVERYBODY)
def test_every_attack_on_every_mechanism_keeps_the_books_and_ends_in_money(mechanism: str, adversary: str) -> None:
    outcome, venue = attack(mechanism, adversary)
    books = venue.ledger
    quote, tokens = venue.held()

    assert sum(books.charged.values()) + sum(books.escrow.values()) == (
        sum(books.received.values()) + sum(books.fees.values()) + quote
    )
    assert sum(books.tokens.values()) + tokens == TAPE.economy.supply
    assert all(held >= 0 for held in books.tokens.values())
    assert [who for who, held in outcome.tokens.items() if who >= ADVERSARY and venue.worth(held)] == []
    assert outcome == attack(mechanism, adversary)[0]


@pytest.mark.parametrize("mechanism", list(MECHANISMS))
def test_everything_lands_in_a_block_and_is_measured_at_the_same_times(mechanism: str) -> None:
    outcome, venue = attack(mechanism, "latency-sniper")
    times = [at for *_, at in (*outcome.entries, *outcome.exits)]

    assert all(at % venue.block_ms == 0 for at in times)
    assert [depth.at - outcome.closed for depth in outcome.depths] == [0, HOUR, 24 * HOUR]
    assert outcome.closed >= TAPE.economy.window_ms
    assert len(outcome.path) == TAPE.economy.horizon_ms // 600_000


def test_an_adversary_that_pays_for_it_comes_before_the_people_of_its_block() -> None:
    outcome, _ = attack("pump", "insider-bundler")

    assert [who for who, *_ in outcome.entries[:8]] == list(range(ADVERSARY, ADVERSARY + 8))
    assert outcome.rent == 0


def test_rivals_leave_a_fifth_of_a_race_to_its_winner_and_the_rest_to_builders() -> None:
    outcome, _ = attack("pump", "latency-sniper")

    assert outcome.profit > 0
    assert outcome.rent == outcome.profit * 4 // 5


def test_without_an_adversary_only_people_act() -> None:
    outcome, _ = attack("lca", "none")

    assert outcome.profit == 0
    assert all(who < ADVERSARY for who in (*outcome.charged, *outcome.received, *outcome.tokens))
