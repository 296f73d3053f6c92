"""Challenges to nodes: a job poses a nonce, whichever worker the node dialled brings the report, a job judges it.

Only who holds a node's tunnel can ask it, and only the job verifies quotes: so they hand each other bytes through the
store. Every function takes an open connection, and those that write are called within its `transaction()`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from mercato.compute.books.words import micros
from mercato.compute.model import ProviderId
from mercato.store.bare import Bare, Row

PATIENCE = timedelta(minutes=3)  # for an answer
_SEEN = "provider, model, upstream, nonce, report"


@dataclass(frozen=True, slots=True)
class Challenge:
    """A nonce for a node and one of its models, called `upstream` there; `report` is None until there is one."""

    provider: ProviderId
    model: str
    upstream: str
    nonce: bytes
    report: bytes | None = None


def pose(bare: Bare, one: Challenge, now: datetime) -> bool:
    """Asks a node, unless it is being asked already; returns whether it is asked now."""
    row = (one.provider, one.model, one.upstream, one.nonce.hex(), micros(now))
    head = "INSERT INTO compute_challenge (provider, model, upstream, nonce, asked_us)"
    return bool(bare.many(head, [row], "ON CONFLICT (provider, model) DO NOTHING RETURNING provider"))


def waiting(bare: Bare) -> list[Challenge]:
    """Returns what nodes are still to be asked."""
    rows = bare.run(f"SELECT {_SEEN} FROM compute_challenge WHERE report IS NULL")  # noqa: S608  # our own names
    return [_challenge(row) for row in rows]


def answer(bare: Bare, one: Challenge, report: bytes) -> None:
    """Keeps what a node answered, the first time."""
    sql = """UPDATE compute_challenge SET report = ? WHERE provider = ? AND model = ? AND nonce = ?
        AND report IS NULL"""
    bare.run(sql, (report, one.provider, one.model, one.nonce.hex()))


def take(bare: Bare, now: datetime) -> list[Challenge]:
    """Takes out what was answered, and what nobody answered in time."""
    sql = f"DELETE FROM compute_challenge WHERE report IS NOT NULL OR asked_us <= ? RETURNING {_SEEN}"  # noqa: S608  # our own names
    return [_challenge(row) for row in bare.run(sql, (micros(now - PATIENCE),))]


def _challenge(row: Row) -> Challenge:
    report = None if row[4] is None else bytes(row[4])
    return Challenge(ProviderId(row[0]), row[1], row[2], bytes.fromhex(row[3]), report)
