"""What the sample agents hand in and what their reviewers say of them, in the forms that everybody uses."""

from __future__ import annotations

import hashlib

from mercato.launch.application import (
    Application,
    Member,
    Milestone,
    Model,
    Revenue,
    Source,
    Terms,
    Tool,
)
from mercato.launch.scorecard import CRITERIA, Scorecard
from mercato.launch.season.agents import Agent
from mercato.launch.season.draws import stream
from mercato.launch.season.people import account

DOLLAR = 10**6  # base units
REVIEWERS = 11  # as many as the largest panel has seats
HOUR = 3600


def application(agent: Agent, seed: int, *, open_seconds: int = 18 * HOUR, lock_seconds: int = 6 * HOUR) -> Application:
    """Returns an agent's application; its people and addresses exist in the simulation only."""
    floor = agent.floor * DOLLAR
    return Application(
        name=agent.name,
        symbol=agent.symbol,
        summary=agent.does,
        applicant=account(seed, f"{agent.symbol} team"),
        repository=agent.repository,
        commit=hashlib.sha1(agent.repository.encode(), usedforsecurity=False).hexdigest(),
        licence="Apache-2.0",
        team=(Member(agent.team, "maintainer (simulated)"),),
        models=(Model(agent.model, "run by the team", "open-weights" in agent.model),),
        tools=tuple(Tool(name, "named in the repository") for name in agent.tools),
        revenue=Revenue((Source(agent.revenue),), 5000),
        terms=Terms(floor=floor, raise_min=floor * 4 // 10 // 2, open_seconds=open_seconds, lock_seconds=lock_seconds),
        milestones=(
            Milestone("The agent works in public for ninety days", 4000),
            Milestone("The first paying customers", 3000),
            Milestone("A year of published accounts", 3000),
        ),
        partner=account(seed, f"{agent.symbol} partner"),
        grants=account(seed, "grants"),
        community=account(seed, f"{agent.symbol} community"),
    )


def reviewers(seed: int) -> tuple[str, ...]:
    """Returns the accounts of the simulated reviewers, sorted as panels are."""
    return tuple(sorted(account(seed, f"reviewer {number}") for number in range(REVIEWERS)))


def card(agent: Agent, seat: int) -> Scorecard:
    """Returns the card of the reviewer in a seat of the panel."""
    scores = dict(zip(CRITERIA, agent.scores[seat % len(agent.scores)], strict=True))
    floor = agent.floor * DOLLAR
    return Scorecard(
        scores=scores, floor_low=floor * 8 // 10, floor_high=floor * 15 // 10, comment="A simulated reviewer's card."
    )


def drawn_card(applied: Application, reviewer: str) -> Scorecard:
    """Returns a simulated reviewer's card for a person's application: drawn, not judged, and kind."""
    draw = stream(applied.hash, reviewer)
    floor = applied.terms.floor
    return Scorecard(
        scores={name: 7 + draw.randrange(3) for name in CRITERIA},
        floor_low=max(1, floor // 2),
        floor_high=max(1, floor * 2),
        comment="A simulated reviewer's card: drawn, not judged.",
    )


def salt(seed: int, symbol: str, reviewer: str) -> str:
    """Returns the salt of a simulated seal: reproducible, so no secret."""
    return hashlib.sha256(f"{seed} {symbol} {reviewer}".encode()).hexdigest()
