"""Back-pressure within one stream: how much may be sent, and what has come and was not taken yet.

Who reads gives credit as it takes pieces out, so the other end never has more under way than a window.
"""

from __future__ import annotations

import asyncio
from collections import deque

from mercato.compute.node.frames import WINDOW
from mercato.core.errors import InvalidInput


class Purse:
    """The credit that the other end gave us. `spend` waits until there is some."""

    def __init__(self, window: int = WINDOW) -> None:
        self._left = self._most = window
        self._more = asyncio.Event()

    def add(self, octets: int) -> None:
        """Takes credit in; InvalidInput where it would exceed the window, which no honest reader gives."""
        if self._left + octets > self._most:
            raise InvalidInput(f"credit rose to {self._left + octets}", hint=f"at most {self._most}")
        self._left += octets
        self._more.set()

    async def spend(self, most: int) -> int:
        """Returns how many octets may be sent now, at least one and at most that many."""
        while not self._left:
            self._more.clear()
            await self._more.wait()
        part = min(most, self._left)
        self._left -= part
        return part


class Inbox:
    """Pieces that came in one stream, in order, bounded by the window that was given for them."""

    def __init__(self, window: int = WINDOW) -> None:
        self._pieces: deque[bytes] = deque()
        self._room = self._window = window
        self._taken = 0
        self._ended = False
        self._failed: Exception | None = None
        self._news = asyncio.Event()

    def put(self, piece: bytes) -> None:
        """Adds a piece; InvalidInput where it exceeds the credit given, or comes after the end."""
        if self._ended or len(piece) > self._room:
            raise InvalidInput(f"stream brought {len(piece)} octets", hint=f"{self._room} were allowed")
        self._room -= len(piece)
        self._pieces.append(piece)
        self._news.set()

    def end(self, failed: Exception | None = None) -> None:
        """Says that nothing more comes; with an error, that it was cut off. Only the first word counts."""
        if not self._ended:
            self._ended, self._failed = True, failed
            self._news.set()

    async def take(self) -> bytes | None:
        """Returns the next piece, or None at the end; raises what cut the stream off, after all that came before."""
        while not self._pieces and not self._ended:
            self._news.clear()
            await self._news.wait()
        if self._pieces:
            piece = self._pieces.popleft()
            self._taken += len(piece)
            return piece
        if self._failed is not None:
            raise self._failed
        return None

    def owed(self) -> int:
        """Returns the credit to give back now: nothing until half of the window was taken, to save frames."""
        if self._ended or self._taken < self._window // 2:
            return 0
        given, self._taken = self._taken, 0
        self._room += given
        return given
