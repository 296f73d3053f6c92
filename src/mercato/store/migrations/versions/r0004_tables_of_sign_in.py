"""Tables of sign-in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mercato.store.instant import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tables of sign-in."""
    op.create_table(
        "api_nonce",
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_api_nonce")),
    )
    op.create_index("ix_api_nonce_expires_at", "api_nonce", ["expires_at"], unique=False)
    op.create_table(
        "api_session",
        sa.Column("token_sha", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=42), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("token_sha", name=op.f("pk_api_session")),
    )
    op.create_index("ix_api_session_expires_at", "api_session", ["expires_at"], unique=False)
