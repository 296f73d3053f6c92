"""Who is signed in: nonces that were given out, and sessions. A token is kept as its SHA-256 only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from mercato.store import Instant, Read, Transaction, metadata

nonces = sa.Table(
    "api_nonce",
    metadata,
    sa.Column("nonce", sa.String(64), primary_key=True),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Index("ix_api_nonce_expires_at", "expires_at"),
)

sessions = sa.Table(
    "api_session",
    metadata,
    sa.Column("token_sha", sa.String(64), primary_key=True),
    sa.Column("account", sa.String(42), nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Index("ix_api_session_expires_at", "expires_at"),
)


@dataclass(frozen=True, slots=True)
class Held:
    """A session as it is kept."""

    token_sha: str
    account: str
    expires_at: datetime


def add_nonce(tx: Transaction, nonce: str, expires_at: datetime) -> None:
    """Writes a nonce that was given out."""
    tx.execute(sa.insert(nonces).values(nonce=nonce, expires_at=expires_at))


def take_nonce(tx: Transaction, nonce: str, now: datetime) -> bool:
    """Removes a nonce and says whether it was there and still good: of two who ask, one is told yes."""
    return tx.execute(sa.delete(nonces).where(nonces.c.nonce == nonce, nonces.c.expires_at > now)).rowcount == 1


def forget_nonces(tx: Transaction, beyond: int) -> None:
    """Removes the oldest nonces beyond so many: who asks for thousands crowds out nobody's disk."""
    old = sa.select(nonces.c.nonce).order_by(nonces.c.expires_at.desc(), nonces.c.nonce).offset(beyond)
    tx.execute(sa.delete(nonces).where(nonces.c.nonce.in_(old)))


def add_session(tx: Transaction, held: Held) -> None:
    """Writes a session."""
    tx.execute(sa.insert(sessions).values(token_sha=held.token_sha, account=held.account, expires_at=held.expires_at))


def session_of(session: Read, token_sha: str, now: datetime) -> Held | None:
    """Returns the session of a token's hash; None where there is none or it has ended."""
    query = sa.select(sessions).where(sessions.c.token_sha == token_sha, sessions.c.expires_at > now)
    row = session.execute(query).first()
    return Held(row.token_sha, row.account, row.expires_at) if row else None


def end_session(tx: Transaction, token_sha: str) -> None:
    """Removes a session; there may be none."""
    tx.execute(sa.delete(sessions).where(sessions.c.token_sha == token_sha))


def sweep(tx: Transaction, now: datetime) -> None:
    """Removes what has ended."""
    for table in (nonces, sessions):
        tx.execute(sa.delete(table).where(table.c.expires_at <= now))
