"""The pen writes a lane's next entries: each one's hash is of its own text, which names the hash of the one before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from mercato.compute.books import sheet, spelling
from mercato.compute.books.receipts import SETTLED, Signer, digest
from mercato.compute.books.words import Hold, Served
from mercato.compute.model import KeyId, Receipt, RequestId, canonical
from mercato.core.events import Json
from mercato.store.bare import Bare


class Pen:
    """Collects entries of one transaction; `close` writes them. Who uses it moves the lane's end afterwards."""

    def __init__(self, bare: Bare, lane: str, seq: int, head: str, at: datetime, signer: Signer) -> None:
        self.bare, self.lane, self.seq, self.head, self.at, self._signer = bare, lane, seq, head, at, signer
        self._at = at.isoformat(timespec="microseconds")
        self._made: list[sheet.Entry] = []

    def write(self, kind: str, facts: Mapping[str, Json]) -> None:
        """Adds an entry of a kind."""
        told: dict[str, Json] = {"kind": kind, "lane": self.lane, "seq": self.seq + 1, "at": self._at}
        self._add(kind, canonical(told | {"previous": self.head} | dict(facts)).decode())

    def held(self, hold: Hold) -> None:
        """Adds a reserve's entry."""
        self._add("held", spelling.held(hold, self.lane, self.seq + 1, self._at, self.head))

    def receipt(self, request: RequestId, key: KeyId, it: Served, charged: int, earned: int) -> Receipt:
        """Adds a receipt's entry; returns the receipt with its place in the chain, its hash and our signature."""
        seq, previous = self.seq + 1, self.head
        text = spelling.settled(request, self.lane, seq, self._at, key, it, charged, earned, previous)
        hash = self._add(SETTLED, text)
        return Receipt(
            request, self.lane, seq, self.at, key, it.provider, it.model, it.end, it.asked, it.answered, it.claimed,
            it.counted, it.price, charged, earned, previous, hash, self._signer.sign(hash),
        )  # fmt: skip

    def close(self) -> None:
        """Writes what was added."""
        sheet.append(self.bare, self._made)

    def _add(self, kind: str, text: str) -> str:
        self.seq, self.head = self.seq + 1, digest(text.encode())
        self._made.append((self.lane, self.seq, kind, text, self.head))
        return self.head
