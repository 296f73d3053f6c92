"""Evidence against one provider: a CUSUM over audited answers, with stated chances of both errors.

Each answer passes or fails. Honest answers fail with a chance of at most `honest`, whatever came before; for a design
share d, ln(d/honest) is added for a fail and ln((1-d)/(1-honest)) for a pass, and the sum never falls below 0 (E. S.
Page, 1954). Started at any one answer, the exponential of such a sum is a non-negative supermartingale of mean 1, so it
ever reaches c with a chance of at most 1/c (J. Ville, 1939). A sum could start at each of `horizon` answers, and a mean
over several designs keeps the mean, hence the bar ln(horizon / alpha): a provider that is honest is ejected within
`horizon` audited answers with a chance of at most `alpha`. Nothing is assumed of tokens within an answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from mercato.compute.verify.match import at_most

WARNED = 0.4  # of the bar, from which a provider is back on probation


@dataclass(frozen=True)
class Test:
    """What evidence is judged by.

    honest: at most this share of an honest provider's answers fails; designs: shares of failing answers to look for;
    alpha: the chance that an honest provider is ejected within `horizon` audits; beta: the chance, by which `needed`
    counts, that one who fails at a given share is not.
    """

    __test__ = False  # no test of pytest, for all its name

    honest: float = 0.015
    designs: tuple[float, ...] = (0.08, 0.5)
    alpha: float = 1e-3
    beta: float = 0.05
    horizon: int = 100_000

    def __post_init__(self) -> None:
        if not (0 < self.honest < min(self.designs) and max(self.designs) < 1 and 0 < self.alpha < 1 <= self.horizon):
            raise ValueError(f"test was {self!r}; 0 < honest < each design < 1, 0 < alpha < 1 and horizon >= 1")

    @cached_property
    def bar(self) -> float:
        """The logarithm that evidence must reach."""
        return math.log(self.horizon / self.alpha)

    @cached_property
    def steps(self) -> tuple[tuple[float, float], ...]:
        """For each design what a pass adds, and what a fail adds."""
        honest = self.honest
        return tuple((math.log((1 - d) / (1 - honest)), math.log(d / honest)) for d in self.designs)

    def needed(self, share: float) -> int:
        """Returns audits after which a provider that fails in this share is ejected with a chance of 1 - beta.

        Not less than it takes: without the sum's floor at 0, which only helps, the fails are binomial.
        """
        counts = [self._enough(passed, failed, share) for passed, failed in self.steps if _drift(passed, failed, share)]
        if not counts:
            raise ValueError(f"share was {share!r}, which the designs {self.designs!r} do not tell from honest")
        return min(counts)

    def _enough(self, passed: float, failed: float, share: float) -> int:
        goal = self.bar + math.log(len(self.steps))
        low, high = 0, 1
        while not self._sure(high, goal, passed, failed, share):
            low, high = high, high * 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._sure(middle, goal, passed, failed, share) else (middle, high)
        return high

    def _sure(self, audits: int, goal: float, passed: float, failed: float, share: float) -> bool:
        fails = math.ceil((goal - audits * passed) / (failed - passed))
        return at_most(fails - 1, audits, share) <= self.beta


def _drift(passed: float, failed: float, share: float) -> bool:
    """Whether a sum rises in the mean."""
    return share * failed + (1 - share) * passed > 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What audits found of one provider so far: how many, how many failed, and the sum for each design."""

    audits: int = 0
    fails: int = 0
    sums: tuple[float, ...] = ()

    def after(self, failed: bool, test: Test) -> Evidence:
        """Returns the evidence with one more audited answer."""
        sums = self.sums or (0.0,) * len(test.steps)
        moved = tuple(max(0.0, total + step[failed]) for total, step in zip(sums, test.steps, strict=True))
        return Evidence(self.audits + 1, self.fails + failed, moved)

    def level(self, test: Test) -> float:
        """Returns how near the bar it is: 0 for nothing, 1 from where the provider is ejected."""
        if not self.sums:
            return 0.0
        top = max(self.sums)
        mean = top + math.log(sum(math.exp(each - top) for each in self.sums) / len(self.sums))
        return min(1.0, max(0.0, mean / test.bar))

    def proven(self, test: Test) -> bool:
        """Whether the provider is to be ejected."""
        return self.level(test) >= 1

    def warned(self, test: Test) -> bool:
        """Whether it is to be watched again."""
        return self.level(test) >= WARNED


def tokens(honest: float, match: float, alpha: float) -> int:
    """Returns how many tokens tell two match rates apart at `alpha`, if tokens were independent: ln(1/alpha) / KL.

    They are not; this is how short it could be, and what published worked numbers state.
    """
    apart = match * math.log(match / honest) + (1 - match) * math.log((1 - match) / (1 - honest))
    return math.floor(math.log(1 / alpha) / apart + 0.5)
