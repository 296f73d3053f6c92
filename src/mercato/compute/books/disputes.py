"""Disputes: a verdict stops a provider's pay, somebody decides, and the users whom it wronged get it back.

Statistics are sometimes wrong, so they only withhold earnings that were not settled yet, and a decision may give them
back. What a provider signed twice in two ways is wrong for certain: that costs its stake.

    open --reject--> rejected (earnings are held again)        open --uphold--> upheld (users are refunded)
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mercato.compute.books import epochs, ledger, sheet
from mercato.compute.books.epochs import Pay
from mercato.compute.books.ledger import SLASHED, Move
from mercato.compute.books.pen import Pen
from mercato.compute.books.till import LANE, Till, transfer
from mercato.compute.books.words import micros, moment
from mercato.compute.model import DISPUTES, DisputeId, ProviderId, Receipt
from mercato.core.errors import Conflict, NotFound
from mercato.core.events import Json
from mercato.store.bare import Bare, Row

REPLAYED = "replayed"
_SEEN = "id, provider, kind, state, opened_us, decided_us, amount, evidence, why"
_WRONGED = """SELECT compute_receipt.account, SUM(compute_receipt.earned) FROM compute_receipt JOIN compute_settlement
    ON compute_settlement.epoch = compute_receipt.epoch AND compute_settlement.provider = compute_receipt.provider
    WHERE compute_settlement.dispute = ? AND compute_settlement.state = 'withheld'
    GROUP BY compute_receipt.account ORDER BY compute_receipt.account"""


class Kind(StrEnum):
    """What a dispute is about."""

    STATISTICAL = "statistical"
    SIGNED = "signed"  # two signed documents that cannot both be true
    OBJECTION = "objection"  # a provider does not agree to a receipt
    COMPLAINT = "complaint"  # a user does not believe an answer


class Outcome(StrEnum):
    """Where a dispute stands."""

    OPEN = "open"
    UPHELD = "upheld"
    REJECTED = "rejected"


STEPS: Mapping[tuple[Outcome, bool], Outcome] = {
    (Outcome.OPEN, True): Outcome.UPHELD,
    (Outcome.OPEN, False): Outcome.REJECTED,
}
"""Every step that a dispute can take: from where, and whether it is upheld. What was decided stays decided."""


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute with a provider, and how much of its earnings, or of its stake, is at issue, in micro-dollars."""

    id: DisputeId
    provider: ProviderId
    kind: Kind
    state: Outcome
    opened: datetime
    decided: datetime | None
    amount: int
    evidence: Mapping[str, Json]
    why: str


def withhold(till: Till, provider: ProviderId, why: str, evidence: Mapping[str, Json]) -> Dispute:
    """Stops everything that a provider earned and was not settled yet. Its stake is not touched."""
    with till.writing() as pen:
        return withheld(pen, provider, why, evidence)


def withheld(pen: Pen, provider: ProviderId, why: str, evidence: Mapping[str, Json]) -> Dispute:
    """Stops a provider's unsettled earnings in the pen's transaction.

    What is in no epoch yet is brought into one first, so that each micro-dollar belongs to receipts of a settlement.
    """
    epochs.closed(pen)
    stopped = epochs.settlements(pen.bare, provider, Pay.HELD)
    made = _opened(pen, provider, Kind.STATISTICAL, sum(one.earned for one in stopped), evidence, why)
    for one in stopped:
        epochs.mark(pen.bare, one.epoch, provider, Pay.WITHHELD, made.id)
    move = Move(ledger.held(provider), ledger.withheld(provider), made.amount)
    transfer(pen, f"withhold:{made.id}", "withhold", [move], {"dispute": made.id, "why": why[:500]})
    return made


def decide(till: Till, id: str, *, uphold: bool, by: str, why: str) -> Dispute:
    """Decides an open dispute, once: Conflict where it was decided before.

    Upheld, each user gets back what the provider would have earned by them. Rejected, it is held as it was. The
    decision names the entries of what referees found before.
    """
    with till.writing() as pen:
        found = one(pen.bare, id, lock=True)
        if (found.state, uphold) not in STEPS:
            raise Conflict(f"dispute {id!r} was {found.state.value} before", hint="a decision is final")
        state = STEPS[found.state, uphold]
        if found.kind is Kind.STATISTICAL:
            _refund(pen, found) if uphold else _return(pen, found)
        sql = "UPDATE compute_dispute SET state = ?, decided_us = ?, why = ? WHERE id = ?"
        seen: list[Json] = [number for number, _ in replays(pen.bare, id)]
        after = f", after replays {', '.join(map(str, seen))}" if seen else ""
        said = f"{found.why} | {by}{after}: {why}"
        pen.bare.run(sql, (state.value, micros(pen.at), said, id))
        pen.write("decided", {"dispute": id, "outcome": state.value, "by": by, "why": why[:500], "replays": seen})
        return one(pen.bare, id)


