"""The statements of the books: each works on as many requests as wait together, and on SQLite and PostgreSQL alike.

Locks are taken in one order, requests, balances, keys, lanes, and within each by name, so that workers wait for each
other and do not lock each other out. What still deadlocks is rolled back by the database and tried again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from mercato.compute.books.words import Hold, State
from mercato.compute.model import Receipt, RequestId
from mercato.store.bare import Bare, Row


@dataclass(slots=True)
class KeyRow:
    """What a key may spend and has spent; a turn counts in it what it reserves and settles."""

    id: str
    account: str
    expires_us: int | None
    revoked_us: int | None
    cap: int | None
    spent: int
    reserved: int
    window_cap: int | None
    window_seconds: int | None
    slot: int
    slot_used: int


class Open(NamedTuple):
    """An open request that was just ended: what it had reserved, and where."""

    id: str
    key: str
    account: str
    bound: int
    slot: int
    idem: str
    lane: str


class Known(NamedTuple):
    """An earlier request with an idempotency key."""

    id: str
    key: str
    idem: str
    need: str
    state: str


#: One entry of the log: lane, number, kind, the text that was hashed, and its SHA-256.
Entry = tuple[str, int, str, str, str]

_KEY = ", ".join(KeyRow.__slots__)
_FACTS = ", ".join(Known._fields)
_REQUESTED = f"SELECT {_FACTS} FROM compute_request WHERE id = ?"  # noqa: S608  # our own names
_KNOWN = f"SELECT {_FACTS} FROM compute_request WHERE key = ? AND idem = ? AND idem <> '' AND state <> 'released'"  # noqa: S608  # our own names
_REQUEST = "INSERT INTO compute_request (id, key, account, need, idem, lane, at_us, bound, slot, state, attempts)"
_END = """WITH ends (which, outcome, moment, tried) AS ("""
_ENDED = """) UPDATE compute_request SET state = ends.outcome, ended_us = ends.moment, attempts = ends.tried FROM ends
    WHERE compute_request.id = ends.which AND compute_request.state = 'open'
    RETURNING compute_request.id, key, account, bound, slot, idem, lane"""
#: PostgreSQL gets one statement for all rows, as each way there and back costs; SQLite is quicker row by row.
_END_ONE = "UPDATE compute_request SET state = ?, ended_us = ?, attempts = ? WHERE id = ? AND state = 'open'"
_ENDED_ONE = f"{_END_ONE} RETURNING id, key, account, bound, slot, idem, lane"
_ENTRY = "INSERT INTO compute_entry (lane, seq, kind, body, hash)"
_CHANGE_ONE = "UPDATE compute_balance SET micro = micro + ? WHERE account = ?"
_COUNT_ONE = "UPDATE compute_key SET spent = ?, reserved = ?, slot = ?, slot_used = ? WHERE id = ?"
_ADD = "INSERT INTO compute_balance (account, micro)"
_CHANGE = """) UPDATE compute_balance SET micro = micro + change.delta FROM change
    WHERE compute_balance.account = change.which"""
_COUNT = """) UPDATE compute_key SET spent = used.total, reserved = used.waiting, slot = used.turn,
    slot_used = used.within FROM used WHERE compute_key.id = used.which"""
_RECEIPT = """INSERT INTO compute_receipt
    (request, lane, seq, at_us, key, account, provider, model, ending, charged, earned, epoch, signature, countersigned)
    """
_ADVANCE = """UPDATE compute_lane SET seq = ?, head = ?, due_us = ?, open = open + ?
    WHERE lane = ? AND seq = ? AND NOT closed"""
_OVER = "UPDATE compute_lane SET closed = ? WHERE NOT closed AND due_us < ? RETURNING lane"
#: The newest come first: what a dead worker left open is among what was reserved last, and no index leads there.
_ABANDONED = "SELECT id FROM compute_request WHERE lane = ? AND state = 'open' ORDER BY id DESC LIMIT ?"
_LEFT = "SELECT lane, open FROM compute_lane WHERE closed AND open > 0 ORDER BY lane"
_RECEIVED = """SELECT body, hash, signature, countersigned FROM compute_receipt JOIN compute_entry
    ON compute_entry.lane = compute_receipt.lane AND compute_entry.seq = compute_receipt.seq WHERE request = ?"""
_AUDIT = """INSERT INTO compute_audit (request, provider, model, at_us, state, due_us, evidence, id, method, statistic,
    verdict, checker)"""


def end(
    bare: Bare, rows: Sequence[tuple[RequestId, State, int, str]], known: dict[RequestId, Open]
) -> dict[RequestId, Open]:  # fmt: skip
    """Ends open requests, each as (id, state, moment, attempts); returns those that were open until now.

    Those that are `known` to have been reserved as they were are taken from there.
    """
    if bare.dialect == "postgresql":
        return {row[0]: Open(*row) for row in bare.many(_END, sorted(rows), _ENDED)}
    found: dict[RequestId, Open] = {}
    for id, *outcome in rows:
        row = known.pop(id, None)
        if row is None:
            found |= {ended[0]: Open(*ended) for ended in bare.run(_ENDED_ONE, (*outcome, id))}
        elif bare.changed(_END_ONE, (*outcome, id)):
            found[id] = row
    return found


def stopped(bare: Bare) -> set[str]:
    """Returns the scopes whose kill switch is on: `platform`, `account:NAME` or `key:ID`."""
    return {row[0] for row in bare.run("SELECT scope FROM compute_switch WHERE stopped")}


def balances(bare: Bare, accounts: Iterable[str]) -> dict[str, int]:
    """Returns balances of accounts, nought for those that there are not yet; they are locked until the end."""
    names = sorted(accounts)
    tail = " FOR UPDATE" if bare.dialect == "postgresql" else ""
    rows = _among(
        bare, "SELECT account, micro FROM compute_balance WHERE account IN", names, f" ORDER BY account{tail}"
    )
    found: dict[str, int] = {row[0]: row[1] for row in rows}
    missing = [name for name in names if name not in found]
    bare.many(_ADD, [(name, 0) for name in missing], "ON CONFLICT DO NOTHING")
    return found | dict.fromkeys(missing, 0)


def change(bare: Bare, changes: Mapping[str, int]) -> None:
    """Adds to balances; the database refuses one below nought, other than `outside`."""
    if bare.dialect == "sqlite":
        bare.each(_CHANGE_ONE, [(delta, which) for which, delta in changes.items()])
    else:
        bare.many("WITH change (which, delta) AS (", sorted(changes.items()), _CHANGE)


def keys(bare: Bare, ids: Iterable[str]) -> dict[str, KeyRow]:
    """Returns keys by their ids; they are locked until the end."""
    tail = " FOR UPDATE" if bare.dialect == "postgresql" else ""
    rows = _among(bare, f"SELECT {_KEY} FROM compute_key WHERE id IN", sorted(ids), f" ORDER BY id{tail}")  # noqa: S608  # our own names
    return {row[0]: KeyRow(*row) for row in rows}


def count(bare: Bare, rows: Iterable[KeyRow]) -> None:
    """Writes what keys have spent and reserved."""
    if bare.dialect == "sqlite":
        bare.each(_COUNT_ONE, [(row.spent, row.reserved, row.slot, row.slot_used, row.id) for row in rows])
        return
    values = sorted((row.id, row.spent, row.reserved, row.slot, row.slot_used) for row in rows)
    bare.many("WITH used (which, total, waiting, turn, within) AS (", values, _COUNT)


def known(bare: Bare, hold: Hold) -> Known | None:
    """Returns the earlier request of the same key and idempotency key that was not released; None for none."""
    found = bare.run(_KNOWN, (hold.key, hold.idempotency))
    return Known(*found[0]) if found else None


def forget(bare: Bare, id: str) -> None:
    """Frees the idempotency key of a request: who asks again with it is served."""
    bare.run("UPDATE compute_request SET idem = '' WHERE id = ?", (id,))


def request(bare: Bare, id: str) -> Known | None:
    """Returns a request; None where there is none of that id."""
    found = bare.run(_REQUESTED, (id,))
    return Known(*found[0]) if found else None


def hold(bare: Bare, rows: Sequence[tuple[Hold, int]], lane: str, at_us: int) -> None:
    """Writes open requests, each with the window of its key's limit that it counts in."""
    state = State.OPEN.value
    bare.put(
        _REQUEST,
        [
            (hold.request, hold.key, hold.account, hold.need_hash, hold.idempotency, lane, at_us, hold.limit, slot,
             state, "[]")
            for hold, slot in rows
        ],
    )  # fmt: skip


