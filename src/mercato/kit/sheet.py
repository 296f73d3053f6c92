"""What the books are asked and what is written into them: plain SQL that both databases understand, by `store.bare`.

On the path of an act SQLAlchemy took longer than the database. Tables are declared in `tables`; who writes here holds
the book first, so that its entries, budgets and places change one after the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from mercato.core.errors import NotFound
from mercato.core.events import Json
from mercato.kit.acts import START, Act, Arrow, Book, Entry, Signed, State, decision_of, intent_of
from mercato.kit.model import ActId, Effects, Intent, Reserve, canonical
from mercato.store.bare import Bare, Row, aware
from mercato.store.u256 import DIGITS

#: Places that an account used itself are removed once they are so many: at each act would cost two statements more.
SWEPT_AFTER = 32

_SEEN = "kit_book.id, policy_hash, seq, head, frozen"
_BOOK = f"SELECT {_SEEN} FROM kit_book WHERE id = ?"  # noqa: S608  # our own names
#: What has to be known before an act is written down, in one question. It is asked once the book is held: PostgreSQL
#: would answer for the moment before it waited for the lock.
_OPENING = f"""SELECT {_SEEN}, kit_account.book, floor, state FROM kit_book
    LEFT JOIN kit_account ON kit_account.account = ? LEFT JOIN kit_act ON kit_act.id = ?
    WHERE kit_book.id = ?"""  # noqa: S608  # our own names
_ADD_BOOK = """INSERT INTO kit_book (id, policy, policy_hash, seq, head, frozen) VALUES (?, '{}', '', 0, ?, ?)
    ON CONFLICT (id) DO NOTHING RETURNING id"""
_POLICY = "SELECT CAST(policy AS TEXT) FROM kit_book WHERE id = ?"
_ENTRY = "INSERT INTO kit_entry (book, seq, at, act, arrow, body, hash)"
_ENTRIES = "SELECT book, seq, at, act, arrow, body, hash FROM kit_entry WHERE book = ? AND seq > ?"
_ACT = "id, state, intent, effects, decision, signed, owner, due"
_PUT = f"""INSERT INTO kit_act (book, account, {_ACT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, intent = excluded.intent, effects = excluded.effects,
    decision = excluded.decision, signed = excluded.signed, owner = excluded.owner, due = excluded.due"""  # noqa: S608  # our own names
_MOVE = """UPDATE kit_act SET state = ?, owner = ?, due = ?, signed = COALESCE(?, signed),
    effects = COALESCE(?, effects) WHERE id = ? AND state = ? AND owner = ? RETURNING id"""
_TOLD = "found.id, state, CAST(intent AS TEXT), CAST(effects AS TEXT), CAST(decision AS TEXT), CAST(signed AS TEXT)"
_ACTS = f"SELECT {_TOLD}, owner, due, place FROM ("  # noqa: S608  # our own names
_PLACED = ") AS found LEFT JOIN kit_place ON kit_place.act = found.id ORDER BY found.id, place"
_ONE = _ACTS + "SELECT * FROM kit_act WHERE id = ?" + _PLACED  # noqa: S608  # our own names
_HELD_BY = "FROM kit_reserve WHERE book = ? AND budget = ? AND scope = ?"
#: Added up in Python where the database cannot, handed over as one text: a row for each takes several times as long.
_SUM = {"sqlite": "SELECT group_concat(ltrim(units, '0'), ',')", "postgresql": "SELECT CAST(sum(units) AS TEXT)"}
_RESERVE = "INSERT INTO kit_reserve (act, book, budget, scope, asset, units, at)"
_RESERVED = "SELECT act, budget, scope, units, at FROM kit_reserve WHERE book = ? ORDER BY act, budget, scope"


@dataclass(frozen=True, slots=True)
class Opening:
    """What an intent finds: its book, the book that its account belongs to with the place below which all are used up
    (None: it is new), and the state of the act that bears its id (None: there is none yet)."""

    book: Book
    owner: str | None = None
    floor: int | None = None
    state: State | None = None


class Line(NamedTuple):
    """An entry that is about to be written: its body as it was hashed."""

    seq: int
    act: str
    arrow: str
    body: str
    hash: str


class Texts(NamedTuple):
    """What an act's row holds beside its state, as canonical JSON."""

    intent: str
    effects: str
    decision: str


def add_book(bare: Bare, id: str) -> bool:
    """Writes an empty book; returns False where it is there already."""
    return bool(bare.run(_ADD_BOOK, (id, START, False)))


def book(bare: Bare, id: str, *, lock: bool = False) -> Book:
    """Returns a book; with `lock` nobody else appends to it until the transaction ends. NotFound for no such book."""
    tail = " FOR UPDATE" if lock and bare.dialect == "postgresql" else ""
    return _book(id, bare.run(_BOOK + tail, (id,)))


def opening(bare: Bare, intent: Intent) -> Opening:
    """Returns what an intent finds, and holds its book until the transaction ends. NotFound for no such book."""
    if bare.dialect == "postgresql":
        book(bare, intent.book, lock=True)
    rows = bare.run(_OPENING, (intent.account, intent.id, intent.book))
    held = _book(intent.book, rows)
    owner, floor, state = rows[0][5:]
    return Opening(held, owner, floor, None if state is None else State(state))


def policy(bare: Bare, id: str) -> dict[str, Any]:
    """Returns the policy of a book that is there."""
    ((text,),) = bare.run(_POLICY, (id,))
    found: dict[str, Any] = json.loads(text)
    return found


def set_policy(bare: Bare, id: str, source: Mapping[str, Any], hash: str) -> None:
    """Gives a book another policy."""
    bare.run("UPDATE kit_book SET policy = ?, policy_hash = ? WHERE id = ?", (json.dumps(source), hash, id))


def set_frozen(bare: Bare, id: str, frozen: bool) -> None:
    """Freezes or thaws a book."""
    bare.run("UPDATE kit_book SET frozen = ? WHERE id = ?", (frozen, id))


def append(bare: Bare, book: str, at: datetime, lines: Sequence[Line]) -> None:
    """Writes entries and moves the book's head to the last one."""
    moment, last = bare.moment(at), lines[-1]
    bare.many(_ENTRY, [(book, item.seq, moment, item.act, item.arrow, item.body, item.hash) for item in lines])
    bare.run("UPDATE kit_book SET seq = ?, head = ? WHERE id = ?", (last.seq, last.hash, book))


def journal(bare: Bare, book: str, after: int = 0, limit: int = 1_000, act: str = "") -> list[Entry]:
    """Returns entries in their order, those after a number; of one act where it is named."""
    only, values = (" AND act = ?", [act]) if act else ("", [])
    rows = bare.run(f"{_ENTRIES}{only} ORDER BY seq LIMIT ?", [book, after, *values, limit])
    return [
        Entry(book, seq, aware(at), act, Arrow(arrow), json.loads(body), hash)
        for book, seq, at, act, arrow, body, hash in rows
    ]


def put_act(bare: Bare, act: Act, texts: Texts) -> None:
    """Writes an act, new or in the place of what was known of it."""
    due = bare.moment(act.due) if act.due else None
    head = (act.intent.book, act.intent.account, act.id, act.state.value)
    bare.run(_PUT, (*head, *texts, _signed(act.signed), act.owner, due))


def move_act(
    bare: Bare, act: Act, before: State, owner: str, *, signed: bool = False, effects: str | None = None
) -> bool:
    """Writes what became of an act that this owner holds in that state; returns False where it does not.

    What was `signed`, and its effects as canonical JSON, stay as they were where they are not given.
    """
    due = bare.moment(act.due) if act.due else None
    changed = (act.state.value, act.owner, due, _signed(act.signed) if signed else None, effects)
    return bool(bare.run(_MOVE, (*changed, act.id, before.value, owner)))


def act(bare: Bare, id: str) -> Act | None:
    """Returns an act; None where there is none of that id."""
    found = _acts(bare.run(_ONE, (id,)))
    return found[0] if found else None


def acts_in(bare: Bare, book: str, states: Iterable[State], limit: int = 1_000) -> list[Act]:
    """Returns a book's acts in these states, oldest first."""
    wanted = [state.value for state in states]
    among = f"SELECT * FROM kit_act WHERE book = ? AND state IN ({', '.join('?' * len(wanted))}) ORDER BY id LIMIT ?"  # noqa: S608  # our own names
    return _acts(bare.run(_ACTS + among + _PLACED, [book, *wanted, limit]))


def states(bare: Bare, book: str) -> dict[str, str]:
    """Returns the state of every act of a book."""
    return dict(bare.run("SELECT id, state FROM kit_act WHERE book = ?", (book,)))


def reserved(
    bare: Bare, book: str, budget: str, scope: str, after: datetime | None, until: datetime | None = None
) -> int:
    """Returns how much of a budget is reserved or spent after a moment, and until one (None: ever), in one scope."""
    bounds = [(" AND at > ?", after), (" AND at <= ?", until)]
    given = [(text, bare.moment(at)) for text, at in bounds if at is not None]
    sql = f"{_SUM[bare.dialect]} {_HELD_BY}{''.join(text for text, _ in given)}"
    ((found,),) = bare.run(sql, [book, budget, scope, *(at for _, at in given)])
    return sum(int(text or "0") for text in (found or "0").split(","))


def reserve(bare: Bare, act: Act, items: Iterable[Reserve], at: datetime) -> None:
    """Writes what an act needs of its budgets."""
    moment = bare.moment(at)
    bare.many(
        _RESERVE,
        [
            (act.id, act.intent.book, item.budget, item.scope, item.asset, f"{item.units:0{DIGITS}d}", moment)
            for item in items
        ],
    )


def drop_reserves(bare: Bare, act: ActId) -> datetime | None:
    """Gives back what an act had reserved; returns the moment that it counted from, None where there was nothing."""
    found = bare.run("DELETE FROM kit_reserve WHERE act = ? RETURNING at", (act,))
    return aware(found[0][0]) if found else None


def reserves_of(bare: Bare, book: str) -> list[tuple[str, str, str, int, datetime]]:
    """Returns every reserve of a book: act, budget, scope, units, moment."""
    return [
        (act, budget, scope, int(units), aware(at)) for act, budget, scope, units, at in bare.run(_RESERVED, (book,))
    ]


def take_places(bare: Bare, intent: Intent, found: Opening, floor: int, count: int) -> tuple[int, ...]:
    """Takes the lowest free places of an account for an act, none below `floor`, what the chain says is next."""
    name = intent.account
    held = {place for (place,) in bare.run("SELECT place FROM kit_place WHERE account = ?", (name,))}
    if found.floor is None:
        bare.run("INSERT INTO kit_account (account, book, floor) VALUES (?, ?, ?)", (name, intent.book, floor))
    elif floor >= found.floor + SWEPT_AFTER or not held.issuperset(range(found.floor, floor)):
        bare.run("UPDATE kit_account SET floor = ? WHERE account = ?", (floor, name))
        bare.run("DELETE FROM kit_place WHERE account = ? AND place < ?", (name, floor))
    floor = max(found.floor or 0, floor)
    free = [place for place in range(floor, floor + len(held) + count) if place not in held][:count]
    bare.many("INSERT INTO kit_place (account, place, act)", [(name, place, intent.id) for place in free])
    return tuple(free)


def drop_places(bare: Bare, act: ActId, places: Iterable[int]) -> None:
    """Frees places of an act."""
    for place in places:
        bare.run("DELETE FROM kit_place WHERE act = ? AND place = ?", (act, place))


def _book(id: str, rows: Sequence[Row]) -> Book:
    if not rows:
        raise NotFound(
            f"book was {id!r}, which does not exist", hint="open it with a policy: `mercato kit policy set FILE`"
        )
    name, policy_hash, seq, head, frozen = rows[0][:5]
    return Book(name, policy_hash, seq, head, bool(frozen))


def _signed(items: Iterable[Signed]) -> str:
    body: list[Json] = [{"place": item.place, "hash": item.hash, "raw": item.raw.hex()} for item in items]
    return canonical(body)


def _acts(rows: Iterable[Row]) -> list[Act]:
    """Returns acts from their rows, one for each place that an act has."""
    found: list[Act] = []
    for id, state, intent, effects, decision, signed, owner, due, place in rows:
        if found and found[-1].id == id:
            found[-1] = replace(found[-1], places=(*found[-1].places, place))
            continue
        made = tuple(Signed(item["place"], item["hash"], bytes.fromhex(item["raw"])) for item in json.loads(signed))
        parts = intent_of(json.loads(intent)), State(state), Effects.of(json.loads(effects))
        taken = () if place is None else (place,)
        until = None if due is None else aware(due)
        found.append(Act(*parts, decision_of(json.loads(decision)), taken, made, owner, until))
    return found
