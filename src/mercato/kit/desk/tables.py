"""What the desk reads of the kit's tables. Nothing is written here: the ledger writes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from mercato.kit.acts import Arrow, Book, Entry, State
from mercato.kit.tables import accounts, acts, books, entries, reserves
from mercato.store import Read

FIRSTS = (Arrow.INTENDED, Arrow.OPENED, Arrow.RULED, Arrow.FROZEN, Arrow.THAWED)


def all_books(session: Read) -> list[Book]:
    """Returns every book, by name."""
    rows = session.execute(sa.select(books).order_by(books.c.id)).mappings()
    return [Book(row["id"], row["policy_hash"], row["seq"], row["head"], row["frozen"]) for row in rows]


def waiting(session: Read) -> dict[str, int]:
    """Returns how many acts wait for an approval, by book."""
    asked = sa.select(acts.c.book, sa.func.count().label("many")).where(acts.c.state == State.ASKED.value)
    return {row["book"]: row["many"] for row in session.execute(asked.group_by(acts.c.book)).mappings()}


def accounts_of(session: Read, book: str) -> list[str]:
    """Returns the accounts that act under a book, by name."""
    own = sa.select(accounts.c.account).where(accounts.c.book == book)
    return sorted(session.execute(own.union(sa.select(acts.c.account).where(acts.c.book == book))).scalars())


def every_account(session: Read) -> set[str]:
    """Returns the accounts that act under any book."""
    return set(session.execute(sa.select(accounts.c.account).union(sa.select(acts.c.account))).scalars())


def beginnings(session: Read, book: str, before: int | None, limit: int) -> list[tuple[int, str]]:
    """Returns where acts begin, and what befell the book itself, newest first: the entry's number and its act."""
    wanted = sa.and_(entries.c.book == book, entries.c.arrow.in_([item.value for item in FIRSTS]))
    query = sa.select(entries.c.seq, entries.c.act).where(wanted)
    query = query.where(entries.c.seq < before) if before is not None else query
    rows = session.execute(query.order_by(entries.c.seq.desc()).limit(limit)).mappings()
    return [(row["seq"], row["act"]) for row in rows]


def told(session: Read, book: str, acts: Iterable[str], seqs: Iterable[int] = ()) -> list[Entry]:
    """Returns every entry of some acts, and those of some numbers, in their order."""
    wanted = sa.or_(entries.c.act.in_(list(acts)), entries.c.seq.in_(list(seqs)))
    query = sa.select(entries).where(entries.c.book == book, wanted).order_by(entries.c.seq)
    return [_entry(row) for row in session.execute(query).mappings()]


def book_of(session: Read, act: str) -> str | None:
    """Returns the book whose journal tells of an act; None where none does."""
    found: str | None = session.execute(sa.select(entries.c.book).where(entries.c.act == act).limit(1)).scalar()
    return found


def used(session: Read, book: str, budget: str, since: datetime | None) -> dict[str, int]:
    """Returns how much of a budget is reserved or spent after a moment (None: ever), by scope."""
    query = sa.select(reserves.c.scope, reserves.c.units).where(reserves.c.book == book, reserves.c.budget == budget)
    found: dict[str, int] = {}
    for row in session.execute(query.where(reserves.c.at > since) if since else query).mappings():
        found[row["scope"]] = found.get(row["scope"], 0) + row["units"]
    return found


def _entry(row: sa.RowMapping) -> Entry:
    where = (row["book"], row["seq"], row["at"], row["act"])
    return Entry(*where, Arrow(row["arrow"]), json.loads(row["body"]), row["hash"])
