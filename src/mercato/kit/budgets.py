"""What budgets hold, remembered from one act to the next: adding a window up anew takes the longer the fuller it is.

A sum is of the books as they were at one head of the journal. Whatever changes a budget writes an entry, so as long as
the head is the same nobody else changed anything, and what left the window since is all that has to be looked up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mercato.kit import sheet
from mercato.kit.model import Reserve
from mercato.store.bare import Bare

MOST = 256  # sums of a book that are remembered


@dataclass(frozen=True, slots=True)
class Sum:
    """How much is reserved or spent after a moment; None: ever."""

    units: int
    since: datetime | None


#: By budget and scope.
Sums = dict[tuple[str, str], Sum]


class Memory:
    """The sums of books, each with the head that they belong to. Threads may share it: nothing in it is changed."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[str, Sums]] = {}

    def recall(self, book: str, head: str) -> Sums:
        """Returns what is known of a book at this head, for the caller to change."""
        known, sums = self._held.get(book, ("", {}))
        return dict(sums) if known == head else {}

    def keep(self, book: str, head: str, sums: Sums) -> None:
        """Remembers sums; call it once the transaction that wrote the head has committed."""
        self._held[book] = (head, sums if len(sums) <= MOST else {})


def used(bare: Bare, book: str, item: Reserve, at: datetime, sums: Sums) -> int:
    """Returns how much of a budget is used at a moment, and puts it among the sums; who asks holds the book."""
    since = None if item.seconds is None else at - timedelta(seconds=item.seconds)
    known = sums.get((item.budget, item.scope))
    if known and known.since == since:
        return known.units
    if known and since and known.since and known.since < since:
        units = known.units - sheet.reserved(bare, book, item.budget, item.scope, known.since, since)
    else:
        units = sheet.reserved(bare, book, item.budget, item.scope, since)
    sums[item.budget, item.scope] = Sum(units, since)
    return units


def over(bare: Bare, book: str, items: Iterable[Reserve], at: datetime, sums: Sums) -> str:
    """Returns which budget an act would exceed, "" where none."""
    for item in items:
        held = used(bare, book, item, at, sums)
        if held + item.units > item.cap:
            left = max(item.cap - held, 0)
            return f"budget {item.budget!r} has {left} of {item.asset} left, the act needs {item.units}"
    return ""


def added(sums: Sums, items: Iterable[Reserve], at: datetime, sign: int = 1) -> None:
    """Counts into the sums what was reserved at a moment, or out of them with the sign -1."""
    for item in items:
        known = sums.get((item.budget, item.scope))
        if known and (known.since is None or at > known.since):
            sums[item.budget, item.scope] = replace(known, units=known.units + sign * item.units)
