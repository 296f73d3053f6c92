"""Addresses of providers of the compute room."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Addresses of providers of the compute room."""
    op.create_table(
        "compute_address",
        sa.Column("provider", sa.String(length=80), nullable=False),
        sa.Column("key_file", sa.Text(), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("provider", name=op.f("pk_compute_address")),
    )
