"""What a state means to a visitor, and the road of a launch with its times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mercato.launch.model import Change, Launch
from mercato.launch.states import State
from mercato.launch.views.words import left, moment

#: State -> what it is called, what it means, and the colour of its badge.
WORDS: dict[State, tuple[str, str, str]] = {
    State.DRAFT: ("draft", "handed in, not submitted to a panel yet", ""),
    State.REVIEW: ("in review", "a panel scores it by sealed cards", "info"),
    State.APPROVED: ("approved", "it passed its review and waits for its date", "ok"),
    State.DECLINED: ("declined", "its review did not pass it", "failed"),
    State.SCHEDULED: ("upcoming", "its contracts stand, bidding has not begun", "info"),
    State.OPEN: ("open", "bids are taken and may be cancelled", "ok"),
    State.LOCKED: ("open, locked", "bids are taken and may only be raised", "ok"),
    State.EXTENDED: ("open, extended", "a late bid moved the end", "ok"),
    State.CLEARED_PENDING: ("cleared", "the price is found, the pool waits to be opened", "provisional"),
    State.LIVE: ("live", "the token trades against locked liquidity", "ok"),
    State.FAILED: ("failed", "too little was bid: everybody gets everything back", "failed"),
    State.ABORTED: ("withdrawn", "called off before bidding began", "failed"),
}
BIDDING = frozenset({State.OPEN, State.LOCKED, State.EXTENDED})
ENDED = frozenset({State.LIVE, State.FAILED, State.CLEARED_PENDING})


@dataclass(frozen=True, slots=True)
class Badge:
    """A state in a word, its meaning, and its colour."""

    word: str
    meaning: str
    colour: str


@dataclass(frozen=True, slots=True)
class Countdown:
    """What comes next and when, in seconds of chain time; `words` say what was left at `now`."""

    event: str
    until: int
    now: int

    @property
    def words(self) -> str:
        """Returns what is left in words, for pages without a script."""
        return left(self.until - self.now)


@dataclass(frozen=True, slots=True)
class Stage:
    """A station of the road: `mark` is done, now or next."""

    name: str
    when: str
    mark: str


def badge(state: State) -> Badge:
    """Returns how a state is shown."""
    return Badge(*WORDS[state])


def countdown(launch: Launch, now: int) -> Countdown | None:
    """Returns the next moment that the chain's clock decides; None where none is fixed."""
    if launch.contracts is None:
        return None
    match launch.state:
        case State.SCHEDULED:
            return Countdown("opens", launch.contracts.opens, now)
        case State.OPEN:
            return Countdown("locks", launch.contracts.locks, now)
        case State.LOCKED | State.EXTENDED:
            return Countdown("ends", launch.contracts.ends, now)
    return None


def road(launch: Launch, history: Sequence[Change]) -> tuple[Stage, ...]:
    """Returns the stations of a launch, from application to market."""
    reached = {change.after: int(change.at.timestamp()) for change in history}
    applied = moment(int(launch.created_at.timestamp()))
    stages = [("Applied", applied, True), _reviewed(launch, reached)]
    if launch.state not in (State.DECLINED, State.ABORTED):
        stages += _auction(launch)
    names = [done for _, _, done in stages]
    present = names.index(False) if False in names else len(names)
    return tuple(
        Stage(name, when, "done" if at < present else "now" if at == present else "next")
        for at, (name, when, _) in enumerate(stages)
    )


def _reviewed(launch: Launch, reached: dict[State, int]) -> tuple[str, str, bool]:
    decided = launch.state not in (State.DRAFT, State.REVIEW)
    at = reached.get(State.APPROVED) or reached.get(State.DECLINED)
    name = (
        "Declined" if launch.state is State.DECLINED else "Withdrawn" if launch.state is State.ABORTED else "Reviewed"
    )
    return name, moment(at) if at and decided else "sealed scorecards", decided


def _auction(launch: Launch) -> list[tuple[str, str, bool]]:
    """Returns the stations that the chain's clock decides."""
    held, state = launch.contracts, launch.state
    opened = state in BIDDING | ENDED
    locked = state in (State.LOCKED, State.EXTENDED) or state in ENDED
    last = "Failed" if state is State.FAILED else "Live"
    return [
        ("Bidding opens", moment(held.opens) if held else "to be scheduled", opened),
        ("Lock: raise only", moment(held.locks) if held else "6 h before the end", locked),
        ("Price found", moment(held.ends) if held else "24 h after the start", state in ENDED),
        (last, "refunds are open" if state is State.FAILED else "pool with locked liquidity",
         state in (State.LIVE, State.FAILED)),
    ]  # fmt: skip
