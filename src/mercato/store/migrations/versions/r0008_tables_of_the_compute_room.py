"""Tables of the compute room."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tables of the compute room."""
    _log()
    _requests()
    _receipts()
    _keys()
    _settlement()
    _providers()
    _audits()


def _log() -> None:
    op.create_table(
        "compute_balance",
        sa.Column("account", sa.String(length=160), nullable=False),
        sa.Column("micro", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("micro >= 0 OR account = 'outside'", name=op.f("ck_compute_balance_covered")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_compute_balance")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "compute_entry",
        sa.Column("lane", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("lane", "seq", name=op.f("pk_compute_entry")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "compute_lane",
        sa.Column("lane", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=True),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("lane", name=op.f("pk_compute_lane")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "compute_move",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("lane", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_compute_move")),
        sqlite_with_rowid=False,
    )


def _requests() -> None:
    op.create_table(
        "compute_answer",
        sa.Column("request", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=100), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("request", name=op.f("pk_compute_answer")),
    )
    op.create_index(op.f("ix_compute_answer_until_us"), "compute_answer", ["until_us"], unique=False)
    op.create_table(
        "compute_request",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("account", sa.String(length=120), nullable=False),
        sa.Column("need", sa.String(length=64), nullable=False),
        sa.Column("idem", sa.String(length=200), nullable=False),
        sa.Column("lane", sa.String(length=40), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("bound", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_compute_request")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_compute_request_open",
        "compute_request",
        ["lane"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "uq_compute_request_idem",
        "compute_request",
        ["key", "idem"],
        unique=True,
        sqlite_where=sa.text("idem <> '' AND state <> 'released'"),
        postgresql_where=sa.text("idem <> '' AND state <> 'released'"),
    )


def _receipts() -> None:
    op.create_table(
        "compute_receipt",
        sa.Column("request", sa.String(length=40), nullable=False),
        sa.Column("lane", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("account", sa.String(length=120), nullable=False),
        sa.Column("provider", sa.String(length=80), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("ending", sa.String(length=16), nullable=False),
        sa.Column("charged", sa.BigInteger(), nullable=False),
        sa.Column("earned", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("signature", sa.String(length=128), nullable=False),
        sa.Column("countersigned", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("request", name=op.f("pk_compute_receipt")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_compute_receipt_epoch", "compute_receipt", ["epoch", "provider"], unique=False)
    op.create_index("ix_compute_receipt_key", "compute_receipt", ["key", "at_us"], unique=False)


def _keys() -> None:
    op.create_table(
        "compute_key",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=True),
        sa.Column("revoked_us", sa.BigInteger(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("cap", sa.BigInteger(), nullable=True),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("window_cap", sa.BigInteger(), nullable=True),
        sa.Column("window_seconds", sa.BigInteger(), nullable=True),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("slot_used", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_compute_key")),
        sa.UniqueConstraint("hash", name=op.f("uq_compute_key_hash")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_compute_key_account"), "compute_key", ["account"], unique=False)
    op.create_table(
        "compute_switch",
        sa.Column("scope", sa.String(length=160), nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("turned_by", sa.String(length=120), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_compute_switch")),
    )


def _settlement() -> None:
    op.create_table(
        "compute_dispute",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("provider", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("opened_us", sa.BigInteger(), nullable=False),
        sa.Column("decided_us", sa.BigInteger(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_compute_dispute")),
    )
    op.create_index(op.f("ix_compute_dispute_provider"), "compute_dispute", ["provider"], unique=False)
    op.create_table(
        "compute_epoch",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("closed_us", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("receipts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_compute_epoch")),
    )
    op.create_table(
        "compute_secret",
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("revealed_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("epoch", name=op.f("pk_compute_secret")),
    )
    op.create_table(
        "compute_settlement",
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("provider", sa.String(length=80), nullable=False),
        sa.Column("earned", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("release_us", sa.BigInteger(), nullable=False),
        sa.Column("dispute", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("epoch", "provider", name=op.f("pk_compute_settlement")),
    )
    op.create_index(op.f("ix_compute_settlement_state"), "compute_settlement", ["state"], unique=False)


def _providers() -> None:
    op.create_table(
        "compute_health",
        sa.Column("provider", sa.String(length=80), nullable=False),
        sa.Column("worker", sa.String(length=40), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "worker", name=op.f("pk_compute_health")),
    )
    op.create_table(
        "compute_offer",
        sa.Column("provider", sa.String(length=80), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("price_prompt", sa.BigInteger(), nullable=False),
        sa.Column("price_completion", sa.BigInteger(), nullable=False),
        sa.Column("price_cached", sa.BigInteger(), nullable=True),
        sa.Column("context", sa.BigInteger(), nullable=False),
        sa.Column("upstream", sa.String(length=200), nullable=False),
        sa.Column("features", sa.Text(), nullable=False),
        sa.Column("quant", sa.String(length=40), nullable=False),
        sa.Column("weights", sa.String(length=64), nullable=False),
        sa.Column("concurrency", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=True),
        sa.Column("signature", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint("provider", "model", name=op.f("pk_compute_offer")),
    )
    op.create_table(
        "compute_provider",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("standing", sa.String(length=12), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("region", sa.String(length=60), nullable=False),
        sa.Column("zdr", sa.Boolean(), nullable=False),
        sa.Column("seen_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_compute_provider")),
    )
    op.create_index(op.f("ix_compute_provider_key"), "compute_provider", ["key"], unique=False)
    op.create_table(
        "compute_standing",
        sa.Column("provider", sa.String(length=80), nullable=False),
        sa.Column("turn", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("standing", sa.String(length=12), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "turn", name=op.f("pk_compute_standing")),
    )


def _audits() -> None:
    op.create_table(
        "compute_audit",
        sa.Column("request", sa.String(length=40), nullable=False),
        sa.Column("provider", sa.String(length=80), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=True),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("statistic", sa.Text(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("checker", sa.String(length=120), nullable=False),
        sa.Column("judged_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("request", name=op.f("pk_compute_audit")),
    )
    op.create_index("ix_compute_audit_provider", "compute_audit", ["provider", "at_us"], unique=False)
    op.create_index("ix_compute_audit_state", "compute_audit", ["state", "due_us"], unique=False)
