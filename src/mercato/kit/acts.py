"""Acts: intents on their way, and the entries of the journal that tell of it. Every step an act can take is here.

asked --approve--> agreed --reserve--> reserved --sign--> signed --settle--> done
      --reject---> over                         --release--> over <--release-- signed (it never reached a block)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import ClassVar

from mercato.core.events import Event, Json
from mercato.kit.model import ActId, Decision, Effects, Intent, Origin, Reserve, Verdict, canonical


class State(StrEnum):
    """Where an act stands."""

    ASKED = "asked"
    AGREED = "agreed"
    RESERVED = "reserved"
    SIGNED = "signed"
    DONE = "done"
    OVER = "over"


class Arrow(StrEnum):
    """What an entry of the journal tells. The first five of an act are written together, before anything is signed."""

    INTENDED = "intended"
    PLANNED = "planned"
    REHEARSED = "rehearsed"
    DECIDED = "decided"
    RESERVED = "reserved"
    ASKED = "asked"
    APPROVED = "approved"
    REJECTED = "rejected"
    SIGNED = "signed"
    SENT = "sent"
    CONFIRMED = "confirmed"
    SETTLED = "settled"
    RELEASED = "released"
    OPENED = "opened"
    RULED = "ruled"
    FROZEN = "frozen"
    THAWED = "thawed"


#: What an act may become, by the entry that says so; None is an act that is not there yet.
STEPS: Mapping[tuple[State | None, Arrow], State] = {
    (None, Arrow.RESERVED): State.RESERVED,
    (None, Arrow.ASKED): State.ASKED,
    (State.ASKED, Arrow.APPROVED): State.AGREED,
    (State.ASKED, Arrow.REJECTED): State.OVER,
    (State.AGREED, Arrow.REJECTED): State.OVER,
    (State.AGREED, Arrow.RESERVED): State.RESERVED,
    (State.RESERVED, Arrow.SIGNED): State.SIGNED,
    (State.RESERVED, Arrow.RELEASED): State.OVER,
    (State.SIGNED, Arrow.SETTLED): State.DONE,
    (State.SIGNED, Arrow.RELEASED): State.OVER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalGrew(Event):
    """A journal has news. It says nothing more: whoever listens may be anybody."""

    room: ClassVar[str] = "kit"


START = "0" * 64  # what the first entry follows


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a journal. `hash` covers everything before it by the hash of the entry before."""

    book: str
    seq: int
    at: datetime
    act: str
    arrow: Arrow
    body: Mapping[str, Json]
    hash: str


def hashed(book: str, seq: int, at: datetime, act: str, arrow: str, body: str, previous: str) -> str:
    """Returns the hash of an entry: SHA-256 of its canonical JSON, the previous entry's hash within it.

    `body` is canonical JSON already, and the whole is put together around it: its names are in their order here.
    """
    head = f'{{"act":{canonical(act)},"after":"{previous}","arrow":"{arrow}","at":"{at.isoformat()}"'
    return sha256(f'{head},"body":{body},"book":{canonical(book)},"seq":{seq}}}'.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Signed:
    """A transaction that was signed: its place (a nonce on EVM chains), its hash, and its bytes."""

    place: int
    hash: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Act:
    """An intent with what became of it."""

    intent: Intent
    state: State
    effects: Effects
    decision: Decision
    places: tuple[int, ...] = ()
    signed: tuple[Signed, ...] = ()
    owner: str = ""
    due: datetime | None = None

    @property
    def id(self) -> ActId:
        """Returns the act's id, which is its intent's."""
        return self.intent.id


@dataclass(frozen=True, slots=True)
class Book:
    """A journal under a policy: one for each agent. `seq` and `head` are of its newest entry."""

    id: str
    policy_hash: str
    seq: int
    head: str
    frozen: bool


def intent_body(intent: Intent) -> dict[str, Json]:
    """Returns an intent as JSON."""
    return {
        "id": intent.id, "book": intent.book, "account": intent.account, "action": intent.action,
        "arguments": dict(intent.arguments), "origin": intent.origin.value, "at": intent.at.isoformat(),
        "note": intent.note,
    }  # fmt: skip


def intent_of(body: Mapping[str, Json]) -> Intent:
    """Returns the intent that `intent_body` wrote."""
    arguments = body["arguments"]
    assert isinstance(arguments, dict), "an intent's arguments are an object"
    texts = {name: str(body[name]) for name in ("book", "account", "action", "note")}
    at = datetime.fromisoformat(str(body["at"]))
    return Intent(ActId(str(body["id"])), arguments=arguments, origin=Origin(str(body["origin"])), at=at, **texts)


def decision_body(decision: Decision) -> dict[str, Json]:
    """Returns a decision as JSON."""
    return {
        "verdict": decision.verdict.value, "rule": decision.rule, "why": decision.why, "policy": decision.policy,
        "reserves": [reserve_body(item) for item in decision.reserves], "approvers": list(decision.approvers),
    }  # fmt: skip


def decision_of(body: Mapping[str, Json]) -> Decision:
    """Returns the decision that `decision_body` wrote."""
    reserves, approvers = body["reserves"], body["approvers"]
    assert isinstance(reserves, list), "a decision's reserves are a list"
    assert isinstance(approvers, list), "a decision's approvers are a list"
    verdict = Verdict(str(body["verdict"]))
    texts = (str(body["rule"]), str(body["why"]), str(body["policy"]))
    return Decision(verdict, *texts, tuple(map(reserve_of, reserves)), tuple(map(str, approvers)))


def reserve_body(item: Reserve) -> Json:
    """Returns what an act needs of a budget as JSON."""
    return {
        "budget": item.budget, "scope": item.scope, "asset": item.asset, "units": str(item.units),
        "cap": str(item.cap), "seconds": item.seconds,
    }  # fmt: skip


def reserve_of(body: Json) -> Reserve:
    """Returns what `reserve_body` wrote."""
    assert isinstance(body, dict), "a reserve is an object"
    seconds = body["seconds"]
    texts = (str(body["budget"]), str(body["scope"]), str(body["asset"]))
    return Reserve(
        *texts, int(str(body["units"])), int(str(body["cap"])), None if seconds is None else int(str(seconds))
    )
