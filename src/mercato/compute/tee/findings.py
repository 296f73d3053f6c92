"""Findings as the store knows them, each with what was shown. A finding ends those before it of the same pair.

Every function takes an open connection, and those that write are called within its `transaction()`.
"""

from __future__ import annotations

import json
import zlib
from datetime import datetime

from mercato.compute.books.words import micros, moment
from mercato.compute.model import ProviderId
from mercato.compute.tee.words import Finding, Level, Signer
from mercato.store.bare import Bare, Row

Pair = tuple[ProviderId, str]
_SEEN = "provider, model, at_us, until_us, level, why, nonce, software, status, gpu, signers"


def write(bare: Bare, found: Finding) -> None:
    """Keeps a finding; from now on it is the one that holds."""
    at = micros(found.at)
    pair = (found.provider, found.model)
    bare.run(
        "UPDATE compute_attestation SET until_us = ? WHERE provider = ? AND model = ? AND until_us > ?",
        (at, *pair, at),
    )
    row = (
        *pair, at, micros(found.until), found.level.value, found.why[:500], found.nonce, found.software,
        found.status[:40], found.gpu[:300], json.dumps([it.name for it in found.signers]),
        zlib.compress(json.dumps(dict(found.evidence)).encode()),
    )  # fmt: skip
    tail = "ON CONFLICT (provider, model, at_us) DO NOTHING"  # two checks in one microsecond: the first one stays
    bare.many(f"INSERT INTO compute_attestation ({_SEEN}, evidence)", [row], tail)


def holding(bare: Bare, now: datetime) -> dict[Pair, Finding]:
    """Returns what holds now, of every provider and model that was checked."""
    rows = bare.run(f"SELECT {_SEEN} FROM compute_attestation WHERE until_us > ?", (micros(now),))  # noqa: S608  # our own names
    return {(found.provider, found.model): found for found in map(_finding, rows)}


def end(bare: Bare, pair: Pair, now: datetime, why: str) -> None:
    """Ends what holds of a provider and model before its time: something speaks against it. The next check is due."""
    bare.run(
        "UPDATE compute_attestation SET until_us = ?, why = ? WHERE provider = ? AND model = ? AND until_us > ?",
        (micros(now), why[:500], *pair, micros(now)),
    )


def latest(bare: Bare, provider: str = "", *, limit: int = 50) -> list[Finding]:
    """Returns the newest findings of a provider, or of all, newest first."""
    where, values = ("WHERE provider = ?", (provider,)) if provider else ("", ())
    sql = f"SELECT {_SEEN} FROM compute_attestation {where} ORDER BY at_us DESC LIMIT ?"  # noqa: S608  # our own names
    return [_finding(row) for row in bare.run(sql, (*values, limit))]


def since(bare: Bare, pair: Pair, at: datetime) -> list[Finding]:
    """Returns what was found of a provider and model from a moment on, newest first."""
    sql = f"""SELECT {_SEEN} FROM compute_attestation WHERE provider = ? AND model = ? AND at_us >= ?
        ORDER BY at_us DESC"""  # noqa: S608  # our own names
    return [_finding(row) for row in bare.run(sql, (*pair, micros(at)))]


def evidence(bare: Bare, found: Finding) -> dict[str, object]:
    """Returns what was shown, as it was kept; nothing where it is kept no more."""
    sql = "SELECT evidence FROM compute_attestation WHERE provider = ? AND model = ? AND at_us = ?"
    rows = bare.run(sql, (found.provider, found.model, micros(found.at)))
    return dict(json.loads(zlib.decompress(bytes(rows[0][0])))) if rows else {}


def forget(bare: Bare, before: datetime) -> None:
    """Drops what was over before a moment."""
    bare.run("DELETE FROM compute_attestation WHERE until_us < ?", (micros(before),))


def _finding(row: Row) -> Finding:
    return Finding(
        ProviderId(row[0]), row[1], moment(row[2]), moment(row[3]), Level(row[4]), row[5], row[6], row[7], row[8],
        row[9], tuple(map(Signer.named, json.loads(row[10]))),
    )  # fmt: skip
