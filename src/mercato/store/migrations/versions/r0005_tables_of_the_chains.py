"""Tables of the chains."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mercato.store.schema import JSON

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tables of the chains."""
    op.create_table(
        "chains_block",
        sa.Column("chain", sa.String(length=48), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("parent", sa.LargeBinary(length=32), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chain", "number", name=op.f("pk_chains_block")),
    )
    op.create_table(
        "chains_log",
        sa.Column("chain", sa.String(length=48), nullable=False),
        sa.Column("block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tx", sa.LargeBinary(length=32), nullable=False),
        sa.Column("address", sa.String(length=42), nullable=False),
        sa.Column("topic0", sa.LargeBinary(length=32), nullable=True),
        sa.Column("topic1", sa.LargeBinary(length=32), nullable=True),
        sa.Column("topic2", sa.LargeBinary(length=32), nullable=True),
        sa.Column("topic3", sa.LargeBinary(length=32), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("chain", "block", "place", name=op.f("pk_chains_log")),
    )
    op.create_index("ix_chains_log_address", "chains_log", ["chain", "address", "topic0", "block"], unique=False)
    op.create_index("ix_chains_log_topic", "chains_log", ["chain", "topic0", "block"], unique=False)
    op.create_table(
        "chains_watch",
        sa.Column("chain", sa.String(length=48), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("addresses", JSON, nullable=False),
        sa.Column("topics", JSON, nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chain", "name", name=op.f("pk_chains_watch")),
    )
