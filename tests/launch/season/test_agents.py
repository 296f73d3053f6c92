from __future__ import annotations

import pytest

from mercato.launch.checks import Facts, check, passed
from mercato.launch.scorecard import judge
from mercato.launch.season.agents import Agent, agents
from mercato.launch.season.applying import application, card, reviewers

FACTS = Facts(frozenset(), frozenset())


def test_ten_agents_apply_among_them_an_analyst_of_basketball_a_swarm_and_a_keeper_of_repositories() -> None:
    said = " ".join(agent.does for agent in agents())

    assert len({agent.symbol for agent in agents()}) == 10
    assert all(words in said for words in ("NBA analyst and commentator", "DeFi swarm", "repository keeper"))


@pytest.mark.parametrize("agent", agents(), ids=lambda agent: agent.symbol)
def test_every_application_is_sound_and_reads_back_the_same(agent: Agent) -> None:
    made = application(agent, 7)

    assert [item for item in check(made, FACTS) if not item.passed] == []
    assert passed(check(made, FACTS))
    assert type(made).of(made.body()) == made


@pytest.mark.parametrize("agent", agents(), ids=lambda agent: agent.symbol)
def test_the_reviewers_cards_decide_what_the_script_has_in_mind(agent: Agent) -> None:
    verdict = judge([card(agent, seat) for seat in range(5)], 5)

    assert verdict.passed is (agent.fate != "declined")


def test_one_is_declined_for_what_it_hides_alone() -> None:
    ghost = next(agent for agent in agents() if agent.symbol == "GHOST")

    assert "criteria below 4 were: openness 3" in judge([card(ghost, seat) for seat in range(5)], 5).reason


def test_there_are_enough_reviewers_for_an_appeal() -> None:
    assert len(set(reviewers(7))) == 11
