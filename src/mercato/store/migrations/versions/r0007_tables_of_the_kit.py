"""Tables of the kit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mercato.store.instant import Instant
from mercato.store.schema import JSON
from mercato.store.u256 import U256

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tables of the kit."""
    _books()
    _budgets()


def _books() -> None:
    op.create_table(
        "kit_account",
        sa.Column("account", sa.String(length=180), nullable=False),
        sa.Column("book", sa.String(length=60), nullable=False),
        sa.Column("floor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_kit_account")),
    )
    op.create_table(
        "kit_act",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("book", sa.String(length=60), nullable=False),
        sa.Column("account", sa.String(length=180), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("intent", JSON, nullable=False),
        sa.Column("effects", JSON, nullable=False),
        sa.Column("decision", JSON, nullable=False),
        sa.Column("signed", JSON, nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("due", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kit_act")),
    )
    op.create_index("ix_kit_act_book", "kit_act", ["book", "state", "id"], unique=False)
    op.create_table(
        "kit_book",
        sa.Column("id", sa.String(length=60), nullable=False),
        sa.Column("policy", JSON, nullable=False),
        sa.Column("policy_hash", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("frozen", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kit_book")),
    )
    op.create_table(
        "kit_entry",
        sa.Column("book", sa.String(length=60), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("arrow", sa.String(length=12), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("book", "seq", name=op.f("pk_kit_entry")),
    )
    op.create_index(op.f("ix_kit_entry_act"), "kit_entry", ["act"], unique=False)


def _budgets() -> None:
    op.create_table(
        "kit_place",
        sa.Column("account", sa.String(length=180), nullable=False),
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("account", "place", name=op.f("pk_kit_place")),
    )
    op.create_index(op.f("ix_kit_place_act"), "kit_place", ["act"], unique=False)
    op.create_table(
        "kit_reserve",
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("budget", sa.String(length=120), nullable=False),
        sa.Column("scope", sa.String(length=180), nullable=False),
        sa.Column("book", sa.String(length=60), nullable=False),
        sa.Column("asset", sa.String(length=200), nullable=False),
        sa.Column("units", U256(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("act", "budget", "scope", name=op.f("pk_kit_reserve")),
    )
    op.create_index("ix_kit_reserve_window", "kit_reserve", ["book", "budget", "scope", "at"], unique=False)
