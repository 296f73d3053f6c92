"""The kit's tables and every query on them: books, their journals, acts, reserves, and places taken by transactions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from mercato.core.errors import NotFound
from mercato.kit.acts import (
    START,
    Act,
    Arrow,
    Book,
    Entry,
    Signed,
    State,
    decision_body,
    decision_of,
    intent_body,
    intent_of,
)
from mercato.kit.model import ActId, Effects, Reserve
from mercato.store import JSON, U256, Instant, Read, Transaction, metadata

OPEN = (State.RESERVED, State.SIGNED)

books = sa.Table(
    "kit_book",
    metadata,
    sa.Column("id", sa.String(60), primary_key=True),
    sa.Column("policy", JSON, nullable=False),
    sa.Column("policy_hash", sa.String(64), nullable=False),
    # Locked by whoever appends: one book's entries, budgets and places change one after the other.
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("head", sa.String(64), nullable=False),
    sa.Column("frozen", sa.Boolean, nullable=False),
)

entries = sa.Table(
    "kit_entry",
    metadata,
    sa.Column("book", sa.String(60), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("act", sa.String(40), nullable=False, index=True),
    sa.Column("arrow", sa.String(12), nullable=False),
    # Text, not JSON: what was hashed stays as it was written, whatever the database makes of objects.
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)

acts = sa.Table(
    "kit_act",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("book", sa.String(60), nullable=False),
    sa.Column("account", sa.String(180), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("intent", JSON, nullable=False),
    sa.Column("effects", JSON, nullable=False),
    sa.Column("decision", JSON, nullable=False),
    sa.Column("signed", JSON, nullable=False),
    # Who works on it, and until when nobody else may take it over.
    sa.Column("owner", sa.String(40), nullable=False),
    sa.Column("due", Instant),
    sa.Index("ix_kit_act_book", "book", "state", "id"),
)

reserves = sa.Table(
    "kit_reserve",
    metadata,
    sa.Column("act", sa.String(40), primary_key=True),
    sa.Column("budget", sa.String(120), primary_key=True),
    sa.Column("scope", sa.String(180), primary_key=True),
    sa.Column("book", sa.String(60), nullable=False),
    sa.Column("asset", sa.String(200), nullable=False),
    sa.Column("units", U256, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Index("ix_kit_reserve_window", "book", "budget", "scope", "at"),
)

places = sa.Table(
    "kit_place",
    metadata,
    sa.Column("account", sa.String(180), primary_key=True),
    sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("act", sa.String(40), nullable=False, index=True),
)

accounts = sa.Table(
    "kit_account",
    metadata,
    sa.Column("account", sa.String(180), primary_key=True),
    sa.Column("book", sa.String(60), nullable=False),
    # Every place below it is used up on the chain.
    sa.Column("floor", sa.BigInteger, nullable=False),
)


def add_book(tx: Transaction, id: str) -> bool:
    """Writes an empty book; returns False where it is there already."""
    row = {"id": id, "policy": {}, "policy_hash": "", "seq": 0, "head": START, "frozen": False}
    made = _insert(tx, books).values(row).on_conflict_do_nothing(index_elements=["id"]).returning(books.c.id)
    return tx.execute(made).first() is not None


def book(session: Read, id: str, *, lock: bool = False) -> Book:
    """Returns a book; with `lock` nobody else appends to it until the transaction ends. NotFound for no such book."""
    query = sa.select(books).where(books.c.id == id)
    row = session.execute(query.with_for_update() if lock else query).mappings().first()
    if row is None:
        raise NotFound(f"book was {id!r}, which does not exist", hint="open it with a policy first")
    return Book(**row)


def book_ids(session: Read) -> list[str]:
    """Returns the names of all books."""
    return list(session.execute(sa.select(books.c.id).order_by(books.c.id)).scalars())


def append(tx: Transaction, made: Sequence[Entry]) -> None:
    """Writes entries and moves the book's head to the last one."""
    rows = [
        {"book": item.book, "seq": item.seq, "at": item.at, "act": item.act, "arrow": item.arrow.value,
         "body": json.dumps(item.body, sort_keys=True), "hash": item.hash}
        for item in made
    ]  # fmt: skip
    tx.execute(sa.insert(entries), rows)
    last = made[-1]
    tx.execute(sa.update(books).where(books.c.id == last.book).values(seq=last.seq, head=last.hash))


def set_policy(tx: Transaction, id: str, source: Any, hash: str) -> None:
    """Gives a book another policy."""
    tx.execute(sa.update(books).where(books.c.id == id).values(policy=source, policy_hash=hash))


def set_frozen(tx: Transaction, id: str, frozen: bool) -> None:
    """Freezes or thaws a book."""
    tx.execute(sa.update(books).where(books.c.id == id).values(frozen=frozen))


def journal(session: Read, book: str, after: int = 0, limit: int = 1_000, act: str = "") -> list[Entry]:
    """Returns entries in their order, those after a number; of one act where it is named."""
    query = sa.select(entries).where(entries.c.book == book, entries.c.seq > after)
    query = query.where(entries.c.act == act) if act else query
    rows = session.execute(query.order_by(entries.c.seq).limit(limit)).mappings()
    return [
        Entry(
            row["book"],
            row["seq"],
            row["at"],
            row["act"],
            Arrow(row["arrow"]),
            json.loads(row["body"]),
            "",
            row["hash"],
        )
        for row in rows
    ]


