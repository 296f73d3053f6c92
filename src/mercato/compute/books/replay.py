"""Everything that the log says, derived from it alone: hashes, requests, balances; and whether the tables agree.

A changed, missing or reordered entry breaks its lane's chain and is named by its number. Entries cut from the end of a
lane leave the lane's end, balances, requests, receipts and epochs behind. Whoever can rewrite all of that can only be
caught by a head or an epoch's root that was kept elsewhere: `expect`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mercato.compute.books import ledger
from mercato.compute.books.ledger import Move, changes
from mercato.compute.books.receipts import START, digest, fair, receipt_of, root, signed_by
from mercato.compute.books.words import State
from mercato.core.errors import MercatoError
from mercato.store.bare import Bare, Row

PAGE = 2_000
MOST = 200


@dataclass(frozen=True, slots=True)
class Held:
    """What the log says of a request: who reserved how much, what it was charged, and where it stands."""

    key: str
    account: str
    limit: int
    state: State = State.OPEN
    charged: int = 0
    earned: int = 0
    place: tuple[str, int] = ("", 0)
    lane: str = ""


@dataclass
class Derived:
    """What the log adds up to, and what is wrong with it or with the tables."""

    entries: int = 0
    heads: dict[str, tuple[int, str]] = field(default_factory=dict)
    hashes: dict[tuple[str, int], str] = field(default_factory=dict)
    requests: dict[str, Held] = field(default_factory=dict)
    balances: Counter[str] = field(default_factory=Counter)
    names: dict[str, tuple[str, int]] = field(default_factory=dict)
    roots: dict[int, tuple[str, int]] = field(default_factory=dict)
    netted: dict[tuple[int, str], int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def fault(self, words: str) -> None:
        """Notes something that is not as it should be; the first two hundred are kept."""
        if len(self.faults) < MOST:
            self.faults.append(words)


def replay(bare: Bare, public: str = "", *, expect: str = "") -> Derived:
    """Returns what the log adds up to, compared with the tables; `faults` is empty where all is as it was written.

    `public` is the gateway's key, by which every receipt's signature is checked too. `expect` is an entry's hash or an
    epoch's root that was kept elsewhere.
    """
    found = Derived()
    with bare.read():
        ends: list[tuple[str, int, Mapping[str, Any]]] = []
        for row in _entries(bare):
            if body := _chained(found, row):
                _apply(found, row, body, ends)
        for lane, seq, body in ends:
            _end(found, lane, seq, body)
        for compare in (_lanes, _balances, _requests, _receipts, _keys, _moves, _epochs):
            compare(found, bare)
        if public:
            _signatures(found, bare, public)
    known = (
        {head for _, head in found.heads.values()} | set(found.hashes.values()) | {it[0] for it in found.roots.values()}
    )
    if expect and expect not in known:
        found.fault(f"hash {expect[:16]}… is not in the log: what came before or after it was rewritten or cut")
    return found


def _entries(bare: Bare) -> Iterator[Row]:
    lane, seq = "", 0
    sql = """SELECT lane, seq, kind, body, hash FROM compute_entry WHERE lane > ? OR (lane = ? AND seq > ?)
        ORDER BY lane, seq LIMIT ?"""
    while page := bare.run(sql, (lane, lane, seq, PAGE)):
        yield from page
        lane, seq = page[-1][0], page[-1][1]


def _chained(found: Derived, row: Row) -> Mapping[str, Any] | None:
    """Returns an entry's body where it can be read; notes where it does not follow from the one before it."""
    lane, seq, kind, text, hash = row
    last, head = found.heads.get(lane, (0, START))
    found.entries += 1
    found.heads[lane], found.hashes[lane, seq] = (seq, hash), hash
    if seq != last + 1:
        found.fault(f"entries {last + 1} to {seq - 1} of {lane} are missing")
    if digest(text.encode()) != hash:
        found.fault(f"entry {seq} of {lane} was changed: its hash is not {hash[:16]}…")
    try:
        body = json.loads(text)
        if seq == last + 1 and body["previous"] != head:
            found.fault(f"entry {seq} of {lane} does not follow from the one before it, which was changed")
        if (body["lane"], body["seq"], body["kind"]) != (lane, seq, kind):
            found.fault(f"entry {seq} of {lane} was another's: it says {body['kind']} {body['seq']} of {body['lane']}")
    except (ValueError, KeyError, TypeError):
        found.fault(f"entry {seq} of {lane} cannot be read")
        return None
    return body if isinstance(body, dict) else None


def _apply(found: Derived, row: Row, body: Mapping[str, Any], ends: list[tuple[str, int, Mapping[str, Any]]]) -> None:
    lane, seq, kind = row[:3]
    try:
        if kind == "held":
            _hold(found, body)
        elif kind in ("settled", "released"):
            ends.append((lane, seq, body))  # its reserve may stand in a lane that comes later
        elif kind == "moved":
            if body["name"] in found.names:
                found.fault(f"entry {seq} of {lane} moves {body['name']!r} a second time")
            found.names[body["name"]] = (lane, seq)
            _move(found, ledger.moves_of(body))
        elif kind == "epoch":
            found.roots[body["number"]] = (body["root"], body["receipts"])
            found.netted |= {(body["number"], who): micro for who, micro in body["earned"].items() if micro}
    except (KeyError, TypeError, ValueError) as error:
        found.fault(f"entry {seq} of {lane} is no {kind}: {error!r:.80}")


def _hold(found: Derived, body: Mapping[str, Any]) -> None:
    id = body["request"]
    if id in found.requests:
        found.fault(f"request {id} was reserved a second time")
        return
    found.requests[id] = Held(body["key"], body["account"], body["limit"], lane=body["lane"])
    _move(found, ledger.of_hold(body["account"], body["limit"]))


