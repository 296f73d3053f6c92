"""The pen writes a book's next entries in one transaction: each one's hash covers the hash of the one before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from mercato.core.events import Json
from mercato.kit import sheet
from mercato.kit.acts import Arrow, JournalGrew, decision_body, hashed, intent_body
from mercato.kit.budgets import Sums
from mercato.kit.model import Decision, Effects, Intent, canonical
from mercato.store import emit
from mercato.store.bare import Bare

#: Entries in the middle of an act: it goes on at once, and open pages are told at its end.
PASSING = (Arrow.RESERVED, Arrow.SIGNED, Arrow.SENT)
Body = Mapping[str, Json]


class Pen:
    """Collects entries; `close` writes them. `found` is what was there when the book was taken in hand, `sums` what its
    budgets hold, as far as it is known."""

    def __init__(self, bare: Bare, found: sheet.Opening, at: datetime, sums: Sums) -> None:
        self.bare, self.found, self.book, self.at, self.sums = bare, found, found.book, at, sums
        self.seq, self.head = found.book.seq, found.book.head
        self._made: list[sheet.Line] = []
        self._last = Arrow.SENT

    def write(self, act: str, arrow: Arrow, body: Body) -> str:
        """Adds an entry; returns its body as canonical JSON."""
        text = canonical(body)
        self.seq += 1
        self.head = hashed(self.book.id, self.seq, self.at, act, arrow.value, text, self.head)
        self._made.append(sheet.Line(self.seq, act, arrow.value, text, self.head))
        self._last = arrow
        return text

    def told(self, intent: Intent, plan: Body, effects: Effects | None, decision: Decision) -> sheet.Texts:
        """Adds the entries that lead from an intent to what was decided."""
        first = self.write(intent.id, Arrow.INTENDED, intent_body(intent))
        if plan:
            self.write(intent.id, Arrow.PLANNED, plan)
        done = self.write(intent.id, Arrow.REHEARSED, effects.body()) if effects is not None else ""
        return sheet.Texts(first, done, self.write(intent.id, Arrow.DECIDED, decision_body(decision)))

    def close(self) -> None:
        """Writes what was added, and tells open pages of it."""
        if self._made:
            sheet.append(self.bare, self.book.id, self.at, self._made)
            if self._last not in PASSING:
                emit(self.bare, JournalGrew(time=self.at))
