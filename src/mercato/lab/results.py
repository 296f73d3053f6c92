"""What a study says: every mechanism without an adversary, under each, and under the best attack found on it.

The best attack on a mechanism is the adversary whose mean extraction from retail is the largest on the scored seeds,
placebo and probes aside. Taking the largest of several means flatters the attackers, and does so for every mechanism.
A mechanism's own metrics are those under its best attack; `baseline` has the same without an adversary.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from mercato.lab.records import Record
from mercato.lab.statistics import Estimate, estimate, quantiles, ratio

NONE, PLACEBO, GRIEFER = "none", "placebo", "griefer"
EARLY, LATE, MANY, ONE = "probe-early", "probe-late", "sybil", "sybil-single"
#: What is no attack: nobody, dice, and what only measures something.
ASIDE = frozenset({NONE, PLACEBO, EARLY, LATE, ONE})
MEASURING = ASIDE - {PLACEBO}
#: Mechanisms that sell along a curve: the best of them is what the retail fill of an auction is held against.
CURVES = frozenset({"pump", "virtuals-60s", "virtuals-98m", "clanker-decay", "clanker-priority", "meteora", "doppler"})
#: Metrics that are shown for every attack, not only for the best.
SHOWN = ("extraction_of_retail", "extraction_of_raise", "rent_of_retail", "adversary_profit", "gini", "buyers_filled",
         "retail_return", "failed")  # fmt: skip
BAND = (0.1, 0.5, 0.9)
EXTRACTION_LIMIT, FILL_LEAST = 0.005, 0.9

Runs = Mapping[str, Mapping[int, Record]]
"""Adversary -> seed -> the run."""


def results(records: Iterable[Record], config_hash: str) -> dict[str, Any]:
    """Returns the study as JSON values: `config_hash`, `simulated`, `mechanisms` by name, and the question of fill.

    Records come by mechanism, as a study's folder has them, so that those of one mechanism at a time are held.
    """
    found: dict[str, dict[str, Any]] = {}
    filled: dict[str, dict[int, float]] = {}
    seeds: set[int] = set()
    for name, group in groupby(records, key=attrgetter("mechanism")):
        runs: defaultdict[str, dict[int, Record]] = defaultdict(dict)
        for item in group:
            runs[item.adversary][item.seed] = item
            seeds.add(item.seed)
        found[name], filled[name] = mechanism(runs), _filled(runs)
    return {
        "config_hash": config_hash,
        "simulated": True,
        "seeds": {"first": min(seeds), "last": max(seeds), "n": len(seeds)} if seeds else None,
        "mechanisms": {name: found[name] for name in sorted(found)},
        "retail_fill": retail_fill(found, filled),
    }


def mechanism(runs: Runs) -> dict[str, Any]:
    """Returns what a study says about one mechanism."""
    best = best_attack(runs)
    under = runs[best or NONE] if best or NONE in runs else {}
    return {
        **{name: found.body() for name, found in estimates(under).items()},
        "latency_value": latency_value(runs).body(),
        "sybil_gain": sybil_gain(runs).body(),
        "cost_to_grief": cost_to_grief(runs).body(),
        "best_attack": _attack(best, under if best else {}),
        "attacks": {name: _shown(runs[name]) for name in sorted(runs) if name not in MEASURING},
        "baseline": {name: found.body() for name, found in estimates(runs.get(NONE, {})).items()},
        "paths": {"baseline": _bands(runs.get(NONE, {}), "path"), "attacked": _bands(under, "path")},
        "prices": {"baseline": _bands(runs.get(NONE, {}), "prices"), "attacked": _bands(under, "prices")},
    }


def best_attack(runs: Runs) -> str | None:
    """Returns the adversary that took most from retail on average, the first by name of equals; None without one."""
    means = {
        name: found.mean
        for name in sorted(runs)
        if name not in ASIDE
        and (found := estimate(_column(runs[name], "extraction_of_retail"))).mean is not None
    }  # fmt: skip
    return max(means, key=lambda name: means[name] or 0.0) if means else None


def estimates(runs: Mapping[int, Record]) -> dict[str, Estimate]:
    """Returns the estimate of every metric over the runs of one adversary."""
    names = sorted({name for item in runs.values() for name in item.metrics})
    return {name: estimate(_column(runs, name)) for name in names}


def latency_value(runs: Runs) -> Estimate:
    """Returns by what part a purchase in the first block gets more tokens than the same some minutes later."""
    pairs = _pairs(runs, EARLY, LATE, "adversary_tokens")
    return estimate(early / late - 1 if late else None for early, late in pairs)


def sybil_gain(runs: Runs) -> Estimate:
    """Returns what many accounts earn more than one with the same money, identities paid, of the raise."""
    raised = [whole for _, whole in _pairs(runs, MANY, ONE, "raised")]
    gains = [many - one for many, one in _pairs(runs, MANY, ONE, "adversary_profit")]
    return estimate(gain / whole if whole else None for gain, whole in zip(gains, raised, strict=True))


def cost_to_grief(runs: Runs) -> Estimate:
    """Returns what a griefer pays for each dollar that people end worse by, at the common value.

    Both are means over the same seeds, with the griefer and without anybody; unknown where it harms nobody on average.
    """
    gains = _pairs(runs, NONE, GRIEFER, "people_gain")
    harms = [calm - griefed for calm, griefed in gains]
    costs = [-griefer for _, griefer in _pairs(runs, NONE, GRIEFER, "adversary_profit")]
    return ratio(costs, harms) if sum(harms) > 0 else estimate(())


def _pairs(runs: Runs, first: str, second: str, metric: str) -> list[tuple[float, float]]:
    """Returns a metric under two adversaries on the same seeds, those where both are known."""
    one, two = (
        {seed: item.metrics.get(metric) for seed, item in runs.get(name, {}).items()} for name in (first, second)
    )
    both = [(one[seed], two[seed]) for seed in sorted(set(one) & set(two))]
    return [(left, right) for left, right in both if left is not None and right is not None]


def retail_fill(found: Mapping[str, Any], filled: Mapping[str, Mapping[int, float]]) -> dict[str, Any] | None:
    """Returns how many buyers each auction fills beside the best bonding curve; None without a curve.

    Both are counted under their best attacks, on the same seeds. `met` says that an auction fills FILL_LEAST of the
    curve's buyers while its best attack takes at most EXTRACTION_LIMIT from retail; both on average.
    """
    curves = {name: sum(runs.values()) / len(runs) for name, runs in filled.items() if name in CURVES and runs}
    if not curves:
        return None
    best = max(sorted(curves), key=lambda name: curves[name])
    others = sorted(name for name in filled if name not in CURVES and filled[name])
    return {
        "curve": best,
        "filled": curves[best],
        "auctions": {name: _beside(found[name], filled[name], filled[best]) for name in others},
    }


def _beside(found: Mapping[str, Any], own: Mapping[int, float], curve: Mapping[int, float]) -> dict[str, Any]:
    seeds = sorted(set(own) & set(curve))
    part = ratio([own[seed] for seed in seeds], [curve[seed] for seed in seeds])
    attacked = found["best_attack"]["adversary"] is not None
    taken = found["extraction_of_retail"]["mean"] if attacked else None
    enough = part.mean is not None and part.mean >= FILL_LEAST
    return {**part.body(), "extraction": taken, "met": enough and taken is not None and taken <= EXTRACTION_LIMIT}


def _filled(runs: Runs) -> dict[int, float]:
    best = best_attack(runs) or NONE
    return {seed: item.metrics["buyers_filled"] or 0.0 for seed, item in runs.get(best, {}).items()}


def _attack(name: str | None, runs: Mapping[int, Record]) -> dict[str, Any]:
    """Returns the attack by name, what it was set to, and its share of the raise."""
    return {"adversary": name, "parameters": _parameters(runs), **estimate(_column(runs, "extraction_of_raise")).body()}


def _shown(runs: Mapping[int, Record]) -> dict[str, Any]:
    return {"parameters": _parameters(runs), **{name: estimate(_column(runs, name)).body() for name in SHOWN}}


def _parameters(runs: Mapping[int, Record]) -> dict[str, int]:
    return next((dict(runs[seed].parameters) for seed in sorted(runs)), {})


def _column(runs: Mapping[int, Record], name: str) -> list[float | None]:
    return [runs[seed].metrics.get(name) for seed in sorted(runs)]


def _bands(runs: Mapping[int, Record], field: str) -> list[list[float | None]]:
    """Returns BAND quantiles over the runs at each place of a record's path or prices."""
    rows: Sequence[tuple[int, ...]] = [getattr(runs[seed], field) for seed in sorted(runs)]
    longest = max((len(row) for row in rows), default=0)
    return [quantiles((row[at] for row in rows if len(row) > at), BAND) for at in range(longest)]
