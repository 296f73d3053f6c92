"""Tables of the market."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mercato.store.instant import Instant
from mercato.store.schema import JSON

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tables of the market."""
    create_figures()
    create_segments()


def create_figures() -> None:
    """Assets, figures and what they were computed from."""
    op.create_table(
        "market_asset",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("asset_id", sa.Text(), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("observed_at", Instant(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_market_asset")),
    )
    op.create_index(op.f("ix_market_asset_asset_id"), "market_asset", ["asset_id"], unique=False)
    op.create_table(
        "market_figure",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("inputs", sa.String(length=64), nullable=False),
        sa.Column("question", JSON, nullable=False),
        sa.Column("known_at", Instant(), nullable=True),
        sa.Column("stored_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_market_figure")),
    )
    op.create_table(
        "market_input_set",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("raw_shas", JSON, nullable=False),
        sa.Column("universe", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_market_input_set")),
    )


def create_segments() -> None:
    """Sources, the segments read from them, and the rows that were not taken."""
    op.create_table(
        "market_quarantine",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("segment", sa.String(length=64), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("observed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_market_quarantine")),
    )
    op.create_index(op.f("ix_market_quarantine_segment"), "market_quarantine", ["segment"], unique=False)
    op.create_table(
        "market_segment",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("parser", sa.Text(), nullable=False),
        sa.Column("sha", sa.String(length=64), nullable=False),
        sa.Column("options", JSON, nullable=False),
        sa.Column("observed_at", Instant(), nullable=False),
        sa.Column("committed_at", Instant(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("headers", JSON, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("rows", JSON, nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.Column("first_day", sa.String(length=10), nullable=True),
        sa.Column("last_day", sa.String(length=10), nullable=True),
        sa.Column("superseded_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_market_segment")),
        sa.UniqueConstraint("id", name=op.f("uq_market_segment_id")),
    )
    op.create_index("market_segment_raw", "market_segment", ["sha", "source"], unique=False)
    op.create_table(
        "market_source",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("saved_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_market_source")),
    )
