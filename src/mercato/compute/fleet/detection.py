"""How many audited answers it takes to eject a provider of each kind, and how often an honest one is. Simulated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mercato.compute.fleet import audited
from mercato.compute.verify.evidence import Evidence
from mercato.compute.verify.match import Match
from mercato.compute.verify.record import Judge

Fails = npt.NDArray[np.bool_]
#: Kind, what it serves when it cheats, and in which share of requests.
KINDS: tuple[tuple[str, str, float], ...] = (
    ("wrong model, always", "wrong", 1.0),
    ("quantised, always", "quantised", 1.0),
    ("wrong model, 10 %", "wrong", 0.1),
    ("quantised, 30 %", "quantised", 0.3),
    ("quantised, 10 %", "quantised", 0.1),
    ("embeddings: wrong model, 10 %", "wrong embeddings", 0.1),
    ("embeddings: a cached one, 10 %", "cached embeddings", 0.1),
    ("embeddings: quantised, always", "quantised embeddings", 1.0),
    ("embeddings: quantised, 10 %", "quantised embeddings", 0.1),
    ("commitments: wrong model, 10 %", "wrong commitments", 0.1),
    ("commitments: quantised, always", "quantised commitments", 1.0),
    ("commitments: quantised, 10 %", "quantised commitments", 0.1),
)
LIMIT = 20_000  # audits after which a provider counts as kept
CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Found:
    """What became of many providers of one kind: audits until half of them, and all but a twentieth, were ejected.

    `fails` is the share of answers that fail; `stated` the audits by which all but a share beta must be ejected.
    """

    kind: str
    runs: int
    fails: float
    half: float
    most: float
    stated: int
    late: float


@dataclass(frozen=True, slots=True)
class Spared:
    """What became of honest providers: tokens audited, fails among them, and how many were ejected."""

    tokens: int
    answers: int
    fails: float
    allowed: float
    ejected: int
    highest: float


def detect(kind: str, serves: str, cheats: float, runs: int = 200, seed: int = 0) -> Found:
    """Returns how soon providers of a kind are ejected."""
    judge, rng = audited.judge(), np.random.default_rng((seed, 3))
    bad, good = audited.failing(serves), audited.failing(f"honest {serves.partition(' ')[2]}".strip())
    share = cheats * float(bad.mean()) + (1 - cheats) * float(good.mean())
    counts = np.array([_until(judge, rng, bad, good, cheats) for _ in range(runs)])
    stated = judge.test.needed(share)
    late = float((counts > stated).mean())
    return Found(kind, runs, share, float(np.median(counts)), float(np.quantile(counts, 0.95)), stated, late)


def spare(tokens: int, seed: int = 0, *, about: str = "") -> Spared:
    """Returns what becomes of an honest provider over so many audited tokens, or as many answers with `embeddings` or
    `commitments` as hold these, each answer a fresh one."""
    judge, evidence, highest = audited.judge(), Evidence(), 0.0
    answers, ejected = -(-tokens // audited.TOKENS), 0
    for failed in _fresh(judge, answers, seed, about):
        evidence = evidence.after(failed, judge.test)
        highest = max(highest, evidence.level(judge.test))
        if evidence.proven(judge.test):
            ejected, evidence = ejected + 1, Evidence(evidence.audits, evidence.fails)
    share = evidence.fails / max(1, evidence.audits)
    return Spared(answers * audited.TOKENS, answers, share, judge.test.honest, ejected, highest)


def _fresh(judge: Judge, answers: int, seed: int, about: str) -> Iterator[bool]:
    """Whether answers fail that no calibration has seen, by machines whose noise falls anew in each chunk."""
    for start in range(0, answers, CHUNK):
        count, first = min(CHUNK, answers - start), (1 << 40) + (seed << 32) + start
        machine, run = audited.MACHINES["honest"].again(1_000 + seed * 7919 + start), 500_000 + seed * 7919 + start
        if about == "commitments":
            yield from audited.opened(machine, first, count, run).tolist()
        elif about:
            yield from (audited.far(machine, first, count, run) > judge.cut.far).tolist()
        else:
            tokens = audited.same(machine, first, count, run=run).tolist()
            yield from (judge.cut.fails(Match(audited.TOKENS, same)) for same in tokens)


def _until(
    judge: Judge, rng: np.random.Generator, bad: Fails,
    good: Fails, cheats: float,
) -> int:  # fmt: skip
    evidence = Evidence()
    while evidence.audits < LIMIT and not evidence.proven(judge.test):
        cheated = rng.random(64) < cheats
        deal = rng.integers(0, len(bad), 64)
        for failed in np.where(cheated, bad[deal], good[deal]).tolist():
            evidence = evidence.after(failed, judge.test)
            if evidence.proven(judge.test):
                break
    return evidence.audits
