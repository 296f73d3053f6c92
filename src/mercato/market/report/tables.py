"""The table of composed reports. A report is kept as it was published, so that the next one can say what changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from mercato.store import JSON, Instant, Read, Transaction, metadata

reports = sa.Table(
    "market_report",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("as_of", sa.String(10), nullable=False),
    sa.Column("sector", sa.Text, nullable=False),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("sha", sa.String(64), nullable=False),
    sa.Column("body", JSON, nullable=False),
    sa.Column("stored_at", Instant, nullable=False),
    sa.Index("ix_market_report_day", "kind", "sector", "as_of"),
)


def add(tx: Transaction, body: Mapping[str, Any], *, kind: str, sha: str, at: datetime) -> None:
    """Writes a report's document; `kind` is `weekly`, or `snapshot` of which only the newest is kept."""
    if kind == "snapshot":
        tx.execute(sa.delete(reports).where(reports.c.kind == kind, reports.c.sector == body["sector"]))
    row = {"as_of": body["as_of"], "sector": body["sector"], "kind": kind, "sha": sha, "body": body, "stored_at": at}
    tx.execute(sa.insert(reports).values(row))


def newest(
    session: Read, *, kind: str, sector: str = "ai", before: date | None = None, as_of: date | None = None
) -> dict[str, Any] | None:
    """Returns the document stored last for a day, for the newest day before one, or for the newest day at all."""
    query = sa.select(reports.c.body).where(reports.c.kind == kind, reports.c.sector == sector)
    if before is not None:
        query = query.where(reports.c.as_of < before.isoformat())
    if as_of is not None:
        query = query.where(reports.c.as_of == as_of.isoformat())
    row = session.execute(query.order_by(reports.c.as_of.desc(), reports.c.seq.desc()).limit(1)).first()
    found: dict[str, Any] | None = row.body if row else None
    return found


def stamp(session: Read, *, kind: str, sector: str = "ai") -> tuple[str, str] | None:
    """Returns (as-of day, hash) of the newest report of a kind, without its body: what a page is fresh by."""
    query = sa.select(reports.c.as_of, reports.c.sha).where(reports.c.kind == kind, reports.c.sector == sector)
    row = session.execute(query.order_by(reports.c.as_of.desc(), reports.c.seq.desc()).limit(1)).first()
    return (row.as_of, row.sha) if row else None
