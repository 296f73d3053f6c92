"""The life of a launch as one table. What is not in it cannot happen.

    draft --submit--> review --approve--> approved --schedule--> scheduled --open--> open --lock--> locked
    review --decline--> declined --appeal--> review              scheduled --abort--> aborted
    locked, extended --extend--> extended     --graduate--> live     --fail--> failed (refunds are open)
                     --hold--> cleared-pending --graduate--> live    --expire--> failed

Steps up to `schedule` are taken by people, all later ones by the chain: they are read off the auction's own state and
never decided here. `rewind` undoes chain steps after a reorganisation, and the walk starts again at `scheduled`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from enum import StrEnum

from mercato.core.errors import Conflict


class State(StrEnum):
    """Where a launch stands."""

    DRAFT = "draft"
    REVIEW = "review"
    APPROVED = "approved"
    DECLINED = "declined"
    SCHEDULED = "scheduled"
    OPEN = "open"
    LOCKED = "locked"
    EXTENDED = "extended"
    CLEARED_PENDING = "cleared-pending"
    LIVE = "live"
    FAILED = "failed"
    ABORTED = "aborted"


class Step(StrEnum):
    """What may happen to a launch."""

    SUBMIT = "submit"
    APPROVE = "approve"
    DECLINE = "decline"
    APPEAL = "appeal"
    SCHEDULE = "schedule"
    OPEN = "open"
    LOCK = "lock"
    EXTEND = "extend"
    HOLD = "hold"
    GRADUATE = "graduate"
    FAIL = "fail"
    EXPIRE = "expire"
    ABORT = "abort"
    REWIND = "rewind"


#: Steps that people take; the others are read off the chain.
OURS = frozenset({Step.SUBMIT, Step.APPROVE, Step.DECLINE, Step.APPEAL, Step.SCHEDULE})
#: States that the chain decides, in the order of the auction contract's own numbers.
ON_CHAIN = (
    State.SCHEDULED, State.OPEN, State.LOCKED, State.EXTENDED, State.CLEARED_PENDING, State.LIVE, State.FAILED,
    State.ABORTED,
)  # fmt: skip
ENDED = frozenset({State.LIVE, State.FAILED, State.ABORTED})

TRANSITIONS: Mapping[tuple[State, Step], State] = {
    (State.DRAFT, Step.SUBMIT): State.REVIEW,
    (State.REVIEW, Step.APPROVE): State.APPROVED,
    (State.REVIEW, Step.DECLINE): State.DECLINED,
    (State.DECLINED, Step.APPEAL): State.REVIEW,
    (State.APPROVED, Step.SCHEDULE): State.SCHEDULED,
    (State.SCHEDULED, Step.ABORT): State.ABORTED,
    (State.SCHEDULED, Step.OPEN): State.OPEN,
    (State.OPEN, Step.LOCK): State.LOCKED,
    (State.LOCKED, Step.EXTEND): State.EXTENDED,
    (State.LOCKED, Step.GRADUATE): State.LIVE,
    (State.LOCKED, Step.HOLD): State.CLEARED_PENDING,
    (State.LOCKED, Step.FAIL): State.FAILED,
    (State.EXTENDED, Step.GRADUATE): State.LIVE,
    (State.EXTENDED, Step.HOLD): State.CLEARED_PENDING,
    (State.EXTENDED, Step.FAIL): State.FAILED,
    (State.CLEARED_PENDING, Step.GRADUATE): State.LIVE,
    (State.CLEARED_PENDING, Step.EXPIRE): State.FAILED,
    **{(state, Step.REWIND): State.SCHEDULED for state in ON_CHAIN[1:]},
}
"""Every step that a launch can take, and where it leads."""


def move(state: State, step: Step) -> State:
    """Returns where a step leads; Conflict with the steps that are possible where this one is not."""
    target = TRANSITIONS.get((state, step))
    if target is None:
        possible = ", ".join(item.value for item in steps(state)) or "none, it has ended"
        raise Conflict(
            f"step was {step.value!r} on a launch that is {state.value!r}", hint=f"possible steps: {possible}",
            state=state.value,
        )  # fmt: skip
    return target


def steps(state: State) -> tuple[Step, ...]:
    """Returns the steps that are possible in a state, `rewind` left out."""
    return tuple(step for (start, step) in TRANSITIONS if start is state and step is not Step.REWIND)


def path(state: State, target: State) -> tuple[Step, ...]:
    """Returns the chain's steps that lead from one state on the chain to another: through `rewind` where needed.

    A keeper that slept sees only where an auction ended up; the steps between are those that must have happened.
    Conflict where either state is not one of the chain's.
    """
    for end in (state, target):
        if end not in ON_CHAIN:
            raise Conflict(f"launch was {end.value!r}, which no chain decides", hint="schedule it first")
    direct = _search(state, target)
    return direct if direct is not None else (Step.REWIND, *(_search(State.SCHEDULED, target) or ()))


def _search(state: State, target: State) -> tuple[Step, ...] | None:
    queue: deque[tuple[State, tuple[Step, ...]]] = deque([(state, ())])
    seen = {state}
    while queue:
        here, taken = queue.popleft()
        if here is target:
            return taken
        for step in steps(here):
            there = TRANSITIONS[here, step]
            if there not in seen:
                seen.add(there)
                queue.append((there, (*taken, step)))
    return None