def _end(found: Derived, lane: str, seq: int, body: Mapping[str, Any]) -> None:
    held = found.requests.get(body.get("request", ""))
    if held is None or held.state is not State.OPEN:
        found.fault(f"entry {seq} of {lane} ends request {body.get('request')!r}, which was not open")
        return
    if body["kind"] == "released":
        found.requests[body["request"]] = Held(held.key, held.account, held.limit, State.RELEASED)
        _move(found, ledger.of_release(held.account, held.limit))
        return
    try:
        receipt = receipt_of(body)
    except MercatoError as error:
        found.fault(f"entry {seq} of {lane}: {error.message}")
        return
    if receipt.charged > held.limit or not fair(receipt):
        found.fault(f"receipt of {receipt.request} charges {receipt.charged}, over its reserve or its counts")
    done = Held(held.key, held.account, held.limit, State.DONE, receipt.charged, receipt.earned, (lane, seq))
    found.requests[receipt.request] = done
    moves = ledger.of_settle(held.account, held.limit, receipt.provider, receipt.charged, receipt.earned)
    _move(found, moves)


def _move(found: Derived, moves: tuple[Move, ...]) -> None:
    if any(not isinstance(move.micro, int) or move.micro < 0 for move in moves):
        found.fault(f"moves {moves!r:.120} are not of whole micro-dollars from one to another")
    for account, micro in changes(moves).items():
        found.balances[account] += micro


def _compare(found: Derived, what: str, derived: Mapping[Any, object], kept: Mapping[Any, object]) -> None:
    for key in sorted({*derived, *kept}, key=str):
        if derived.get(key) != kept.get(key):
            found.fault(f"{what} {key} is {kept.get(key)!r}, the log says {derived.get(key)!r}")


def _lanes(found: Derived, bare: Bare) -> None:
    kept = {row[0]: (row[1], row[2]) for row in bare.run("SELECT lane, seq, head FROM compute_lane WHERE seq > 0")}
    _compare(found, "end of lane", found.heads, kept)
    left = Counter(it.lane for it in found.requests.values() if it.state is State.OPEN)
    kept_open = {row[0]: row[1] for row in bare.run("SELECT lane, open FROM compute_lane WHERE open <> 0")}
    _compare(found, "number of open requests of lane", left, kept_open)


def _balances(found: Derived, bare: Bare) -> None:
    kept = {row[0]: row[1] for row in bare.run("SELECT account, micro FROM compute_balance WHERE micro <> 0")}
    _compare(found, "balance of", {name: micro for name, micro in found.balances.items() if micro}, kept)


def _requests(found: Derived, bare: Bare) -> None:
    rows = bare.run("SELECT id, key, account, bound, state FROM compute_request")
    derived = {id: (it.key, it.account, it.limit, it.state.value) for id, it in found.requests.items()}
    _compare(found, "request", derived, {row[0]: tuple(row[1:]) for row in rows})


def _receipts(found: Derived, bare: Bare) -> None:
    rows = bare.run("SELECT request, lane, seq, key, account, charged, earned FROM compute_receipt")
    derived = {
        id: (*it.place, it.key, it.account, it.charged, it.earned)
        for id, it in found.requests.items()
        if it.state is State.DONE
    }
    _compare(found, "receipt", derived, {row[0]: tuple(row[1:]) for row in rows})


def _keys(found: Derived, bare: Bare) -> None:
    spent: Counter[str] = Counter()
    reserved: Counter[str] = Counter()
    for it in found.requests.values():
        spent[it.key] += it.charged
        reserved[it.key] += it.limit if it.state is State.OPEN else 0
    rows = bare.run("SELECT id, spent, reserved FROM compute_key WHERE spent <> 0 OR reserved <> 0")
    derived = {key: (spent[key], reserved[key]) for key in spent if spent[key] or reserved[key]}
    _compare(found, "key", derived, {row[0]: (row[1], row[2]) for row in rows})


def _moves(found: Derived, bare: Bare) -> None:
    rows = bare.run("SELECT name, lane, seq FROM compute_move")
    _compare(found, "move", found.names, {row[0]: (row[1], row[2]) for row in rows})


def _epochs(found: Derived, bare: Bare) -> None:
    rows = bare.run("SELECT number, root, receipts FROM compute_epoch")
    _compare(found, "epoch", found.roots, {row[0]: (row[1], row[2]) for row in rows})
    rows = bare.run("SELECT epoch, provider, earned FROM compute_settlement")
    _compare(found, "settlement", found.netted, {(row[0], row[1]): row[2] for row in rows})
    members: dict[int, list[str]] = {}
    for lane, seq, epoch in bare.run("SELECT lane, seq, epoch FROM compute_receipt WHERE epoch > 0 ORDER BY lane, seq"):
        members.setdefault(epoch, []).append(found.hashes.get((lane, seq), START))
    made = {number: (root(hashes), len(hashes)) for number, hashes in members.items()}
    _compare(found, "root over the receipts of epoch", found.roots, made)


def _signatures(found: Derived, bare: Bare, public: str) -> None:
    rows = bare.run("""SELECT request, lane, seq, signature, countersigned, compute_provider.key FROM compute_receipt
        LEFT JOIN compute_provider ON compute_provider.id = compute_receipt.provider""")
    for request, lane, seq, signature, countersigned, key in rows:
        hash = found.hashes.get((lane, seq), "")
        if not signed_by(public, hash, signature):
            found.fault(f"signature of the receipt of {request} does not fit")
        if countersigned and not signed_by(key or "", hash, countersigned):
            found.fault(f"provider's signature of the receipt of {request} does not fit")
