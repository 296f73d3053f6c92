"""Unsigned 256-bit integers as a column: base units of any token fit, and order is right on both databases."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from mercato.core.errors import InvalidInput

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.types import TypeEngine

DIGITS = 78
LIMIT = 2**256


class U256(sa.types.TypeDecorator[int]):
    """Stores 0 to 2**256 - 1. NUMERIC(78,0) on PostgreSQL; on SQLite decimal text padded to 78 digits.

    Padded text sorts and compares as the numbers do. SQLite cannot add it: sum in Python.
    """

    impl = sa.String(DIGITS)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Returns the type that the database really uses."""
        exact = sa.Numeric(DIGITS, 0) if dialect.name == "postgresql" else sa.String(DIGITS)
        return dialect.type_descriptor(exact)

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Decimal | str | None:
        """Returns the number as the database keeps it; InvalidInput where it does not fit."""
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < LIMIT:
            raise InvalidInput(f"integer was {value!r}", hint="expected a whole number from 0 to 2**256 - 1")
        return Decimal(value) if dialect.name == "postgresql" else f"{value:0{DIGITS}d}"

    def process_result_value(self, value: Decimal | str | None, dialect: Dialect) -> int | None:
        """Returns the number as an int."""
        return None if value is None else int(value)
