"""The kit's tables and every query on them: books, their journals, acts, reserves, and places taken by transactions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from mercato.core.errors import NotFound
from mercato.core.events import Json
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
from mercato.kit.model import ActId, Effects, Intent, Reserve
from mercato.store import JSON, U256, Instant, Read, Transaction, metadata

OPEN = (State.RESERVED, State.SIGNED)
#: Places that an account used itself are removed once they are so many: at each act would cost two statements more.
SWEPT_AFTER = 32

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

# Statements of the path of one act, built once: building them takes longer than running them.
_which: sa.BindParameter[Any] = sa.bindparam("which")
_SEEN: tuple[Any, ...] = (books.c.id, books.c.policy_hash, books.c.seq, books.c.head, books.c.frozen)
_BOOK = sa.select(*_SEEN).where(books.c.id == _which)
_LOCK = _BOOK.with_for_update()
#: What has to be known before an act is written down, in one question. It is asked once the book is held: PostgreSQL
#: would answer for the moment before it waited for the lock.
_FOUND: sa.Select[Any] = sa.select(
    sa.select(accounts.c.book).where(accounts.c.account == sa.bindparam("of_account")).scalar_subquery(),
    sa.select(accounts.c.floor).where(accounts.c.account == sa.bindparam("of_account")).scalar_subquery(),
    sa.select(acts.c.id).where(acts.c.id == sa.bindparam("of_act")).scalar_subquery(),
)
_POLICY: sa.Select[Any] = sa.select(books.c.policy_hash, books.c.policy).where(books.c.id == _which)
_HEAD = sa.update(books).where(books.c.id == _which).values(seq=sa.bindparam("to"), head=sa.bindparam("hash"))
_ENTRY, _ACT, _RESERVE, _PLACE = sa.insert(entries), sa.insert(acts), sa.insert(reserves), sa.insert(places)
_ONE_ACT = sa.select(acts).where(acts.c.id == _which)
_ROW: dict[str, Any] = {name: sa.bindparam(f"to_{name}") for name in ("state", "owner", "due", "effects", "signed")}
_PUT = (
    sa.update(acts)
    .where(acts.c.id == _which)
    .values(**_ROW, intent=sa.bindparam("to_intent"), decision=sa.bindparam("to_decision"))
)
_FENCE = sa.and_(acts.c.id == _which, acts.c.state == sa.bindparam("before"), acts.c.owner == sa.bindparam("by"))
_MOVE = sa.update(acts).where(_FENCE).values(**_ROW)
# Added up in Python, as SQLite would add texts; handed over as one text, as a row for each takes ten times as long.
_EVER = sa.select(
    sa.func.aggregate_strings(sa.func.ltrim(sa.type_coerce(reserves.c.units, sa.Text).cast(sa.Text), "0"), ",")
).where(
    reserves.c.book == sa.bindparam("of_book"),
    reserves.c.budget == sa.bindparam("of_budget"),
    reserves.c.scope == sa.bindparam("of_scope"),
)
_WINDOW = _EVER.where(reserves.c.at > sa.bindparam("since"))
_SINCE = sa.select(reserves.c.at).where(reserves.c.act == sa.bindparam("of_act")).limit(1)
_DROP = sa.delete(reserves).where(reserves.c.act == sa.bindparam("of_act"))
_RAISE = sa.update(accounts).where(accounts.c.account == _which).values(floor=sa.bindparam("to"))
_PASSED = sa.delete(places).where(places.c.account == _which, places.c.place < sa.bindparam("below"))
_HELD = sa.select(places.c.place).where(places.c.account == _which)


@dataclass(frozen=True, slots=True)
class Opening:
    """What an intent finds: its book, the book that its account belongs to with the place below which all are used up
    (None: it is new), and the act that bears its id (None: there is none yet)."""

    book: Book
    owner: str | None
    floor: int | None
    act: Act | None


def add_book(tx: Transaction, id: str) -> bool:
    """Writes an empty book; returns False where it is there already."""
    row = {"id": id, "policy": {}, "policy_hash": "", "seq": 0, "head": START, "frozen": False}
    made = _insert(tx, books).values(row).on_conflict_do_nothing(index_elements=["id"]).returning(books.c.id)
    return tx.execute(made).first() is not None


def book(session: Read, id: str, *, lock: bool = False) -> Book:
    """Returns a book; with `lock` nobody else appends to it until the transaction ends. NotFound for no such book."""
    row: Any = session.execute(_LOCK if lock else _BOOK, {"which": id}).first()
    if row is None:
        raise NotFound(
            f"book was {id!r}, which does not exist", hint="open it with a policy: `mercato kit policy set FILE`"
        )
    return Book(*row)


def policy(session: Read, id: str) -> tuple[str, dict[str, Json]]:
    """Returns the policy of a book with its hash; NotFound for no such book."""
    row: Any = session.execute(_POLICY, {"which": id}).first()
    if row is None:
        raise NotFound(
            f"book was {id!r}, which does not exist", hint="open it with a policy: `mercato kit policy set FILE`"
        )
    return row[0], row[1]


def append(tx: Transaction, made: Sequence[Entry]) -> None:
    """Writes entries and moves the book's head to the last one."""
    rows = [
        {"book": item.book, "seq": item.seq, "at": item.at, "act": item.act, "arrow": item.arrow.value,
         "body": json.dumps(item.body, sort_keys=True), "hash": item.hash}
        for item in made
    ]  # fmt: skip
    tx.execute(_ENTRY, rows)
    last = made[-1]
    tx.execute(_HEAD, {"which": last.book, "to": last.seq, "hash": last.hash})


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
    return [entry_of(row) for row in session.execute(query.order_by(entries.c.seq).limit(limit)).mappings()]


