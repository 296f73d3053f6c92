"""Builders for whoever tests with launches: a sound application, and cards that pass or do not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mercato.launch.application import Application, Member, Milestone, Model, Revenue, Source, Terms, Tool
from mercato.launch.scorecard import CRITERIA, Scorecard

APPLICANT = "0x" + "a1" * 20
REVIEWERS = tuple(f"0x{number:040x}" for number in range(0xE0, 0xEC))


def application(**changes: Any) -> Application:
    """Returns an application that passes every check, with fields changed: a 1000 dollar floor for the whole supply."""
    sound = Application(
        name="Courtside",
        symbol="COURT",
        summary="An analyst and commentator of basketball: it watches games, explains them and answers questions.",
        applicant=APPLICANT,
        repository="https://git.example/courtside/agent.git",
        commit="0123456789abcdef0123456789abcdef01234567",
        licence="Apache-2.0",
        team=(Member("R. Sample", "maintainer"), Member("S. Sample", "research")),
        models=(Model("open-model-70b", "own servers", True),),
        tools=(Tool("box scores", "a public statistics service, read only"),),
        revenue=Revenue((Source("paid questions", "https://courtside.example/receipts"),), 5000),
        terms=Terms(floor=1_000_000_000, raise_min=100_000_000),
        milestones=(Milestone("The agent answers in public", 5000), Milestone("A season without an outage", 5000)),
        partner="0x" + "b1" * 20,
        grants="0x" + "b2" * 20,
        community="0x" + "b3" * 20,
    )
    return replace(sound, **changes)


def card(score: int = 8, *, floor: int = 1_000_000_000, **scores: int) -> Scorecard:
    """Returns a card with one score for all criteria, some changed, that lets pass half to twice a floor."""
    return Scorecard(
        scores={**dict.fromkeys(CRITERIA, score), **scores},
        floor_low=floor // 2,
        floor_high=floor * 2,
        comment="A word.",
    )
