"""What a clerk read and wrote last, which is how it stands for as long as nobody else commits.

SQLite says in the transaction whether anybody did, and what is remembered then holds exactly: who took the lock sees
the last commit, and nobody makes another until it is over. PostgreSQL cannot say; there everything is read, and locked.
"""

from __future__ import annotations

from mercato.compute.books.sheet import KeyRow, Open
from mercato.compute.model import RequestId
from mercato.store.bare import Bare

MOST = 4_096  # accounts, keys or open requests, beyond which all is read again


class Memory:
    """Balances, keys, requests that were reserved, and the switches that are on; None where they were not read."""

    def __init__(self) -> None:
        self.balances: dict[str, int] = {}
        self.keys: dict[str, KeyRow] = {}
        self.opened: dict[RequestId, Open] = {}
        self.stopped: frozenset[str] | None = None
        self._kept: tuple[int, int] | None = None
        self._turn: tuple[int, int] | None = None

    def begin(self, bare: Bare) -> None:
        """Forgets what may not be so any more: all, where somebody else committed, or the last turn was not kept."""
        self._turn, before = bare.version(), self._kept
        self._kept = None
        if self._turn is None or self._turn != before or self._large():
            self.balances, self.keys, self.opened, self.stopped = {}, {}, {}, None

    def keep(self) -> None:
        """Is told that the turn was committed."""
        self._kept = self._turn

    def _large(self) -> bool:
        return len(self.balances) > MOST or len(self.keys) > MOST or len(self.opened) > MOST
