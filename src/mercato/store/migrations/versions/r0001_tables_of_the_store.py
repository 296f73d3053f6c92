"""Tables of the store."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mercato.store.instant import Instant
from mercato.store.schema import JSON

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tables of the store."""
    create_events()
    create_jobs()


def create_events() -> None:
    """Events on their way out, and schedules."""
    op.create_table(
        "store_event",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("time", Instant(), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_store_event")),
        sa.UniqueConstraint("position", name=op.f("uq_store_event_position")),
    )
    op.create_index(
        "ix_store_event_waiting",
        "store_event",
        ["id"],
        unique=False,
        sqlite_where=sa.text("position IS NULL"),
        postgresql_where=sa.text("position IS NULL"),
    )
    op.create_table(
        "store_schedule",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("due", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_store_schedule")),
    )


def create_jobs() -> None:
    """Jobs and the steps that they remember."""
    op.create_table(
        "store_job",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=120), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("due", Instant(), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("max_tries", sa.Integer(), nullable=False),
        sa.Column("cancelling", sa.Boolean(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("made", Instant(), nullable=False),
        sa.Column("ended", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_store_job")),
        sa.UniqueConstraint("kind", "key", name=op.f("uq_store_job_kind_key")),
    )
    op.create_index(
        "ix_store_job_open",
        "store_job",
        ["due", "id"],
        unique=False,
        sqlite_where=sa.text("state IN ('waiting', 'running')"),
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )
    op.create_index("ix_store_job_state_ended", "store_job", ["state", "ended"], unique=False)
    op.create_table(
        "store_step",
        sa.Column("job", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("result", JSON, nullable=True),
        sa.ForeignKeyConstraint(["job"], ["store_job.id"], name=op.f("fk_store_step_job"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job", "name", name=op.f("pk_store_step")),
    )
