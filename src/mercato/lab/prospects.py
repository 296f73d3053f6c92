"""A team's own launch in words: the outcomes of three crowds, and what attacks take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mercato.lab import words
from mercato.lab.exhibits import by_unit

Body = Mapping[str, Any]
FIELDS = (("price", "usd"), ("raised", "usd"), ("holders", "count"), ("buyers_filled", "count"))
CROWDS = {"50": "half as much money", "100": "as much money", "200": "twice as much money"}


def crowds(found: Body) -> tuple[list[str], list[list[str]]]:
    """Returns a table of what may come of a launch: a row for each crowd, and one under the worst attack."""
    columns = ["Crowd, beside the study's", "Valuation at the close", "Raise", "Holders", "Buyers", "Failed"]
    rows = [_row(words_of, found["crowds"][name]) for name, words_of in CROWDS.items()]
    return columns, [*rows, _row("as much money, under the worst attack", found["worst_attack"])]


def attack(found: Body) -> str:
    """Returns the worst attack in a sentence."""
    worst = found["worst_attack"]
    taken = worst["extraction_of_retail"]
    low, high = taken["ci95"]
    name, mean = words.adversary(worst["adversary"]), by_unit(taken["mean"], "ratio")
    interval = f"{by_unit(low, 'ratio')} to {by_unit(high, 'ratio')} with 95 %"
    if (taken["mean"] or 0.0) <= 0:
        return f"No attack that was found takes anything on average; the one that loses least is the {name}, at {mean}."
    return f"The worst attack found is the {name}: it takes {mean} of what people pay ({interval})."


def attacks(found: Body) -> list[tuple[str, str]]:
    """Returns every adversary with what it takes of what people pay, the worst first."""
    means = {name: body["mean"] for name, body in found["attacks"].items()}
    ordered = sorted(means, key=lambda name: (means[name] is None, -(means[name] or 0.0), name))
    return [(words.adversary(name), by_unit(means[name], "ratio")) for name in ordered]


def _row(name: str, body: Body) -> list[str]:
    spread = [_spread(body[key], unit) for key, unit in FIELDS]
    return [name, *spread, by_unit(body["failed"], "ratio")]


def _spread(values: Sequence[float | None], unit: str) -> str:
    """Returns the middle of a spread and the ends that nine of ten lie between."""
    low, middle, high = (by_unit(values[at], unit) for at in (0, 2, 4))
    return f"{middle} ({low} to {high})"
