"""What audits find of the toy model's answers: real statistics of matches, drawn once and then dealt out."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import numpy.typing as npt

from mercato.compute.fleet.toy import HARDWARE, QUANTISED, Ints, Toy, mix, sensitivity
from mercato.compute.verify import vectors
from mercato.compute.verify.activations import MAGNITUDE, rounded
from mercato.compute.verify.evidence import Test
from mercato.compute.verify.match import PUBLISHED, Match, calibrated
from mercato.compute.verify.record import Judge
from mercato.compute.verify.toploc import EXPONENT, MANTISSA, STRETCH, TOP

TOKENS = 60  # of each audited answer
VECTORS = vectors.MOST  # of each audited answer with embeddings
ANSWERS = 4_000  # of each kind that are dealt out
COMMITMENTS = 500  # of each kind that are dealt out, as they take longer
SHEET = 64  # stretches that are computed at once
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


def opened(machine: Toy, first: int, count: int, run: int = 99) -> npt.NDArray[np.bool_]:
    """Returns which of so many answers fail by the commitment to a stretch of their tokens.

    Proofs are not made: at a place that was committed to a proof has its number, and at any other any number at all.
    """
    parts = [_opened(machine, first + at, min(SHEET, count - at), run) for at in range(0, count, SHEET)]
    return np.concatenate([*parts, np.empty(0, np.bool_)])


def _opened(machine: Toy, first: int, count: int, run: int) -> npt.NDArray[np.bool_]:
    prompts, limits = np.arange(first, first + count, dtype=np.uint64), PUBLISHED
    with np.errstate(over="ignore"):
        read = mix(mix(prompts)[:, None] ^ np.arange(STRETCH, dtype=np.uint64)).reshape(-1)
        spread = np.repeat(sensitivity(prompts), STRETCH)
        given, own = (rounded(it.hidden(read, spread)).reshape(count, -1) for it in (machine, REFERENCE.again(run)))
        any_number = (mix(given.astype(np.uint64) ^ read[::STRETCH, None]) & np.uint64(0xFFFF)).astype(np.uint16)
    size = given & MAGNITUDE
    least = np.partition(size, -TOP, axis=1)[:, -TOP, None]
    bits = np.where(size >= least, given, any_number)
    places = np.argpartition(own & MAGNITUDE, -TOP, axis=1)[:, -TOP:]
    one, other = (np.take_along_axis(it, places, axis=1) for it in (bits, own))
    differs = (one ^ other) & EXPONENT != 0
    apart = np.ma.array(np.abs((one & MANTISSA).astype(np.int64) - (other & MANTISSA)), mask=differs)
    mean = np.ma.filled(apart.mean(axis=1), 0)
    median = np.ma.filled(np.ma.median(apart, axis=1), 0)  # type: ignore[no-untyped-call]  # numpy has no types for it
    failing: npt.NDArray[np.bool_] = (
        (differs.sum(axis=1) > limits.exponents) | (mean > limits.mean) | (median > limits.median)
    )
    return failing


@cache
def failing(kind: str) -> npt.NDArray[np.bool_]:
    """Returns which of many answers of a kind fail: texts, or embeddings where it says so."""
    found = judge()
    what, _, about = kind.partition(" ")
    if about == "commitments":
        return opened(MACHINES[what], 1_000_000, COMMITMENTS)
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
