"""Finds how each adversary attacks each mechanism best, on training seeds that are never scored.

Every adversary has as many parameter sets to try as every other, on the same seeds, against every mechanism. The
best is the one that takes the largest mean share of what people spend; of equals the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mercato.lab.adversaries import Parameters
from mercato.lab.model import Outcome
from mercato.lab.run import run, tape
from mercato.lab.study import Study

PPM = 1_000_000
#: Baselines that attack with what was found for another.
BORROWED = {"sybil-single": "sybil"}


def trial(study: Study, mechanism: str, adversary: str, point: Parameters) -> int:
    """Returns what a parameter set took of people's spend in parts per million, summed over the training seeds."""
    search = study.search
    seeds = range(search.first_seed, search.first_seed + search.seeds)
    return sum(taken(run(mechanism, adversary, point, tape(seed, study.people, study.value))) for seed in seeds)


def taken(outcome: Outcome) -> int:
    """Returns an adversary's profit as parts per million of what people were charged; 0 where nobody bought."""
    spend = outcome.retail_spend
    return outcome.profit * PPM // spend if spend else 0


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
