"""A moment in UTC as a column."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from mercato.core.clock import utc

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect


class Instant(sa.types.TypeDecorator[datetime]):
    """Stores aware times to the microsecond and gives them back in UTC; a time without a zone is refused.

    PostgreSQL has a type for it. SQLite gets text in UTC of one length, so its order is the order of time.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Returns the moment in UTC."""
        if value is None:
            return None
        moment = utc(value)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Returns an aware time in UTC."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
