"""The books of the compute room: money reserved before a call and settled after it, and the log that proves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mercato.core.doors import lazily as _lazily

if TYPE_CHECKING:
    from mercato.compute.books.clerk import Clerk
    from mercato.compute.books.desk import Desk
    from mercato.compute.books.receipts import Signer
    from mercato.compute.books.words import Hold, Replay, Served

__all__ = ["Clerk", "Desk", "Hold", "Replay", "Served", "Signer"]

_HOMES = {
    "Clerk": "clerk",
    "Desk": "desk",
    "Hold": "words",
    "Replay": "words",
    "Served": "words",
    "Signer": "receipts",
}

__getattr__ = _lazily(__name__, _HOMES)
