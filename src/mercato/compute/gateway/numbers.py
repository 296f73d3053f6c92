"""Numbers as JSON has them."""

from __future__ import annotations

from typing import Any


def integer(value: Any) -> int | None:
    """Returns a whole number however JSON spells it, 5 or 5.0; None for anything else."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