def add_act(tx: Transaction, act: Act) -> None:
    """Writes a new act."""
    tx.execute(_ACT, {"id": act.id, "book": act.intent.book, "account": act.intent.account, **_written(act)})


def put_act(tx: Transaction, act: Act) -> None:
    """Writes an act in the place of what was known of it."""
    tx.execute(_PUT, {"which": act.id, **{f"to_{name}": value for name, value in _written(act).items()}})


def move_act(tx: Transaction, act: Act, before: State, owner: str) -> bool:
    """Writes what became of an act that this owner holds in that state; returns False where it does not."""
    fence = {"which": act.id, "before": before.value, "by": owner}
    moved = {"to_state": act.state.value, "to_due": act.due, "to_owner": act.owner}
    parts = {"to_signed": _signed(act), "to_effects": act.effects.body()}
    return tx.execute(_MOVE, {**fence, **moved, **parts}).rowcount == 1


def act(session: Read, id: str) -> Act | None:
    """Returns an act; None where there is none of that id."""
    row = session.execute(_ONE_ACT, {"which": id}).mappings().first()
    return None if row is None else _act(row, _places(session, [id]).get(id, ()))


def acts_in(session: Read, book: str, states: Iterable[State], limit: int = 1_000) -> list[Act]:
    """Returns a book's acts in these states, oldest first."""
    wanted = sa.and_(acts.c.book == book, acts.c.state.in_([item.value for item in states]))
    rows = session.execute(sa.select(acts).where(wanted).order_by(acts.c.id).limit(limit)).mappings().all()
    taken = _places(session, [row["id"] for row in rows])
    return [_act(row, taken.get(row["id"], ())) for row in rows]


def reserved(session: Read, book: str, item: Reserve, since: datetime | None) -> int:
    """Returns how much of a budget is reserved or spent after a moment (None: ever), within one scope."""
    names = {"of_book": book, "of_budget": item.budget, "of_scope": item.scope}
    found = session.execute(_WINDOW, {**names, "since": since}) if since else session.execute(_EVER, names)
    return sum(int(text or "0") for text in (found.scalar() or "0").split(","))


def reserve(tx: Transaction, act: Act, items: Iterable[Reserve], at: datetime) -> None:
    """Writes what an act needs of its budgets."""
    rows = [
        {"act": act.id, "book": act.intent.book, "budget": item.budget, "scope": item.scope, "asset": item.asset,
         "units": item.units, "at": at}
        for item in items
    ]  # fmt: skip
    if rows:
        tx.execute(_RESERVE, rows)


