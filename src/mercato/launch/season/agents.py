"""The sample agents that apply during a season, read from `agents.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from mercato.core.errors import InvalidInput

Fate = Literal["live", "failed", "open", "upcoming", "declined"]


@dataclass(frozen=True, slots=True)
class Agent:
    """One fictional applicant. Money is whole test dollars; `floor` and `worth` value the whole supply.

    `interest` is what the crowd has to spend in its auction. `scores` are rows of reviewers, columns of criteria.
    """

    symbol: str
    name: str
    fate: Fate
    day: int
    team: str
    does: str
    model: str
    tools: tuple[str, ...]
    repository: str
    revenue: str
    sector: str
    floor: int
    interest: int
    worth: int
    scores: tuple[tuple[int, ...], ...]


@cache
def agents() -> tuple[Agent, ...]:
    """Returns the sample agents in the order in which they apply."""
    text = files("mercato.launch.season").joinpath("agents.toml").read_text(encoding="utf-8")
    found = []
    for entry in tomllib.loads(text)["agent"]:
        if entry["fate"] not in get_args(Fate):
            raise InvalidInput(f"fate was {entry['fate']!r}", hint=f"valid fates: {', '.join(get_args(Fate))}")
        scores = tuple(tuple(row) for row in entry["scores"])
        found.append(Agent(**{**entry, "tools": tuple(entry["tools"]), "scores": scores}))
    return tuple(found)
