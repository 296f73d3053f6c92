"""Epochs: what was served since the last one is netted for each provider, and fixed by a Merkle root over the receipts.

Earnings stay held for as long as it takes to find a cheater, the holdback; then they are due; then they are paid. What
a verdict stops meanwhile is withheld, see `disputes`.

    held --holdback over--> due --pay--> paid        held --verdict--> withheld --decided--> held | refunded
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mercato.compute.books import ledger, sheet
from mercato.compute.books.ledger import OUTSIDE, Move
from mercato.compute.books.pen import Pen
from mercato.compute.books.receipts import opening, root
from mercato.compute.books.till import Till, transfer
from mercato.compute.books.words import micros, moment
from mercato.compute.errors import Short
from mercato.compute.model import ProviderId
from mercato.core.errors import InvalidInput, NotFound
from mercato.core.events import Json
from mercato.store.bare import Bare, Row

HOLDBACK = timedelta(days=7)
_HASHES = """SELECT compute_receipt.request, hash FROM compute_receipt JOIN compute_entry
    ON compute_entry.lane = compute_receipt.lane AND compute_entry.seq = compute_receipt.seq
    WHERE epoch = ? ORDER BY compute_receipt.lane, compute_receipt.seq"""
_TAKE = "UPDATE compute_receipt SET epoch = ? WHERE epoch = 0 RETURNING provider, earned"
_SETTLEMENT = "SELECT epoch, provider, earned, state, release_us, dispute FROM compute_settlement"


class Pay(StrEnum):
    """Where a provider's earnings of one epoch stand."""

    HELD = "held"
    DUE = "due"
    WITHHELD = "withheld"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class Epoch:
    """A closed epoch: how many receipts it fixes, and the root of their tree."""

    number: int
    closed: datetime
    root: str
    receipts: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a provider earned in an epoch, in micro-dollars, and from when on it is due."""

    epoch: int
    provider: ProviderId
    earned: int
    state: Pay
    release: datetime
    dispute: str


@dataclass(frozen=True, slots=True)
class Proof:
    """That an epoch's root counts a receipt: its place among `count`, and the siblings from the leaf upwards."""

    epoch: Epoch
    index: int
    path: list[str]

    def body(self) -> dict[str, Json]:
        """Returns it as JSON, as `receipt verify` reads it."""
        fixed: dict[str, Json] = {"epoch": self.epoch.number, "root": self.epoch.root, "receipts": self.epoch.receipts}
        return fixed | {"index": self.index, "path": list(self.path)}


def close(till: Till, holdback: timedelta = HOLDBACK) -> Epoch | None:
    """Closes an epoch over all receipts that are in none yet; None where there are no such."""
    with till.writing() as pen:
        return closed(pen, holdback)


def closed(pen: Pen, holdback: timedelta = HOLDBACK) -> Epoch | None:
    """Closes an epoch in the pen's transaction."""
    bare = pen.bare
    number = bare.run("SELECT COALESCE(MAX(number), 0) + 1 FROM compute_epoch")[0][0]
    earned: Counter[str] = Counter()
    taken = bare.run(_TAKE, (number,))
    for provider, micro in taken:
        earned[provider] += micro
    if not taken:
        return None
    made = Epoch(number, pen.at, root([row[1] for row in bare.run(_HASHES, (number,))]), len(taken))
    head = "INSERT INTO compute_epoch (number, closed_us, root, receipts)"
    bare.many(head, [(number, micros(pen.at), made.root, made.receipts)])
    release = micros(pen.at + holdback)
    rows = sorted((number, provider, micro, Pay.HELD.value, release, "") for provider, micro in earned.items() if micro)
    bare.many("INSERT INTO compute_settlement (epoch, provider, earned, state, release_us, dispute)", rows)
    netted: dict[str, Json] = dict(sorted(earned.items()))
    pen.write("epoch", {"number": number, "root": made.root, "receipts": made.receipts, "earned": netted})
    return made