def put_act(tx: Transaction, act: Act) -> None:
    """Writes an act, in the place of what was known of it."""
    values = {
        "book": act.intent.book, "account": act.intent.account, "state": act.state.value, "owner": act.owner,
        "due": act.due, "intent": intent_body(act.intent), "effects": act.effects.body(),
        "decision": decision_body(act.decision),
        "signed": [{"place": item.place, "hash": item.hash, "raw": item.raw.hex()} for item in act.signed],
    }  # fmt: skip
    made = _insert(tx, acts).values(id=act.id, **values)
    tx.execute(made.on_conflict_do_update(index_elements=["id"], set_=values))


def act(session: Read, id: str) -> Act | None:
    """Returns an act; None where there is none of that id."""
    row = session.execute(sa.select(acts).where(acts.c.id == id)).mappings().first()
    return None if row is None else _act(row, _places(session, [id]).get(id, ()))


def acts_in(session: Read, book: str, states: Iterable[State], limit: int = 1_000) -> list[Act]:
    """Returns a book's acts in these states, oldest first."""
    wanted = sa.and_(acts.c.book == book, acts.c.state.in_([item.value for item in states]))
    rows = session.execute(sa.select(acts).where(wanted).order_by(acts.c.id).limit(limit)).mappings().all()
    taken = _places(session, [row["id"] for row in rows])
    return [_act(row, taken.get(row["id"], ())) for row in rows]


def reserved(session: Read, book: str, item: Reserve, since: datetime | None) -> int:
    """Returns how much of a budget is reserved or spent after a moment (None: ever), within one scope."""
    query = sa.select(reserves.c.units).where(
        reserves.c.book == book, reserves.c.budget == item.budget, reserves.c.scope == item.scope
    )
    if since is not None:
        query = query.where(reserves.c.at > since)
    return sum(session.execute(query).scalars())  # in Python: SQLite would add texts


def reserve(tx: Transaction, act: Act, items: Iterable[Reserve], at: datetime) -> None:
    """Writes what an act needs of its budgets."""
    rows = [
        {"act": act.id, "book": act.intent.book, "budget": item.budget, "scope": item.scope, "asset": item.asset,
         "units": item.units, "at": at}
        for item in items
    ]  # fmt: skip
    if rows:
        tx.execute(sa.insert(reserves), rows)


def reserves_of(session: Read, book: str) -> list[tuple[str, str, str, int, datetime]]:
    """Returns every reserve of a book: act, budget, scope, units, moment."""
    query = sa.select(reserves).where(reserves.c.book == book).order_by(reserves.c.act, reserves.c.budget)
    rows = session.execute(query.order_by(reserves.c.scope)).mappings()
    return [(row["act"], row["budget"], row["scope"], row["units"], row["at"]) for row in rows]


def drop_reserves(tx: Transaction, act: ActId) -> datetime | None:
    """Gives back what an act had reserved; returns the moment that it counted from."""
    moment: datetime | None = tx.execute(sa.select(reserves.c.at).where(reserves.c.act == act)).scalars().first()
    tx.execute(sa.delete(reserves).where(reserves.c.act == act))
    return moment


def account_book(session: Read, account: str) -> str | None:
    """Returns the book that an account belongs to."""
    found: str | None = session.execute(sa.select(accounts.c.book).where(accounts.c.account == account)).scalar()
    return found


def take_places(tx: Transaction, act: Act, floor: int, count: int) -> tuple[int, ...]:
    """Takes the lowest free places of an account for an act, none below `floor`, what the chain says is next."""
    account = act.intent.account
    start = {"account": account, "book": act.intent.book, "floor": 0}
    tx.execute(_insert(tx, accounts).values(start).on_conflict_do_nothing(index_elements=["account"]))
    known: int = tx.execute(sa.select(accounts.c.floor).where(accounts.c.account == account)).scalar_one()
    floor = max(known, floor)
    if floor > known:
        tx.execute(sa.update(accounts).where(accounts.c.account == account).values(floor=floor))
        tx.execute(sa.delete(places).where(places.c.account == account, places.c.place < floor))
    held = set(tx.execute(sa.select(places.c.place).where(places.c.account == account)).scalars())
    free = [place for place in range(floor, floor + len(held) + count) if place not in held][:count]
    rows = [{"account": account, "place": place, "act": act.id} for place in free]
    if rows:
        tx.execute(sa.insert(places), rows)
    return tuple(free)


def drop_places(tx: Transaction, act: ActId, keep: Iterable[int] = ()) -> None:
    """Frees the places of an act, except those that it used up."""
    tx.execute(sa.delete(places).where(places.c.act == act, places.c.place.not_in(list(keep))))


def _entry(row: sa.RowMapping) -> Entry:
    where, body = (row["book"], row["seq"], row["at"], row["act"]), json.loads(row["body"])
    return Entry(*where, Arrow(row["arrow"]), body, "", row["hash"])


def _places(session: Read, ids: Sequence[str]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for row in session.execute(sa.select(places).where(places.c.act.in_(ids)).order_by(places.c.place)).mappings():
        found[row["act"]] = (*found.get(row["act"], ()), row["place"])
    return found


def _act(row: sa.RowMapping, taken: tuple[int, ...]) -> Act:
    signed = tuple(Signed(item["place"], item["hash"], bytes.fromhex(item["raw"])) for item in row["signed"])
    intent, effects, decision = intent_of(row["intent"]), Effects.of(row["effects"]), decision_of(row["decision"])
    return Act(intent, State(row["state"]), effects, decision, taken, signed, row["owner"], row["due"])


def _insert(tx: Transaction, table: sa.Table) -> Any:
    return postgresql.insert(table) if tx.dialect == "postgresql" else sqlite.insert(table)
