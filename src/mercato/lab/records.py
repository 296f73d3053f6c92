"""What is kept of one run: its row of metrics, its price path and how entry prices were spread.

A record is made where the run ran, small enough to keep each of some fifty thousand, and the same bytes wherever.
Valuations (what the whole supply is worth at a price) stand for prices: whole dollars, as people compare them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mercato.lab.metrics import Row, entries, measure
from mercato.lab.model import ADVERSARY, DOLLAR, Q96, Outcome, Tape

EVERY = 12  # samples of the path, ten minutes apart, to one that is kept
_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Record:
    """One run. `path` has a valuation every two hours, `prices` those at which people entered, at shares 0 to 1 by 5 %.

    `parameters` are the adversary's; both tuples are empty where nothing traded.
    """

    mechanism: str
    adversary: str
    parameters: Mapping[str, int]
    seed: int
    metrics: Row
    path: tuple[int, ...]
    prices: tuple[int, ...]

    def line(self) -> str:
        """Returns the record as one line of JSON, its names sorted."""
        body = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(body, sort_keys=True, separators=(",", ":"))

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Record:
        """Returns the record of a line's JSON values; KeyError where one is missing."""
        plain = {name: body[name] for name in cls.__slots__}
        return cls(**{**plain, "path": tuple(body["path"]), "prices": tuple(body["prices"])})


def record(outcome: Outcome, tape: Tape, parameters: Mapping[str, int]) -> Record:
    """Returns what is kept of a run."""
    supply = tape.economy.supply
    metrics = {name: None if value is None else _tidy(value) for name, value in measure(outcome, tape).items()}
    return Record(
        outcome.mechanism, outcome.adversary, dict(parameters), outcome.seed, metrics,
        tuple(_dollars(price * supply // Q96) for price in outcome.path[::EVERY]),
        _spread(outcome, supply),
    )  # fmt: skip


def _spread(outcome: Outcome, supply: int) -> tuple[int, ...]:
    """Returns the valuations at which people entered by T, at 21 shares from the cheapest to the dearest."""
    found = entries(outcome.entries, outcome.closed)
    ordered = sorted(entry.price for entity, entry in found.items() if entity < ADVERSARY)
    last = len(ordered) - 1
    return tuple(_dollars(ordered[last * share // 20] * supply // Q96) for share in range(21)) if ordered else ()


def _dollars(units: int) -> int:
    return (units + DOLLAR // 2) // DOLLAR


def _tidy(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
