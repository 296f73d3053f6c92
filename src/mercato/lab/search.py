"""Finds how each adversary attacks each mechanism best, on training seeds that are never scored.

Every adversary has as many parameter sets to try as every other, on the same seeds, against every mechanism. The
best is the one that takes the largest mean share of what people spend; of equals the first. A griefer wants no profit:
its best is the one that costs people most, held against the common value that it does not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mercato.lab.adversaries import Parameters
from mercato.lab.model import ADVERSARY, Outcome, Tape
from mercato.lab.run import run, tape
from mercato.lab.study import Study

PPM = 1_000_000
#: Baselines that attack with what was found for another.
BORROWED = {"sybil-single": "sybil"}
#: Attacks that aim at people's loss.
HARMFUL = frozenset({"griefer"})


def trial(study: Study, mechanism: str, adversary: str, point: Parameters) -> int:
    """Returns what a parameter set reached, in parts per million of people's spend, summed over the training seeds."""
    search = study.search
    orders = [
        tape(seed, study.people, study.value) for seed in range(search.first_seed, search.first_seed + search.seeds)
    ]
    aim = lost if adversary in HARMFUL else taken
    return sum(aim(run(mechanism, adversary, point, order), order) for order in orders)


def taken(outcome: Outcome, order: Tape) -> int:
    """Returns an adversary's profit as parts per million of what people were charged; 0 where nobody bought."""
    spend = outcome.retail_spend
    return outcome.profit * PPM // spend if spend else 0


def lost(outcome: Outcome, order: Tape) -> int:
    """Returns what people lost as parts per million of all their budgets, with their tokens at the common value."""
    kept = sum(held for who, held in outcome.tokens.items() if who < ADVERSARY)
    got = sum(quote for who, quote in outcome.received.items() if who < ADVERSARY)
    worth = kept * order.value // order.economy.supply
    return (outcome.retail_spend - got - worth) * PPM // max(sum(order.budgets), 1)


def best(points: Iterable[Parameters], sums: Iterable[int]) -> Parameters:
    """Returns the parameter set with the largest sum, the first of equals; none for an adversary that has none."""
    found: tuple[int, Parameters] | None = None
    for point, total in zip(points, sums, strict=True):
        if found is None or total > found[0]:
            found = (total, point)
    return found[1] if found else {}


def grid(study: Study, adversary: str) -> tuple[Mapping[str, int], ...]:
    """Returns the parameter sets of an adversary, those of the one it borrows from, or one without parameters."""
    return study.attacks.get(BORROWED.get(adversary, adversary), ({},))
