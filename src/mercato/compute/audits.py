"""Audits as the store knows them: which answers are to be checked, what was found, and each epoch's secret.

`desk.settle` asks for an audit; an auditor takes it for a while, judges it, and what was asked and answered is dropped.
Every function takes an open connection, and those that write are called within its `transaction()`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mercato.compute.books.turn import read
from mercato.compute.books.words import micros, moment
from mercato.compute.model import AUDITS, AuditId, ProviderId, Receipt, RequestId
from mercato.core.events import Json
from mercato.store.bare import Bare, Row
from mercato.store.errors import Lost

#: Audits that may be under way at once: more are not looked back on for the newest one.
TOGETHER = 64
#: The method of an audit by an answer that was known beforehand.
KNOWN = "known-answer"
_SEEN = "request, provider, model, at_us, state, id, method, statistic, verdict, checker, judged_us"
_TAKE = """UPDATE compute_audit SET due_us = ? WHERE request IN (
    SELECT request FROM compute_audit WHERE state = 'wanted' AND due_us <= ? ORDER BY due_us LIMIT ?)
    AND state = 'wanted' AND due_us <= ? RETURNING request, evidence"""
_JUDGE = """UPDATE compute_audit SET state = ?, id = ?, method = ?, statistic = ?, verdict = ?, checker = ?,
    judged_us = ?, evidence = NULL WHERE request = ? AND state = 'wanted' RETURNING provider"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An answer that is to be audited: its receipt, and what was asked and answered, as the gateway wrote it."""

    receipt: Receipt
    evidence: bytes


@dataclass(frozen=True, slots=True)
class Audit:
    """An audit: what was found of a request's answer, by which method, and by whom. `verdict` is "" until then."""

    request: RequestId
    provider: ProviderId
    model: str
    asked: datetime
    id: AuditId
    method: str
    statistic: Mapping[str, Json]
    verdict: str
    checker: str
    judged: datetime | None


def take(bare: Bare, now: datetime, *, limit: int = 20, lease: timedelta = timedelta(minutes=5)) -> list[Wanted]:
    """Returns answers to audit, oldest first; nobody else is given them while the lease lasts."""
    us = micros(now)
    rows = bare.run(_TAKE, (micros(now + lease), us, limit, us))
    found = [(read(bare, request), evidence) for request, evidence in rows]
    wanted = [Wanted(receipt, bytes(evidence or b"")) for receipt, evidence in found if receipt]
    return sorted(wanted, key=lambda one: one.receipt.at)


def judge(
    bare: Bare,
    request: RequestId,
    now: datetime,
    *,
    method: str,
    verdict: str,
    statistic: Mapping[str, Json] | None = None,
    checker: str = "",
) -> AuditId:
    """Writes what was found, once: Lost where it was judged already. `verdict` is pass, fail or void."""
    made = AUDITS.new()
    state = "void" if verdict == "void" else "judged"
    values = (state, made, method, json.dumps(dict(statistic or {})), verdict, checker, micros(now), request)
    if not bare.run(_JUDGE, values):
        raise Lost(f"request {request!r} waits for no audit", hint="another auditor judged it")
    return made


def of(bare: Bare, request: str) -> Audit | None:
    """Returns the audit of a request; None where none was wanted."""
    found = bare.run(f"SELECT {_SEEN} FROM compute_audit WHERE request = ?", (request,))  # noqa: S608  # our own names
    return _audit(found[0]) if found else None


def latest(bare: Bare, provider: str = "", *, limit: int = 100) -> list[Audit]:
    """Returns the newest audits of a provider, or of all, those that wait among them."""
    where, values = ("WHERE provider = ?", (provider,)) if provider else ("", ())
    sql = f"SELECT {_SEEN} FROM compute_audit {where} ORDER BY at_us DESC, request DESC LIMIT ?"  # noqa: S608  # our own names
    return [_audit(row) for row in bare.run(sql, (*values, limit))]


def judged(bare: Bare, provider: str) -> list[Audit]:
    """Returns all audits of a provider that were judged, in the order in which they were."""
    sql = f"SELECT {_SEEN} FROM compute_audit WHERE provider = ? AND state = 'judged' ORDER BY judged_us, request"  # noqa: S608  # our own names
    return [_audit(row) for row in bare.run(sql, (provider,))]


