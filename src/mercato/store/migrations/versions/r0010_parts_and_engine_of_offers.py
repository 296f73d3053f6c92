"""Tokenizer, template and engine of offers: what those of before do not tell is unknown."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tokenizer, template and engine of offers."""
    op.add_column(
        "compute_offer", sa.Column("tokenizer", sa.String(length=64), server_default=sa.text("''"), nullable=False)
    )
    op.add_column(
        "compute_offer", sa.Column("template", sa.String(length=64), server_default=sa.text("''"), nullable=False)
    )
    op.add_column("compute_offer", sa.Column("engine", sa.Text(), server_default="{}", nullable=False))