def release(till: Till) -> list[Settlement]:
    """Makes earnings due whose holdback is over; returns them. What is withheld stays where it is."""
    with till.writing() as pen:
        sql = f"{_SETTLEMENT} WHERE state = 'held' AND release_us <= ? ORDER BY epoch, provider"
        found = [_settlement(row) for row in pen.bare.run(sql, (micros(pen.at),))]
        for one in found:
            name = f"release:{one.epoch}:{one.provider}"
            move = Move(ledger.held(one.provider), ledger.due(one.provider), one.earned)
            # A decided dispute may hold earnings again that were released once: then under another name.
            transfer(pen, f"{name}:{one.dispute}" if one.dispute else name, "release", [move])
            mark(pen.bare, one.epoch, one.provider, Pay.DUE, one.dispute)
    return found


def pay(till: Till, provider: str, micro: int, *, name: str) -> bool:
    """Books that a provider was paid, once for each name, such as a transaction's hash. Short where less is due."""
    if micro <= 0:
        raise InvalidInput(f"payment was {micro!r} micro-dollars", hint="expected at least 1")
    with till.writing() as pen:
        return transfer(pen, f"pay:{name}", "pay", [Move(ledger.due(provider), OUTSIDE, micro)])


def stake(till: Till, provider: str, micro: int, *, name: str) -> bool:
    """Books what a provider put down; it loses that by contradicting itself in writing."""
    if micro <= 0:
        raise InvalidInput(f"stake was {micro!r} micro-dollars", hint="expected at least 1")
    with till.writing() as pen:
        return transfer(pen, f"stake:{name}", "stake", [Move(OUTSIDE, ledger.stake(provider), micro)])


def unstake(till: Till, provider: str, *, name: str) -> bool:
    """Gives a provider's stake back, when it is exiting and all that it earned was settled; Short otherwise."""
    with till.writing() as pen:
        found = pen.bare.run("SELECT standing FROM compute_provider WHERE id = ?", (provider,))
        kept = sheet.balances(pen.bare, [ledger.stake(provider), ledger.held(provider), ledger.withheld(provider)])
        if not found or found[0][0] != "exiting":
            raise InvalidInput(f"provider was {provider!r:.80}, which is not exiting", hint="it has to leave first")
        if open_ := kept[ledger.held(provider)] + kept[ledger.withheld(provider)]:
            raise Short(f"{open_} micro-dollars of {provider!r} are not settled", hint="wait until they are", left=0)
        move = Move(ledger.stake(provider), OUTSIDE, kept[ledger.stake(provider)])
        return transfer(pen, f"unstake:{name}", "unstake", [move])


def mark(bare: Bare, epoch: int, provider: str, state: Pay, dispute: str) -> None:
    """Writes where a settlement stands."""
    sql = "UPDATE compute_settlement SET state = ?, dispute = ? WHERE epoch = ? AND provider = ?"
    bare.run(sql, (state.value, dispute, epoch, provider))


def settlements(bare: Bare, provider: str = "", state: Pay | None = None) -> list[Settlement]:
    """Returns settlements of a provider, or of all, oldest first; those in one state where it is named."""
    where, values = ["1 = 1"], []
    for column, value in (("provider", provider), ("state", state)):
        if value:
            where.append(f"{column} = ?")
            values.append(value)
    rows = bare.run(f"{_SETTLEMENT} WHERE {' AND '.join(where)} ORDER BY epoch, provider", values)
    return [_settlement(row) for row in rows]


def epochs(bare: Bare, number: int = 0) -> list[Epoch]:
    """Returns closed epochs, oldest first; one of them where its number is given."""
    where, values = ("WHERE number = ?", (number,)) if number else ("", ())
    rows = bare.run(f"SELECT number, closed_us, root, receipts FROM compute_epoch {where} ORDER BY number", values)  # noqa: S608  # our own names
    return [Epoch(row[0], moment(row[1]), row[2], row[3]) for row in rows]


def proof(bare: Bare, request: str) -> Proof | None:
    """Returns the proof that a receipt is in its epoch; None while that is open. NotFound for no such receipt."""
    found = bare.run("SELECT epoch FROM compute_receipt WHERE request = ?", (request,))
    if not found:
        raise NotFound(f"request was {request!r:.80}, which has no receipt", hint="it may still be open")
    if not found[0][0]:
        return None
    rows = bare.run(_HASHES, (found[0][0],))
    index = [row[0] for row in rows].index(request)
    return Proof(epochs(bare, found[0][0])[0], index, opening([row[1] for row in rows], index))


def _settlement(row: Row) -> Settlement:
    return Settlement(row[0], ProviderId(row[1]), row[2], Pay(row[3]), moment(row[4]), row[5])
