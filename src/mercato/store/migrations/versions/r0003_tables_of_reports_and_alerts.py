"""Tables of reports and alerts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mercato.store.instant import Instant
from mercato.store.schema import JSON

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tables of reports and alerts."""
    op.create_table(
        "market_alert",
        sa.Column("key", sa.String(length=400), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("entity", sa.String(length=200), nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("effect", sa.String(length=10), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("figure_id", sa.String(length=40), nullable=False),
        sa.Column("raised_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_market_alert")),
    )
    op.create_index("ix_market_alert_day", "market_alert", ["day", "key"], unique=False)
    op.create_table(
        "market_alert_memory",
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("entity", sa.String(length=200), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.PrimaryKeyConstraint("rule", "entity", name=op.f("pk_market_alert_memory")),
    )
    op.create_table(
        "market_report",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("as_of", sa.String(length=10), nullable=False),
        sa.Column("sector", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("sha", sa.String(length=64), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("stored_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_market_report")),
    )
    op.create_index("ix_market_report_day", "market_report", ["kind", "sector", "as_of"], unique=False)
