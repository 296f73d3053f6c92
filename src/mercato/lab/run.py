"""One run of the lab: a mechanism, an adversary with its parameters, and a seed give one outcome, always the same."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

from mercato.core.errors import InvalidInput
from mercato.lab.adversaries import ADVERSARIES, BASELINES, SELLERS, Parameters, Place
from mercato.lab.mechanisms import MECHANISMS
from mercato.lab.model import BPS, Outcome, Tape
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
    outcome = World(venue, order, attacker).run((mechanism, adversary))
    if adversary not in SELLERS:
        return outcome
    gained = takes(outcome, venue.seller_bps) - undisturbed(mechanism, order)
    return replace(outcome, costs=outcome.costs - gained)


def takes(outcome: Outcome, seller_bps: int) -> int:
    """Returns what the seller can take at once: its share of the raise, and the creator's fees."""
    return outcome.raised * seller_bps // BPS * (not outcome.failed) + outcome.fees.get("creator", 0)


@lru_cache(maxsize=256)
def undisturbed(mechanism: str, order: Tape) -> int:
    """Returns what the seller takes from the same launch when nobody attacks it."""
    venue = MECHANISMS[mechanism](order.economy)
    nobody = BASELINES["none"]({}, Place(order.seed, venue.block_ms))
    return takes(World(venue, order, nobody).run((mechanism, "none")), venue.seller_bps)


def _named(known: dict[str, Kind], name: str, what: str) -> Kind:
    if name not in known:
        raise InvalidInput(f"the {what} was {name!r}", hint=f"it is one of {', '.join(known)}")
    return known[name]
