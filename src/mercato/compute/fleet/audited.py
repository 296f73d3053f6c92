"""What audits find of the toy model's answers: real statistics of matches, drawn once and then dealt out."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import numpy.typing as npt

from mercato.compute.fleet.toy import HARDWARE, QUANTISED, Ints, Toy
from mercato.compute.verify import vectors
from mercato.compute.verify.evidence import Test
from mercato.compute.verify.match import Match, calibrated
from mercato.compute.verify.record import Judge

TOKENS = 60  # of each audited answer
VECTORS = vectors.MOST  # of each audited answer with embeddings
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


def far(machine: Toy, first: int, count: int, run: int = 99, asked: int | None = None) -> Ints:
    """Returns for each of so many answers how far the farthest of its vectors is from the reference's, in billionths;
    `asked` is the first of the texts that it should have been about, where those are others."""
    texts = np.arange(first * VECTORS, (first + count) * VECTORS, dtype=np.uint64)
    about = texts if asked is None else np.arange(asked, asked + len(texts), dtype=np.uint64)
    one, other = machine.vectors(texts), REFERENCE.again(run).vectors(about)
    lengths = np.sqrt((one * one).sum(axis=1) * (other * other).sum(axis=1))
    apart = np.rint((1 - (one * other).sum(axis=1) / lengths) * vectors.BILLIONTHS).astype(np.int64)
    largest: Ints = apart.reshape(count, VECTORS).max(axis=1)
    return largest


@cache
def failing(kind: str) -> npt.NDArray[np.bool_]:
    """Returns which of many answers of a kind fail: texts, or embeddings where it says so."""
    found = judge()
    what, _, about = kind.partition(" ")
    if about == "embeddings":
        machine, asked = (MACHINES["honest"], 1) if what == "cached" else (MACHINES[what], None)
        return far(machine, 1_000_000, ANSWERS, asked=asked) > found.cut.far
    return np.array([found.cut.fails(Match(TOKENS, int(same))) for same in pool(what)])


@cache
def judge(alpha: float = 1e-3, horizon: int = 100_000) -> Judge:
    """Returns a judge whose cut and honest share are calibrated on answers of another honest machine."""
    honest = [Match(TOKENS, int(each)) for each in same(MACHINES["honest"].again(7), 0, ANSWERS)]
    cut, bound = calibrated(honest)
    apart, other = vectors.calibrated(far(MACHINES["honest"].again(7), 0, ANSWERS).tolist())
    return Judge(Test(honest=max(bound, other), alpha=alpha, horizon=horizon), replace(cut, far=apart))
