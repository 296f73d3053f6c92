"""The plan of a season: who applies, opens and ends when, and how busy it is. All times are seconds since 1970."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from mercato.launch.season.agents import Agent, agents
from mercato.launch.season.bidding import Move, Terms, level_of, moves
from mercato.launch.season.people import Person, account, crowd

HOUR, DAY = 3600, 86_400
APPLY, REVIEW, REVEAL = 2 * HOUR, 20 * HOUR, 26 * HOUR  # after the season began
NOTICE = 22 * HOUR  # between scheduling and opening
SETTLE = 90  # seconds after a window's end until the keeper looks
CLAIM = HOUR  # after the window's end until people claim
IDENTITY_CAP = 1_000 * 10**6  # what one identity may bid in the retail tranche
STARTING_LIQUIDITY = 8  # percent of a launch's interest that the market maker bids


@dataclass(frozen=True, slots=True)
class Profile:
    """How large a season is: people, days, rounds of trading a day, thousandths of a trade in each round at each
    pool, and the middle trade in base units of the dollar."""

    people: int = 400
    days: int = 36
    rounds: int = 24
    trades: int = 6000
    lot: int = 2_500 * 10**6


FULL = Profile()
SHORT = Profile(people=70, rounds=4, trades=7000, lot=40_000 * 10**6)


@dataclass(frozen=True)
class Plan:
    """A season that ends at a moment: its beginning is a midnight (UTC) `profile.days` before that day."""

    seed: int
    end: int
    profile: Profile = FULL
    open_seconds: int = 18 * HOUR
    lock_seconds: int = 6 * HOUR

    @property
    def began(self) -> int:
        """Returns when the season begins."""
        return self.end // DAY * DAY - self.profile.days * DAY

    @property
    def step(self) -> int:
        """Returns the seconds between two rounds of trading."""
        return DAY // self.profile.rounds

    @cached_property
    def people(self) -> tuple[Person, ...]:
        """Returns the crowd."""
        return crowd(self.seed, self.profile.people)

    @cached_property
    def maker(self) -> Person:
        """Returns the market maker, who buys a stock of every token at its auction."""
        return Person(-1, account(self.seed, "market maker"), "whale", 0, False)

    @property
    def agents(self) -> tuple[Agent, ...]:
        """Returns the agents that apply, in order."""
        return agents()

    def opens(self, agent: Agent) -> int | None:
        """Returns when bidding on an agent opens; None where it is declined.

        One is open when the season ends and one opens the day after, so that there is something to join.
        """
        if agent.fate == "declined":
            return None
        if agent.fate == "open":
            return self.end // HOUR * HOUR - 5 * HOUR
        if agent.fate == "upcoming":
            return self.end // HOUR * HOUR + 20 * HOUR
        place = [item for item in self.agents if item.day == agent.day].index(agent)
        return self.began + agent.day * DAY + (9 + 5 * place) * HOUR

    def closes(self, agent: Agent) -> int:
        """Returns when bidding on an agent ends, soft closes aside."""
        opens = self.opens(agent)
        assert opens is not None, "a declined agent has no window"
        return opens + self.open_seconds + self.lock_seconds

    def moves(self, agent: Agent) -> tuple[Move, ...]:
        """Returns what the crowd and the market maker do in an agent's auction, by time."""
        terms = Terms(self.open_seconds, self.lock_seconds, retail_cap=IDENTITY_CAP)
        found = moves(agent, self.people, self.seed, terms)
        if not found or agent.fate == "failed":
            return found
        stock = agent.interest * STARTING_LIQUIDITY // 100 * 10**6
        level = level_of(agent.worth * 3 // 2 * 10**6, terms.costs(agent.floor)) or 0
        return tuple(sorted((*found, Move(HOUR, self.maker, "bid", level, stock)), key=lambda move: move.at))

    def grants(self) -> dict[Person, int]:
        """Returns the dollars that each person is given at the beginning: for all bids, and as much again to trade."""
        wanted = {person: person.means * 10**6 for person in self.people}
        wanted[self.maker] = 50_000_000 * 10**6
        for agent in self.agents:
            for move in self.moves(agent) if self.opens(agent) else ():
                if move.act in {"bid", "retail"}:
                    wanted[move.person] += move.amount * 3 // 2
        return wanted

    def shortened(self) -> Plan:
        """Returns the same season with fewer people and trades, for tests."""
        return replace(self, profile=SHORT)