def slashed(pen: Pen, provider: ProviderId, subject: str, why: str, documents: list[Json]) -> Dispute:
    """Takes a provider's whole stake and withholds its pay, in the pen's transaction, once for each subject: Conflict
    where that was done before. That the documents contradict each other was seen by who calls, `slashing`."""
    pay = withheld(pen, provider, why, {"subject": subject})
    amount = sheet.balances(pen.bare, [ledger.stake(provider)])[ledger.stake(provider)]
    made = _opened(pen, provider, Kind.SIGNED, amount, {"documents": documents, "withheld": pay.id}, why)
    move = Move(ledger.stake(provider), SLASHED, amount)
    if not transfer(pen, f"slash:{provider}:{subject}", "slash", [move], {"dispute": made.id}):
        raise Conflict(f"stake of {provider!r} was taken for this before", hint="nothing was changed")
    pen.bare.run("UPDATE compute_dispute SET state = 'upheld', decided_us = ? WHERE id = ?", (micros(pen.at), made.id))
    return one(pen.bare, made.id)


def objected(till: Till, provider: ProviderId, receipt: Receipt, why: str) -> Dispute:
    """Writes down that a provider does not agree to a receipt; nothing moves by that."""
    with till.writing() as pen:
        return _opened(pen, provider, Kind.OBJECTION, receipt.charged, {"request": receipt.request}, why)


def complained(till: Till, provider: ProviderId, receipt: Receipt, why: str) -> Dispute:
    """Writes down that a user does not believe an answer; nothing moves by that."""
    with till.writing() as pen:
        return _opened(pen, provider, Kind.COMPLAINT, receipt.charged, {"request": receipt.request}, why)


def replayed(till: Till, id: str, findings: Sequence[Mapping[str, Json]], by: str) -> list[int]:
    """Adds what referees found to an open dispute, each as an entry of the log; returns their numbers. Conflict where
    it was decided before. Nothing moves by that."""
    with till.writing() as pen:
        found = one(pen.bare, id, lock=True)
        if found.state is not Outcome.OPEN:
            raise Conflict(f"dispute {id!r} was {found.state.value} before", hint="a decision is final")
        numbers = []
        for finding in findings:
            pen.write(REPLAYED, {"dispute": id, "by": by, **finding})
            numbers.append(pen.seq)
        return numbers


def replays(bare: Bare, id: str) -> list[tuple[int, Mapping[str, Json]]]:
    """Returns what referees found in a dispute, oldest first, with the numbers of the entries."""
    sql = "SELECT seq, body FROM compute_entry WHERE lane = ? AND kind = ? ORDER BY seq"
    found = [(int(seq), json.loads(text)) for seq, text in bare.run(sql, (LANE, REPLAYED))]
    return [(number, body) for number, body in found if body["dispute"] == id]


def one(bare: Bare, id: str, *, lock: bool = False) -> Dispute:
    """Returns a dispute; NotFound where there is none of that id."""
    tail = " FOR UPDATE" if lock and bare.dialect == "postgresql" else ""
    found = bare.run(f"SELECT {_SEEN} FROM compute_dispute WHERE id = ?{tail}", (id,))  # noqa: S608  # our own names
    if not found:
        raise NotFound(f"dispute was {id!r:.80}, which does not exist", hint="see `mercato compute disputes`")
    return _dispute(found[0])


def listed(bare: Bare, provider: str = "") -> list[Dispute]:
    """Returns the disputes with a provider, or all, oldest first."""
    where, values = ("WHERE provider = ?", (provider,)) if provider else ("", ())
    return [_dispute(row) for row in bare.run(f"SELECT {_SEEN} FROM compute_dispute {where} ORDER BY id", values)]  # noqa: S608  # our own names


def _refund(pen: Pen, found: Dispute) -> None:
    source = ledger.withheld(found.provider)
    moves = [Move(source, ledger.user(row[0]), int(row[1])) for row in pen.bare.run(_WRONGED, (found.id,))]
    transfer(pen, f"refund:{found.id}", "refund", moves, {"dispute": found.id})
    _marked(pen, found, Pay.REFUNDED)


def _return(pen: Pen, found: Dispute) -> None:
    move = Move(ledger.withheld(found.provider), ledger.held(found.provider), found.amount)
    transfer(pen, f"return:{found.id}", "return", [move], {"dispute": found.id})
    _marked(pen, found, Pay.HELD)


def _marked(pen: Pen, found: Dispute, state: Pay) -> None:
    sql = "UPDATE compute_settlement SET state = ? WHERE dispute = ? AND state = 'withheld'"
    pen.bare.run(sql, (state.value, found.id))


def _opened(
    pen: Pen, provider: ProviderId, kind: Kind, amount: int, evidence: Mapping[str, Json], why: str
) -> Dispute:  # fmt: skip
    made = Dispute(DISPUTES.new(), provider, kind, Outcome.OPEN, pen.at, None, amount, dict(evidence), why[:500])
    row = (
        made.id, provider, kind.value, made.state.value, micros(pen.at), amount, json.dumps(made.evidence), made.why,
    )  # fmt: skip
    head = "INSERT INTO compute_dispute (id, provider, kind, state, opened_us, amount, evidence, why)"
    pen.bare.many(head, [row])
    facts: dict[str, Json] = {"dispute": made.id, "provider": provider, "about": kind.value, "amount": amount}
    pen.write("disputed", facts)
    return made


def _dispute(row: Row) -> Dispute:
    decided = None if row[5] is None else moment(row[5])
    return Dispute(
        DisputeId(row[0]), ProviderId(row[1]), Kind(row[2]), Outcome(row[3]), moment(row[4]), decided, row[6],
        json.loads(row[7]), row[8],
    )  # fmt: skip
