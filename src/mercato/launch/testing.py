"""Builders for whoever tests with launches: a sound application, and cards that pass or do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mercato.launch.application import Application, Member, Milestone, Model, Revenue, Source, Terms, Tool
from mercato.launch.model import Launch
from mercato.launch.scorecard import CRITERIA, Scorecard, seal

if TYPE_CHECKING:
    from mercato.launch.service import Launches

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


def reviewed(room: Launches, id: str, cards: Sequence[Scorecard]) -> Launch:
    """Lets the present panel seal and open these cards, one each, and returns the launch."""
    review = room.reviews(id)[-1]
    members = [seat.reviewer for seat in review.seats]
    salt = "5a" * 32
    for member, shown in zip(members, cards, strict=True):
        room.commit(id, member, seal(id, review.round, member, shown, salt))
    for member, shown in zip(members, cards, strict=True):
        room.reveal(id, member, shown, salt)
    return room.launch(id)