def append(bare: Bare, entries: Sequence[Entry]) -> None:
    """Writes entries of the log."""
    bare.put(_ENTRY, entries)


def advance(bare: Bare, lane: str, before: int, seq: int, head: str, due_us: int | None, opened: int = 0) -> bool:
    """Moves a lane to its newest entry, with so many more open requests; returns False where it was closed, or another
    wrote to it."""
    return bool(bare.changed(_ADVANCE, (seq, head, due_us, opened, lane, before)))


def ended(bare: Bare, lanes: Mapping[str, int]) -> None:
    """Counts requests of other lanes that were open until now."""
    bare.each("UPDATE compute_lane SET open = open - ? WHERE lane = ?", [(count, it) for it, count in lanes.items()])


def open_lane(bare: Bare, lane: str, head: str, due_us: int | None) -> None:
    """Writes a new lane without entries; leaves one that is there."""
    values = (lane, 0, head, due_us, False)
    bare.many("INSERT INTO compute_lane (lane, seq, head, due_us, closed)", [values], "ON CONFLICT DO NOTHING")


def lane(bare: Bare, name: str, *, lock: bool = False) -> tuple[int, str, bool] | None:
    """Returns the number and hash of a lane's newest entry, and whether it is closed; None for no lane."""
    tail = " FOR UPDATE" if lock and bare.dialect == "postgresql" else ""
    found = bare.run(f"SELECT seq, head, closed FROM compute_lane WHERE lane = ?{tail}", (name,))  # noqa: S608  # our own names
    return (found[0][0], found[0][1], bool(found[0][2])) if found else None


