"""Where a provider stands, as one table of steps: what is not in it changes nothing.

Statistics withhold pay that is not settled yet, and eject. Only a signed contradiction slashes stake: two signed
receipts for one request, a false opening of a Merkle tree, or weights attested other than offered.
"""

from __future__ import annotations

from enum import StrEnum

from mercato.compute.model import Standing


class Event(StrEnum):
    """What happens to a provider."""

    OFFERED = "offered"  # a first valid offer came, and a first audit passed
    PROVED = "proved"  # enough clean audits
    ADMITTED = "admitted"  # an operator answers for it
    WARNED = "warned"  # evidence rose past the warning
    CONVICTED = "convicted"  # evidence reached the bar
    CONTRADICTED = "contradicted"  # it signed two things that cannot both be true
    SILENT = "silent"  # offers or heartbeats ran out
    RETURNED = "returned"  # offers and heartbeats are back
    HELD = "held"  # an operator stops it for a while
    LEAVES = "leaves"  # it wants to go
    SETTLED = "settled"  # everything it was owed is paid


class Effect(StrEnum):
    """What a step brings about besides."""

    AUDIT_ALL = "audit-all"
    WITHHOLD = "withhold"  # pay that is not settled yet stays where it is
    SLASH = "slash"
    PAY_OUT = "pay-out"


P, B, A, S, E, X = (
    Standing.PENDING, Standing.PROBATION, Standing.ACTIVE, Standing.SUSPENDED, Standing.EJECTED, Standing.EXITING,
)  # fmt: skip
OPEN = (P, B, A, S, X)
STEPS: dict[tuple[Standing, Event], tuple[Standing, frozenset[Effect]]] = {
    (P, Event.OFFERED): (B, frozenset({Effect.AUDIT_ALL})),
    (B, Event.PROVED): (A, frozenset()),
    (B, Event.ADMITTED): (A, frozenset()),  # audited as before where there is who judges: clean audits are not given
    (A, Event.WARNED): (B, frozenset({Effect.AUDIT_ALL})),  # its pay is held back anyway, as everyone's
    (S, Event.RETURNED): (B, frozenset({Effect.AUDIT_ALL})),
    (X, Event.SETTLED): (X, frozenset({Effect.PAY_OUT})),
    **{(each, Event.SILENT): (S, frozenset()) for each in (B, A)},
    **{(each, Event.HELD): (S, frozenset({Effect.WITHHOLD})) for each in (B, A)},
    **{(each, Event.LEAVES): (X, frozenset()) for each in (P, B, A, S)},
    **{(each, Event.CONVICTED): (E, frozenset({Effect.WITHHOLD})) for each in OPEN},
    **{(each, Event.CONTRADICTED): (E, frozenset({Effect.WITHHOLD, Effect.SLASH})) for each in (*OPEN, E)},
}


def step(standing: Standing, event: Event) -> tuple[Standing, frozenset[Effect]]:
    """Returns where a provider stands after an event, and what that brings about; as before where no step is known."""
    return STEPS.get((standing, event), (standing, frozenset()))
