"""What audits find of the toy model's answers: real statistics of matches, drawn once and then dealt out."""

from __future__ import annotations

from functools import cache

import numpy as np

from mercato.compute.fleet.toy import HARDWARE, QUANTISED, Ints, Toy
from mercato.compute.verify.evidence import Test
from mercato.compute.verify.match import Match, calibrated
from mercato.compute.verify.record import Judge

TOKENS = 60  # of each audited answer
ANSWERS = 4_000  # of each kind that are dealt out
MACHINES = {
    "honest": Toy(noise=HARDWARE, run=1),
    "quantised": Toy(coarse=QUANTISED, noise=HARDWARE, run=2),
    "wrong": Toy(weights=1, noise=HARDWARE, run=3),
}
REFERENCE = Toy(noise=HARDWARE, run=99)


def same(machine: Toy, first: int, count: int, run: int = 99) -> Ints:
    """Returns for each of so many prompts how many tokens of a machine's answer the reference would have written."""
    prompts = np.arange(first, first + count, dtype=np.uint64)
    claimed = machine.answers(prompts, TOKENS)
    counts: Ints = (REFERENCE.again(run).preferred(prompts, claimed) == claimed).sum(axis=1)
    return counts


@cache
def pool(kind: str) -> Ints:
    """Returns matching tokens of many answers of a kind: honest, quantised or wrong."""
    return same(MACHINES[kind], 1_000_000, ANSWERS)


@cache
def judge(alpha: float = 1e-3, horizon: int = 100_000) -> Judge:
    """Returns a judge whose cut and honest share are calibrated on answers of another honest machine."""
    honest = [Match(TOKENS, int(each)) for each in same(MACHINES["honest"].again(7), 0, ANSWERS)]
    cut, bound = calibrated(honest)
    return Judge(Test(honest=bound, alpha=alpha, horizon=horizon), cut)
