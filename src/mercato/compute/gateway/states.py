"""The way of a request as a table: what may follow what. Nothing is sent before the reserve, and money moves once."""

from __future__ import annotations

from enum import StrEnum

from mercato.core.errors import Conflict


class Stage(StrEnum):
    """Where a request is."""

    AUTH = "auth"
    VALIDATE = "validate"
    RESERVE = "reserve"
    ROUTE = "route"
    SENDING = "sending"
    FIRST_BYTE = "first-byte"
    STREAMING = "streaming"
    METER = "meter"
    SETTLE = "settle"
    DONE = "done"
    RELEASE = "release"
    REFUSED = "refused"


#: What may follow a stage. RELEASE gives the reserve back, SETTLE charges it: no way leads through both.
MOVES: dict[Stage, frozenset[Stage]] = {
    Stage.AUTH: frozenset({Stage.VALIDATE, Stage.REFUSED}),
    Stage.VALIDATE: frozenset({Stage.ROUTE, Stage.REFUSED}),
    Stage.ROUTE: frozenset({Stage.RESERVE, Stage.REFUSED}),
    Stage.RESERVE: frozenset({Stage.SENDING, Stage.RELEASE, Stage.REFUSED, Stage.DONE}),
    Stage.SENDING: frozenset({Stage.SENDING, Stage.FIRST_BYTE, Stage.RELEASE}),
    Stage.FIRST_BYTE: frozenset({Stage.STREAMING, Stage.METER, Stage.RELEASE}),
    Stage.STREAMING: frozenset({Stage.METER, Stage.RELEASE}),
    Stage.METER: frozenset({Stage.SETTLE, Stage.RELEASE}),
    Stage.SETTLE: frozenset({Stage.DONE}),
    Stage.RELEASE: frozenset({Stage.REFUSED}),
    Stage.DONE: frozenset(),
    Stage.REFUSED: frozenset(),
}
#: Stages in which an answer has begun and its settle has not: who fails there gives the reserve back.
UNSETTLED = frozenset({Stage.FIRST_BYTE, Stage.STREAMING, Stage.METER})


def step(stage: Stage, to: Stage) -> Stage:
    """Returns the next stage; Conflict for a step that the table does not have."""
    if to not in MOVES[stage]:
        raise Conflict(f"request went from {stage.value!r} to {to.value!r}", hint="this is a bug of the gateway")
    return to
