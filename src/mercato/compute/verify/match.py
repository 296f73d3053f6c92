"""Whether one audited answer agrees with the reference, by how many of its tokens the reference would have written.

The idea is Token-DiFR's (arXiv 2511.20621): at temperature 0 the reference scores the claimed tokens by one prefill.
Honest machines differ in a token now and then, and in some answers more than in others; so an answer fails only where
its mismatches are more than a calibrated cut allows, and how often honest answers fail is itself an observation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mercato.core.events import Json

FEWEST = 24  # tokens below which an answer says too little
MOST = 128  # tokens of one answer that are looked at
WIDTH = 3.0
FAR = 20_000_000  # billionths of 1 - cosine
HARD = 0.5  # a smaller share of matches than this no hardware explains


@dataclass(frozen=True, slots=True)
class Match:
    """How many tokens of one answer were looked at, and how many of them the reference would have written."""

    tokens: int
    same: int

    method = "token-match"

    @property
    def share(self) -> float:
        """The share of tokens that match."""
        return self.same / self.tokens

    @property
    def tells(self) -> bool:
        """Whether the answer is long enough to judge."""
        return self.tokens >= FEWEST

    @property
    def hopeless(self) -> bool:
        """Whether it is beyond what noise of any hardware does."""
        return self.tells and self.share < HARD

    def fails(self, cut: Cut) -> bool:
        """Whether the answer disagrees with the reference."""
        return cut.fails(self)

    def body(self) -> dict[str, Json]:
        """Returns what an audit keeps of it."""
        return {"tokens": self.tokens, "same": self.same}


@dataclass(frozen=True, slots=True)
class Limits:
    """What an honest proof may differ by: exponents that are others, and of the rest the mantissas' mean and median
    difference, in units of their last bit. The paper's for bfloat16."""

    exponents: int = 38
    mean: float = 10.0
    median: float = 8.0


PUBLISHED = Limits()


@dataclass(frozen=True, slots=True)
class Cut:
    """Where an answer of n tokens fails: more than `width` standard deviations over the mismatches expected.

    rate: the honest share of mismatching tokens; alike: how alike tokens of one answer are (their correlation), which
    makes the variance of their number 1 + (n - 1) alike times that of independent ones. far: the largest distance of a
    vector that passes, in billionths. limits: what commitments may differ by.
    """

    rate: float = 0.022
    alike: float = 0.008
    width: float = WIDTH
    far: int = FAR
    limits: Limits = PUBLISHED

    def fails(self, match: Match) -> bool:
        """Whether an answer disagrees with the reference."""
        n, rate = match.tokens, self.rate
        variance = rate * (1 - rate) * n * (1 + (n - 1) * self.alike)
        return n - match.same > rate * n + self.width * math.sqrt(variance)


def upper(fails: int, audits: int, risk: float) -> float:
    """Returns an upper bound of a share after `fails` of `audits`, wrong with a chance of at most `risk`.

    Exact (C. J. Clopper and E. S. Pearson, 1934), by bisection of the binomial distribution.
    """
    low, high = fails / audits, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if at_most(fails, audits, middle) > risk else (low, middle)
    return high


def lower(fails: int, audits: int, risk: float) -> float:
    """Returns a lower bound of a share after `fails` of `audits`, wrong with a chance of at most `risk`; exact, too."""
    low, high = 0.0, fails / audits
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if 1 - at_most(fails - 1, audits, middle) <= risk else (low, middle)
    return low


def interval(fails: int, audits: int, risk: float = 0.05) -> tuple[float, float]:
    """Returns the exact interval of the share of answers that pass, wrong with a chance of at most `risk`."""
    if audits == 0:
        return 0.0, 1.0
    return 1 - upper(fails, audits, risk / 2), 1 - lower(fails, audits, risk / 2)


def at_most(count: int, tries: int, chance: float) -> float:
    """Returns the chance of at most `count` successes in `tries`."""
    if count >= tries or chance <= 0:
        return 1.0
    if count < 0 or chance >= 1:
        return 0.0
    odds = math.log(chance) - math.log1p(-chance)
    term = tries * math.log1p(-chance)
    logs = [term]
    for place in range(count):
        term += math.log((tries - place) / (place + 1)) + odds
        logs.append(term)
    return min(1.0, math.fsum(map(math.exp, logs)))


def calibrated(honest: Sequence[Match], width: float = WIDTH, risk: float = 1e-3) -> tuple[Cut, float]:
    """Returns a cut, and an upper bound of the share of honest answers it fails, wrong with a chance of `risk`.

    The cut is taken from the first half of the answers and the share from the second, so that the bound is honest.
    """
    half = len(honest) // 2
    seen, held = honest[:half], honest[half:]
    rate = max(1e-6, 1 - sum(each.same for each in seen) / sum(each.tokens for each in seen))
    cut = Cut(rate, _alike(seen, rate), width)
    return cut, upper(sum(map(cut.fails, held)), len(held), risk)


def _alike(seen: Sequence[Match], rate: float) -> float:
    """The correlation of mismatches within an answer, by moments: how much more answers differ than tokens explain."""
    squares = sum((each.tokens - each.same - rate * each.tokens) ** 2 for each in seen)
    alone = sum(rate * (1 - rate) * each.tokens for each in seen)
    pairs = sum(rate * (1 - rate) * each.tokens * (each.tokens - 1) for each in seen)
    return max(0.0, (squares - alone) / pairs)