def reserves_of(session: Read, book: str) -> list[tuple[str, str, str, int, datetime]]:
    """Returns every reserve of a book: act, budget, scope, units, moment."""
    query = sa.select(reserves).where(reserves.c.book == book).order_by(reserves.c.act, reserves.c.budget)
    rows = session.execute(query.order_by(reserves.c.scope)).mappings()
    return [(row["act"], row["budget"], row["scope"], row["units"], row["at"]) for row in rows]


def drop_reserves(tx: Transaction, act: ActId) -> datetime | None:
    """Gives back what an act had reserved; returns the moment that it counted from."""
    moment: datetime | None = tx.execute(_SINCE, {"of_act": act}).scalars().first()
    if moment is not None:
        tx.execute(_DROP, {"of_act": act})
    return moment


def opening(tx: Transaction, intent: Intent) -> Opening:
    """Returns what an intent finds, and holds its book until the transaction ends. NotFound for no such book."""
    held = book(tx, intent.book, lock=True)
    row: Any = tx.execute(_FOUND, {"of_account": intent.account, "of_act": intent.id}).one()
    owner, floor, known = row
    return Opening(held, owner, floor, act(tx, intent.id) if known else None)


def take_places(tx: Transaction, act: Act, found: Opening, floor: int, count: int) -> tuple[int, ...]:
    """Takes the lowest free places of an account for an act, none below `floor`, what the chain says is next."""
    name = act.intent.account
    held = set(tx.execute(_HELD, {"which": name}).scalars())
    if found.floor is None:
        tx.execute(sa.insert(accounts).values(account=name, book=act.intent.book, floor=floor))
    elif floor >= found.floor + SWEPT_AFTER or not held.issuperset(range(found.floor, floor)):
        tx.execute(_RAISE, {"which": name, "to": floor})
        tx.execute(_PASSED, {"which": name, "below": floor})
    floor = max(found.floor or 0, floor)
    free = [place for place in range(floor, floor + len(held) + count) if place not in held][:count]
    rows = [{"account": name, "place": place, "act": act.id} for place in free]
    if rows:
        tx.execute(_PLACE, rows)
    return tuple(free)


def drop_places(tx: Transaction, act: ActId, keep: Iterable[int] = ()) -> None:
    """Frees the places of an act, except those that it used up."""
    tx.execute(sa.delete(places).where(places.c.act == act, places.c.place.not_in(list(keep))))


def _written(act: Act) -> dict[str, Any]:
    return {
        "state": act.state.value, "owner": act.owner, "due": act.due, "intent": intent_body(act.intent),
        "effects": act.effects.body(), "decision": decision_body(act.decision), "signed": _signed(act),
    }  # fmt: skip


def _signed(act: Act) -> list[dict[str, Json]]:
    return [{"place": item.place, "hash": item.hash, "raw": item.raw.hex()} for item in act.signed]


def entry_of(row: sa.RowMapping) -> Entry:
    """Returns the entry that a row of `entries` is."""
    where, body = (row["book"], row["seq"], row["at"], row["act"]), json.loads(row["body"])
    return Entry(*where, Arrow(row["arrow"]), body, "", row["hash"])


def _places(session: Read, ids: Sequence[str]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    query = sa.select(places).where(places.c.act.in_(ids)).order_by(places.c.place)
    for row in session.execute(query).mappings():
        found[row["act"]] = (*found.get(row["act"], ()), row["place"])
    return found


def _act(row: sa.RowMapping, taken: tuple[int, ...]) -> Act:
    signed = tuple(Signed(item["place"], item["hash"], bytes.fromhex(item["raw"])) for item in row["signed"])
    intent, effects, decision = intent_of(row["intent"]), Effects.of(row["effects"]), decision_of(row["decision"])
    return Act(intent, State(row["state"]), effects, decision, taken, signed, row["owner"], row["due"])


def _insert(tx: Transaction, table: sa.Table) -> Any:
    return postgresql.insert(table) if tx.dialect == "postgresql" else sqlite.insert(table)
