"""What a state means to a visitor, and the road of a launch with its times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mercato.launch.model import Change, Launch
from mercato.launch.states import State
from mercato.launch.words import left, moment

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


#: State -> the station where it stands, counted from 0; nothing where it waits between two.
_PLACE = {
    State.DRAFT: 0, State.REVIEW: 1, State.OPEN: 2, State.LOCKED: 3, State.EXTENDED: 3, State.CLEARED_PENDING: 4,
}  # fmt: skip
_DONE = {
    State.APPROVED: 2, State.DECLINED: 2, State.SCHEDULED: 2, State.ABORTED: 2, State.LIVE: 6, State.FAILED: 6,
}  # fmt: skip


def road(launch: Launch, history: Sequence[Change]) -> tuple[Stage, ...]:
    """Returns the stations of a launch, from application to market."""
    stations = [("Applied", moment(int(launch.created_at.timestamp()))), _reviewed(launch, history)]
    if launch.state not in (State.DECLINED, State.ABORTED):
        stations += _auction(launch)
    place = _PLACE.get(launch.state, -1)
    done = _DONE.get(launch.state, place)
    return tuple(
        Stage(name, when, "now" if at == place else "done" if at < done else "next")
        for at, (name, when) in enumerate(stations)
    )


def _reviewed(launch: Launch, history: Sequence[Change]) -> tuple[str, str]:
    reached = {change.after: int(change.at.timestamp()) for change in history}
    at = reached.get(State.DECLINED if launch.state is State.DECLINED else State.APPROVED)
    name = {State.DECLINED: "Declined", State.ABORTED: "Withdrawn", State.REVIEW: "In review"}.get(
        launch.state, "Review"
    )
    return name, moment(at) if at and launch.state is not State.REVIEW else "by sealed scorecards"


def _auction(launch: Launch) -> list[tuple[str, str]]:
    """Returns the stations that the chain's clock decides."""
    held, failed = launch.contracts, launch.state is State.FAILED
    return [
        ("Bidding", f"from {moment(held.opens)}" if held else "to be scheduled"),
        ("Locked: raise only", f"from {moment(held.locks)}" if held else "the last 6 hours"),
        ("Price found", moment(held.ends) if held else "24 hours after the start"),
        ("Failed", "refunds are open") if failed else ("Live", "a pool with locked liquidity"),
    ]
