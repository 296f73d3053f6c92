"""Acts as their journal tells them: what was wanted, tried, decided, signed and booked, with every arrow.

All of it is read off the entries, also of acts that were refused and have no row of their own. What came from outside,
notes, reasons and the like, is made plain here and decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mercato.kit.acts import STEPS, Arrow, Entry, State
from mercato.kit.model import Effects
from mercato.kit.units import plain

NOTE = 2_000
#: Where an act stands -> in words, and the badge's colour.
WORDS = {
    None: ("refused", "failed"),
    State.ASKED: ("waits for approval", "partial"),
    State.AGREED: ("approved, not carried out yet", "info"),
    State.RESERVED: ("reserved, not signed yet", "info"),
    State.SIGNED: ("signed, on its way", "info"),
    State.DONE: ("done", "ok"),
    State.OVER: ("given back", "even"),
}


@dataclass(frozen=True, slots=True)
class Story:
    """An act from its first entry on. `tried` are the effects of the dry run, `done` those that were booked.

    `answers` tell who approved or rejected it; `why` and `note` are text for people.
    """

    id: str
    book: str
    account: str
    action: str
    origin: str
    at: datetime
    note: str
    arguments: Mapping[str, Any]
    state: State | None
    word: str
    colour: str
    verdict: str
    rule: str
    why: str
    policy: str
    approvers: tuple[str, ...]
    answers: tuple[Mapping[str, Any], ...]
    steps: tuple[Mapping[str, Any], ...]
    message: Mapping[str, Any] | None
    tried: Effects | None
    done: Effects | None
    transactions: tuple[str, ...]
    outcomes: tuple[Mapping[str, Any], ...]
    entries: tuple[Entry, ...]

    @property
    def effects(self) -> Effects | None:
        """Returns what it did, or would have done."""
        return self.done or self.tried


def story(entries: Sequence[Entry]) -> Story:
    """Returns the story of one act; `entries` are all of its entries, in their order."""
    last: dict[Arrow, Mapping[str, Any]] = {entry.arrow: entry.body for entry in entries}
    state: State | None = None
    for entry in entries:
        state = STEPS.get((state, entry.arrow), state)
    intent, decided = last[Arrow.INTENDED], last.get(Arrow.DECIDED, {})
    plan, outcome = last.get(Arrow.PLANNED, {}), last.get(Arrow.CONFIRMED, {})
    word, colour = _stands(state, last)
    given_back = last.get(Arrow.RELEASED, {}).get("why", "")
    return Story(
        id=entries[0].act, book=entries[0].book, account=str(intent["account"]), action=plain(str(intent["action"])),
        origin=str(intent["origin"]), at=entries[0].at, note=plain(str(intent["note"]), NOTE),
        arguments=intent["arguments"], state=state, word=word, colour=colour,
        verdict=str(decided.get("verdict", "")), rule=str(decided.get("rule", "")),
        why=plain(str(given_back or decided.get("why", "")), NOTE), policy=str(decided.get("policy", "")),
        approvers=tuple(last.get(Arrow.ASKED, {}).get("approvers", ())),
        answers=tuple(
            {**entry.body, "yes": entry.arrow is Arrow.APPROVED, "at": entry.at}
            for entry in entries if entry.arrow in (Arrow.APPROVED, Arrow.REJECTED)
        ),
        steps=tuple(plan.get("steps", ())), message=plan.get("message"),
        tried=_effects(last.get(Arrow.REHEARSED)), done=_effects(last.get(Arrow.SETTLED, {}).get("effects")),
        transactions=tuple(last.get(Arrow.SIGNED, {}).get("transactions", ())) if not plan.get("message") else (),
        outcomes=tuple(outcome.get("steps", ())), entries=tuple(entries),
    )  # fmt: skip


def _stands(state: State | None, last: Mapping[Arrow, Mapping[str, Any]]) -> tuple[str, str]:
    if state is State.OVER and Arrow.REJECTED in last:
        return ("rejected", "failed")
    if state is State.DONE and not last.get(Arrow.CONFIRMED, {}).get("succeeded", True):
        return ("failed on the chain", "failed")
    return WORDS[state]


def _effects(body: Mapping[str, Any] | None) -> Effects | None:
    return Effects.of(body) if body else None
