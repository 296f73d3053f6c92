"""One run of the lab: a mechanism, an adversary with its parameters, and a seed give one outcome, always the same."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

from mercato.core.errors import InvalidInput
from mercato.lab.adversaries import ADVERSARIES, BASELINES, Parameters, Place
from mercato.lab.mechanisms import MECHANISMS
from mercato.lab.model import Outcome, Tape
from mercato.lab.study import People, Value
from mercato.lab.tape import draw
from mercato.lab.world import World

Kind = TypeVar("Kind")


@lru_cache(maxsize=64)
def tape(seed: int, people: People, value: Value) -> Tape:
    """Returns the tape of a seed, drawn once in a process."""
    return draw(seed, people, value)


def run(mechanism: str, adversary: str, parameters: Parameters, order: Tape) -> Outcome:
    """Returns how a launch by a mechanism came out under an adversary. InvalidInput for a name that is not known."""
    known = ADVERSARIES | BASELINES
    venue = _named(MECHANISMS, mechanism, "mechanism")(order.economy)
    attacker = _named(known, adversary, "adversary")(parameters, Place(order.seed, venue.block_ms))
    return World(venue, order, attacker).run((mechanism, adversary))


def _named(known: dict[str, Kind], name: str, what: str) -> Kind:
    if name not in known:
        raise InvalidInput(f"the {what} was {name!r}", hint=f"it is one of {', '.join(known)}")
    return known[name]
