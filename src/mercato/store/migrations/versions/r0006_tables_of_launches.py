"""Tables of launches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mercato.store.instant import Instant
from mercato.store.schema import JSON
from mercato.store.u256 import U256

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tables of launches."""
    _launches()
    _reviews()


def _launches() -> None:
    op.create_table(
        "launch_change",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("launch", sa.String(length=40), nullable=False),
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column("before", sa.String(length=20), nullable=False),
        sa.Column("after", sa.String(length=20), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_launch_change")),
    )
    op.create_index(op.f("ix_launch_change_launch"), "launch_change", ["launch"], unique=False)
    op.create_table(
        "launch_launch",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("symbol", sa.String(length=20), nullable=False),
        sa.Column("hash", sa.String(length=66), nullable=False),
        sa.Column("application", JSON, nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("checks", JSON, nullable=False),
        sa.Column("floor", U256(), nullable=True),
        sa.Column("contracts", JSON, nullable=True),
        sa.Column("outcome", JSON, nullable=True),
        sa.Column("demand", U256(), nullable=True),
        sa.Column("deposit_settled", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_launch_launch")),
        sa.UniqueConstraint("hash", name=op.f("uq_launch_launch_hash")),
    )
    op.create_index(op.f("ix_launch_launch_state"), "launch_launch", ["state"], unique=False)
    op.create_index(op.f("ix_launch_launch_symbol"), "launch_launch", ["symbol"], unique=False)
    held = sa.column("state", sa.String).not_in(["draft", "declined", "aborted", "failed"])
    op.create_index(
        "uq_launch_launch_held_symbol",
        "launch_launch",
        ["symbol"],
        unique=True,
        sqlite_where=held,
        postgresql_where=held,
    )


def _reviews() -> None:
    op.create_table(
        "launch_review",
        sa.Column("launch", sa.String(length=40), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("phase", sa.String(length=10), nullable=False),
        sa.Column("commit_by", Instant(), nullable=False),
        sa.Column("reveal_by", Instant(), nullable=False),
        sa.Column("verdict", JSON, nullable=True),
        sa.PrimaryKeyConstraint("launch", "round", name=op.f("pk_launch_review")),
    )
    op.create_table(
        "launch_seat",
        sa.Column("launch", sa.String(length=40), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("reviewer", sa.String(length=42), nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("card", JSON, nullable=True),
        sa.PrimaryKeyConstraint("launch", "round", "reviewer", name=op.f("pk_launch_seat")),
    )
