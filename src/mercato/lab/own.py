"""A team's own launch before it applies: its floor, split and window, before crowds that the lab draws.

Nobody knows how many will come, so three crowds are drawn: half as much money as the study's in proportion to the
floor, as much, and twice as much; where there is more money, more people come, and each brings more by the same factor.
The common value is spread around the floor as in the study, where a floor is the low end of what reviewers announce.
Every adversary of the study attacks with the parameters that took most on training seeds of this very launch. People
come within the first 50 hours, as in the study.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import isqrt
from typing import Any

from mercato.core.errors import InvalidInput
from mercato.lab.adversaries import ADVERSARIES, BASELINES, SELLERS, Parameters, Place
from mercato.lab.mechanisms.auction import Auction
from mercato.lab.mechanisms.auctions import lca
from mercato.lab.mechanisms.lca import Rules
from mercato.lab.model import BPS, DOLLAR, HOUR, Economy, Outcome, Tape
from mercato.lab.records import Record, record
from mercato.lab.run import takes
from mercato.lab.search import HARMFUL, best, grid, lost, taken
from mercato.lab.statistics import estimate, quantiles
from mercato.lab.study import Study
from mercato.lab.tape import draw
from mercato.lab.workers import Spread
from mercato.lab.world import World
from mercato.launch import clearing
from mercato.launch.application import Application
from mercato.launch.checks import Facts, check

MECHANISM, NOBODY = "own", "none"
CROWDS = (50, 100, 200)  # percent of the study's money in proportion to the floor
TRAINED, SHARES = 2, (0.05, 0.25, 0.5, 0.75, 0.95)
NEEDED = frozenset({"allocation", "supply", "floor", "auction"})  # checks of what decides the auction
AFTER_MS = 26 * HOUR
MOST_PEOPLE = 3000  # who come by themselves; where there is more money, each brings more


@dataclass(frozen=True, slots=True)
class Stepped(Rules):
    """The terms of an auction with steps of its own between price levels."""

    step_bps: int = 200

    @property
    def terms(self) -> clearing.Terms:
        """The terms for the model."""
        return clearing.Terms(self.sale, self.retail_cap, self.raise_min, clearing.grid(self.floor, self.step_bps))


@dataclass(frozen=True, slots=True)
class Own:
    """What of an application decides its auction; money and tokens in base units, times in seconds."""

    floor: int
    floor_q96: int
    raise_min: int
    supply: int
    sale_bps: int
    step_bps: int
    retail_bps: int
    bid_min: int
    open_seconds: int
    lock_seconds: int

    @classmethod
    def of(cls, application: Application) -> Own:
        """Returns it; InvalidInput, with the reason, where the terms would fail the launch room's checks."""
        wrong = [item for item in check(application, Facts(frozenset(), frozenset())) if item.name in NEEDED]
        if faults := [item.reason for item in wrong if not item.passed]:
            raise InvalidInput(faults[0], hint="the checks of an application would say the same")
        terms = application.terms
        return cls(
            terms.floor, terms.floor_price, terms.raise_min, terms.supply, application.allocation.sale, terms.step_bps,
            terms.retail_bps, terms.bid_min, terms.open_seconds, terms.lock_seconds,
        )  # fmt: skip

    def economy(self, span: int) -> Economy:
        """Returns the economy, where `span` squared is what was announced from its low end to its high one."""
        window = (self.open_seconds + self.lock_seconds) * 1000
        return Economy(
            self.floor, self.floor * span * span, self.supply, self.sale_bps, window,
            max(50 * HOUR, window + AFTER_MS), bid_least=self.bid_min,
        )  # fmt: skip

    def auction(self, economy: Economy) -> Auction:
        """Returns a fresh launch."""
        return lca(economy, lambda rules: self._rules(rules))

    def _rules(self, rules: Rules) -> Rules:
        return Stepped(
            rules.sale, self.floor_q96, rules.sale * self.retail_bps // BPS, rules.each, self.raise_min, self.bid_min,
            self.open_seconds, self.open_seconds + self.lock_seconds, step_bps=self.step_bps,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attack:
    """Runs of one adversary on a team's launch; `crowd` in percent. Without parameters all of the study are tried."""

    study: Study
    own: Own
    crowd: int
    adversary: str
    parameters: Parameters
    seeds: range


def mine(study: Study, application: Application, seeds: int, spread: Spread, watch: Any = None) -> dict[str, Any]:
    """Returns how a team's launch may come out, over `seeds` seeds of the study that train no attack; JSON values."""
    own, scored = Own.of(application), range(study.first_seed, study.first_seed + seeds)
    training = range(study.search.first_seed, study.search.first_seed + TRAINED)
    asked = [Attack(study, own, 100, name, {}, training) for name in ADVERSARIES]
    found = {
        task.adversary: json.loads(said) for task, said in _watched(spread(trained, asked), len(asked), "search", watch)
    }
    runs = [Attack(study, own, crowd, NOBODY, {}, scored) for crowd in CROWDS]
    runs += [Attack(study, own, 100, name, found[name], scored) for name in ADVERSARIES]
    kept = {(task.adversary, task.crowd): _records(said)
            for task, said in _watched(spread(played, runs), len(runs), "runs", watch)}  # fmt: skip
    return {
        "simulated": True,
        "config_hash": study.digest,
        "application": application.hash,
        "name": application.name,
        "symbol": application.symbol,
        "seeds": seeds,
        "crowds": {str(crowd): outcomes(kept[NOBODY, crowd]) for crowd in CROWDS},
        **_attacks({name: kept[name, 100] for name in ADVERSARIES}),
    }


def outcomes(records: Iterable[Record]) -> dict[str, Any]:
    """Returns how price, raise, holders and buyers spread over seeds: quantiles at SHARES, and the share that failed.

    Prices are what the supply is worth at them, in dollars as the raise is; a failed launch has no price and no raise.
    """
    rows = [item.metrics for item in records]
    sold = [row for row in rows if not row["failed"]]
    spread = {name: quantiles((row[name] for row in sold), SHARES) for name in ("price", "raised", "holders")}
    return {
        **spread,
        "buyers_filled": quantiles((row["buyers_filled"] for row in rows), SHARES),
        "failed": sum(row["failed"] or 0.0 for row in rows) / len(rows) if rows else None,
        "n": len(rows),
    }


def trained(task: Attack) -> bytes:
    """Returns the parameters that took most over the task's seeds, or harmed most where that is the aim, as JSON."""
    points = grid(task.study, task.adversary)
    orders = [tape(task, seed) for seed in task.seeds]
    aim = lost if task.adversary in HARMFUL else taken
    sums = [sum(aim(play(task, order, point), order) for order in orders) for point in points]
    return json.dumps(best(points, sums)).encode()


def played(task: Attack) -> bytes:
    """Returns the records of the task's runs, one in a line."""
    orders = [tape(task, seed) for seed in task.seeds]
    return "\n".join(
        record(play(task, order, task.parameters), order, task.parameters).line() for order in orders
    ).encode()


def play(task: Attack, order: Tape, parameters: Parameters) -> Outcome:
    """Returns how the launch came out under the adversary; a seller gains what it takes beyond an honest one."""
    outcome, seller_bps = _run(task.own, task.adversary, order, parameters)
    if task.adversary not in SELLERS:
        return outcome
    honest, _ = _run(task.own, NOBODY, order, {})
    return replace(outcome, costs=outcome.costs + takes(honest, seller_bps) - takes(outcome, seller_bps))


def tape(task: Attack, seed: int) -> Tape:
    """Returns the order flow of a seed for this launch: people as in the study, their money in proportion."""
    study = task.study
    middle = max(task.own.floor // DOLLAR, 1) * study.value.announced_span
    money = study.people.immigrants * study.people.budget * middle * task.crowd // (study.value.median * 100)
    came = min(max(isqrt(money * study.people.immigrants // study.people.budget), 1), MOST_PEOPLE)
    people = replace(study.people, immigrants=came, budget=max(money // came, 1))
    value = replace(study.value, median=middle, sigma=study.value.announced_sigma)
    return replace(draw(seed, people, value), economy=task.own.economy(study.value.announced_span))


def _run(own: Own, adversary: str, order: Tape, parameters: Parameters) -> tuple[Outcome, int]:
    venue = own.auction(order.economy)
    attacker = (ADVERSARIES | BASELINES)[adversary](parameters, Place(order.seed, venue.block_ms))
    return World(venue, order, attacker).run((MECHANISM, adversary)), venue.seller_bps


def _attacks(kept: Mapping[str, list[Record]]) -> dict[str, Any]:
    """Returns what every adversary took, and how the launch came out under the one that took most."""
    taken_by = {name: estimate(item.metrics["extraction_of_retail"] for item in rows) for name, rows in kept.items()}
    worst = max(sorted(taken_by), key=lambda name: (taken_by[name].mean is not None, taken_by[name].mean or 0.0))
    return {
        "worst_attack": {
            "adversary": worst,
            "parameters": dict(kept[worst][0].parameters),
            "extraction_of_retail": taken_by[worst].body(),
            **outcomes(kept[worst]),
        },
        "attacks": {name: found.body() for name, found in sorted(taken_by.items())},
    }


def _records(said: bytes) -> list[Record]:
    return [Record.of(json.loads(line)) for line in said.decode().splitlines()]


def _watched(answers: Iterable[Any], count: int, what: str, watch: Any) -> Iterable[Any]:
    """Yields the answers and tells how many there were."""
    for number, answer in enumerate(answers, 1):
        yield answer
        if watch:
            watch(what, number, count)
