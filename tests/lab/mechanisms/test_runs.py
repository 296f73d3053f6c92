"""Whole runs under every attack: books that add up to the unit, and sellers who sell only what they hold."""

from __future__ import annotations

import pytest

from mercato.lab.adversaries import ADVERSARIES, Place
from mercato.lab.mechanisms import MECHANISMS
from mercato.lab.study import load
from mercato.lab.tape import draw
from mercato.lab.world import World
from tests.lab.mechanisms.traffic import balance

STUDY = load()
TAPE = draw(7, STUDY.people, STUDY.value)


@pytest.mark.parametrize("adversary", ADVERSARIES)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_the_books_of_a_whole_run_add_up(mechanism: str, adversary: str) -> None:
    venue = MECHANISMS[mechanism](TAPE.economy)
    attack = ADVERSARIES[adversary](STUDY.attacks[adversary][-1], Place(TAPE.seed, venue.block_ms))
    World(venue, TAPE, attack).run((mechanism, adversary))

    assert balance(venue, TAPE.economy) == (0, 0)
    assert min(venue.ledger.tokens.values(), default=0) >= 0
    assert min(*venue.held(), *venue.ledger.fees.values()) >= 0
    assert set(venue.ledger.escrow.values()) <= {0}
