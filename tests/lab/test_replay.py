"""Whole runs of the lab's auction, replayed on the contracts: bids, improvements, cancels, clearing, claims, trades."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from mercato.lab.adversaries import ADVERSARIES, BASELINES, Place
from mercato.lab.model import DOLLAR, HOUR, Economy
from mercato.lab.study import load
from mercato.lab.tape import draw
from mercato.lab.world import World
from tests.contracts.auctions import who
from tests.contracts.house import TREASURY
from tests.lab.replay import RICH, Recorded, Replay, balance

ECONOMY = Economy(low=250_000 * DOLLAR, high=1_000_000 * DOLLAR)


def drawn(seed: int, people: int) -> Recorded:
    """Returns a launch in which people bid, improve, cancel and trade at random, some late enough to extend it."""
    dice, venue = random.Random(seed), Recorded(ECONOMY)
    venue.advance(0)
    tickets = [venue.bid(0, 30_000 * DOLLAR, limit(dice)) or 0]
    for at in sorted(dice.randrange(24 * HOUR) for _ in range(4 * people)):
        venue.advance(at // 2_000 * 2_000)
        doings: tuple[Callable[[], object], ...] = (
            lambda: tickets.extend(bids(dice, venue, people)),
            lambda: venue.raise_bid(dice.choice(tickets), dice.choice((0, 17 * DOLLAR + 1)), limit(dice)),
            lambda: venue.cancel(dice.choice(tickets)),
        )
        dice.choices(doings, (4, 3, 1))[0]()
    for second in (2, 0):  # the second one only because the first extends the window
        venue.advance(24 * HOUR - second * 1_000)
        venue.bid(1, 100_000 * DOLLAR, limit(dice))
    for at in sorted(dice.randrange(26 * HOUR, 50 * HOUR) for _ in range(3 * people)):
        venue.advance(at // 2_000 * 2_000)
        person = dice.randrange(people)
        trades(dice, venue, person)
    return venue


def bids(dice: random.Random, venue: Recorded, people: int) -> list[int]:
    """Places a bid of anybody; returns its ticket where it was taken."""
    retail = dice.random() < 0.4
    amount = dice.randrange(5 * DOLLAR, 450 * DOLLAR) * (1 if retail else 40)
    ticket = venue.bid(dice.randrange(people), amount, limit(dice), retail)
    return [] if ticket is None else [ticket]


def trades(dice: random.Random, venue: Recorded, person: int) -> None:
    """Buys, or sells a part of what somebody holds, in the pool."""
    held = venue.ledger.tokens[person]
    doings: tuple[Callable[[], object], ...] = (
        lambda: venue.buy(person, dice.randrange(1, 9_000 * DOLLAR)),
        lambda: venue.sell(person, dice.randrange(held + 1)),
    )
    dice.choice(doings)()


def limit(dice: random.Random) -> int:
    """Returns a limit at up to five times the floor."""
    return ECONOMY.floor_q96 * dice.randrange(100, 500) // 100


def run(seed: int, adversary: str) -> Recorded:
    """Returns a launch of the registered study under an adversary, from its opening to the horizon."""
    study = load()
    tape = draw(seed, study.people, study.value)
    venue = Recorded(tape.economy)
    point = study.attacks.get(adversary, ({},))[-1]
    attack = {**ADVERSARIES, **BASELINES}[adversary](point, Place(seed, venue.block_ms))
    World(venue, tape, attack).run(("lca", adversary))
    return venue


def check(venue: Recorded) -> set[str]:
    """Plays a run on the chain and compares everything that anybody holds, in wei; returns what was done in it."""
    replay, books = Replay(venue), venue.ledger
    sale, dollar = replay.play(), replay.house.dollar
    creator, treasury = sale.pool.read("owed")
    dollars = {person: balance(dollar, who(person)) - RICH for person in replay.people}

    assert dollars == {person: books.received[person] - books.charged[person] for person in replay.people}
    assert all(balance(sale.token, who(person)) == books.tokens[person] for person in replay.people)
    assert sale.pool.read("reserves") == tuple(reversed(venue.reserves() or (0, 0)))
    assert balance(dollar, sale.auction.address) + balance(dollar, sale.escrow.address) == venue.idle[0]
    assert creator == books.fees["creator"]
    assert balance(dollar, TREASURY) + treasury == books.fees["protocol"]
    return {act.name for act in venue.acts}


@pytest.mark.parametrize("seed", range(3))
def test_a_launch_at_random_ends_on_the_chain_as_in_the_lab_to_the_wei(seed: int) -> None:
    venue = drawn(seed, people=25)

    assert check(venue) == {"bid", "bid_retail", "improve", "cancel", "buy", "sell"}
    assert venue.book.closes > 24 * HOUR


@pytest.mark.parametrize(("seed", "adversary"), [(0, "none"), (1, "griefer"), (2, "sybil")])
def test_a_run_of_the_study_ends_on_the_chain_as_in_the_lab_to_the_wei(seed: int, adversary: str) -> None:
    assert {"bid", "bid_retail", "buy", "sell"} <= check(run(seed, adversary))


@pytest.mark.nightly
@pytest.mark.parametrize("adversary", ADVERSARIES)
@pytest.mark.parametrize("seed", range(3, 6))
def test_runs_under_every_attack_end_on_the_chain_as_in_the_lab(seed: int, adversary: str) -> None:
    check(run(seed, adversary))


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(3, 30))
def test_many_launches_at_random_end_on_the_chain_as_in_the_lab(seed: int) -> None:
    check(drawn(seed, people=60))