def overdue(bare: Bare, now_us: int) -> bool:
    """Returns whether a lane's lease is over, or a closed one has open requests; takes no lock."""
    over = bare.run("SELECT 1 FROM compute_lane WHERE NOT closed AND due_us < ? LIMIT 1", (now_us,))
    return bool(over or bare.run(_LEFT))


def close_lanes(bare: Bare, now_us: int) -> list[str]:
    """Closes the lanes whose lease is over: their workers cannot write to them any more."""
    return [row[0] for row in bare.run(_OVER, (True, now_us))]


def close_lane(bare: Bare, lane: str) -> None:
    """Closes a lane whose worker ends."""
    bare.run("UPDATE compute_lane SET closed = ? WHERE lane = ?", (True, lane))


def abandoned(bare: Bare, limit: int) -> list[RequestId]:
    """Returns open requests of closed lanes."""
    found: list[RequestId] = []
    for lane, count in bare.run(_LEFT):
        if (most := min(count, limit - len(found))) > 0:
            found += [RequestId(row[0]) for row in bare.run(_ABANDONED, (lane, most))]
    return found


def book(bare: Bare, rows: Iterable[tuple[Receipt, str]], us: int) -> None:
    """Writes receipts, each with the account that paid."""
    bare.put(
        _RECEIPT,
        [
            (it.request, it.lane, it.seq, us, it.key, account, it.provider, it.model, it.end.value, it.charged,
             it.earned, 0, it.signature, it.countersigned)
            for it, account in rows
        ],
    )  # fmt: skip


def receipt(bare: Bare, request: str) -> tuple[str, str, str, str] | None:
    """Returns the text, hash, signature and countersignature of a request's receipt; None where there is none."""
    found = bare.run(_RECEIVED, (request,))
    return (found[0][0], found[0][1], found[0][2], found[0][3]) if found else None


def attempts(bare: Bare, request: str) -> list[dict[str, Any]]:
    """Returns the attempts at a request as JSON; nothing where it is open, or there is none."""
    found = bare.run("SELECT attempts FROM compute_request WHERE id = ?", (request,))
    return list(json.loads(found[0][0])) if found else []


def answer(bare: Bare, request: str) -> tuple[str, bytes] | None:
    """Returns the media type and the bytes of an answer that was kept."""
    found = bare.run("SELECT kind, body FROM compute_answer WHERE request = ?", (request,))
    return (found[0][0], bytes(found[0][1])) if found else None


def keep(bare: Bare, rows: Sequence[tuple[str, str, bytes, int]]) -> None:
    """Keeps answers, each as (request, media type, bytes, until when)."""
    bare.put("INSERT INTO compute_answer (request, kind, body, until_us)", rows)


def ask_audits(bare: Bare, rows: Sequence[tuple[str, str, str, int, bytes]]) -> None:
    """Puts requests up for audit, each as (request, provider, model, moment, evidence)."""
    values = [(id, who, model, us, "wanted", us, evidence, "", "", "", "", "") for id, who, model, us, evidence in rows]
    bare.put(_AUDIT, values)


def _among(bare: Bare, head: str, names: Sequence[str], tail: str) -> list[Row]:
    return bare.run(f"{head} ({', '.join('?' * len(names))}){tail}", names) if names else []
