"""The books of the compute room: money reserved before a call and settled after it, and the log that proves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mercato.core.doors import lazily as _lazily

if TYPE_CHECKING:
    from mercato.compute.books.clerk import Clerk
    from mercato.compute.books.desk import Desk
    from mercato.compute.books.receipts import Signer
    from mercato.compute.books.words import Busy, Hold, Lost, Replay, Served, Short, Stopped, Tampered

__all__ = ["Busy", "Clerk", "Desk", "Hold", "Lost", "Replay", "Served", "Short", "Signer", "Stopped", "Tampered"]

_HOMES = {
    "Busy": "words",
    "Clerk": "clerk",
    "Desk": "desk",
    "Hold": "words",
    "Lost": "words",
    "Replay": "words",
    "Served": "words",
    "Short": "words",
    "Signer": "receipts",
    "Stopped": "words",
    "Tampered": "words",
}

__getattr__ = _lazily(__name__, _HOMES)