def asked_before(bare: Bare, provider: str) -> set[str]:
    """Returns the names of the canaries whose answers were known that a provider was asked."""
    sql = "SELECT statistic FROM compute_audit WHERE provider = ? AND state = 'judged' AND method = ?"
    return {str(json.loads(row[0]).get("canary")) for row in bare.run(sql, (provider, KNOWN))}


def said(statistic: Mapping[str, Json]) -> str:
    """Returns for people what an audit found, "" for nothing."""
    words = []
    if "canary" in statistic:
        words.append("a question whose answer was known beforehand")  # which one, is not told: it may be asked again
    elif "tokens" in statistic:
        words.append(f"{statistic['same']} of {statistic['tokens']} tokens match")
    elif "vectors" in statistic:
        words.append(f"{statistic['vectors']} vectors are {statistic['far']} billionths from the reference's at most")
    elif "proofs" in statistic:
        words.append(f"{statistic['proofs']} commitments opened, {statistic['missing']} missing")
        words.append(f"{statistic['exponents']} exponents others at most")
    elif "signature" in statistic:
        words.append(f"the machine's signature: {statistic['signature']}")
    elif "why" in statistic and "told" not in statistic:
        words.append(str(statistic["why"]))
    told = statistic.get("told")
    words += [str(it) for it in told] if isinstance(told, list) else []
    return ", ".join(words)


def checkers(bare: Bare, provider: str) -> set[str]:
    """Returns the names of everybody who judged answers of a provider."""
    sql = "SELECT DISTINCT checker FROM compute_audit WHERE provider = ? AND checker <> ''"
    return {row[0] for row in bare.run(sql, (provider,))}


def newest(bare: Bare, provider: str) -> Mapping[str, Json] | None:
    """Returns the statistic of a provider's audit that was judged last; None where none was."""
    sql = """SELECT statistic, judged_us FROM compute_audit WHERE provider = ? AND state = 'judged'
        ORDER BY at_us DESC LIMIT ?"""
    # Answers are judged nearly in the order in which they came; the newest few hold the one that was judged last.
    rows = bare.run(sql, (provider, TOGETHER))
    return json.loads(max(rows, key=lambda row: (row[1], json.loads(row[0])["audits"]))[0]) if rows else None


def commit(bare: Bare, epoch: int, commitment: str, secret: bytes) -> bool:
    """Keeps an epoch's secret and what was published of it; False where the epoch has one already."""
    tail = "ON CONFLICT DO NOTHING RETURNING epoch"
    row = (epoch, commitment, secret.hex())
    return bool(bare.many("INSERT INTO compute_secret (epoch, commitment, secret)", [row], tail))


def secret(bare: Bare, epoch: int) -> bytes | None:
    """Returns an epoch's secret, for the gateway's own draws; None where it has none."""
    found = bare.run("SELECT secret FROM compute_secret WHERE epoch = ?", (epoch,))
    return bytes.fromhex(found[0][0]) if found else None


def reveal_before(bare: Bare, epoch: int, now: datetime) -> None:
    """Makes the secrets of all epochs before this one public that are not yet."""
    bare.run("UPDATE compute_secret SET revealed_us = ? WHERE epoch < ? AND revealed_us IS NULL", (micros(now), epoch))


def reveal(bare: Bare, epoch: int, now: datetime) -> None:
    """Makes an epoch's secret public: after it was closed."""
    bare.run("UPDATE compute_secret SET revealed_us = COALESCE(revealed_us, ?) WHERE epoch = ?", (micros(now), epoch))


def published(bare: Bare) -> list[tuple[int, str, str]]:
    """Returns each epoch with its commitment, and its secret where that is public, else ""."""
    rows: Sequence[Row] = bare.run("SELECT epoch, commitment, secret, revealed_us FROM compute_secret ORDER BY epoch")
    return [(row[0], row[1], row[2] if row[3] is not None else "") for row in rows]


def _audit(row: Row) -> Audit:
    judged = None if row[10] is None else moment(row[10])
    facts = json.loads(row[7]) if row[7] else {}
    return Audit(
        RequestId(row[0]), ProviderId(row[1]), row[2], moment(row[3]), AuditId(row[5]), row[6], facts, row[8], row[9],
        judged,
    )  # fmt: skip
