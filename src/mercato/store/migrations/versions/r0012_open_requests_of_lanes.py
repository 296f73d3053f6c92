"""Lanes count their open requests, in the place of an index over these; nobody asks for receipts by key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lanes count their open requests, in the place of an index over these; nobody asks for receipts by key."""
    op.add_column("compute_lane", sa.Column("open", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.execute(
        """UPDATE compute_lane SET open = (SELECT COUNT(*) FROM compute_request
        WHERE compute_request.lane = compute_lane.lane AND state = 'open')"""
    )
    op.drop_index("ix_compute_request_open", table_name="compute_request")
    op.drop_index("ix_compute_receipt_key", table_name="compute_receipt")
