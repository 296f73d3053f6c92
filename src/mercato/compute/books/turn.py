"""One turn of the clerk: what waits together, decided one after the other, and written by a few statements.

What ends comes first, so that money which it gives back is there for what begins.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from mercato.compute.books import ledger, sheet
from mercato.compute.books.ledger import GATEWAY, Move, held, reserved, user
from mercato.compute.books.memory import Memory
from mercato.compute.books.pen import Pen
from mercato.compute.books.receipts import receipt_of
from mercato.compute.books.spelling import tried
from mercato.compute.books.words import KEPT, PAID, Hold, Lost, Replay, Served, State
from mercato.compute.errors import Busy, Forbidden, Short
from mercato.compute.model import Attempt, KeyId, Receipt, RequestId
from mercato.core.errors import InvalidInput
from mercato.store.bare import Bare

KEEP = timedelta(days=1)
SECOND = 1_000_000
LONGEST = 200  # letters of an idempotency key


@dataclass(frozen=True, slots=True)
class Settle:
    """Asks to charge for a request what it came to."""

    request: RequestId
    served: Served


@dataclass(frozen=True, slots=True)
class Release:
    """Asks to give back what a request had reserved."""

    request: RequestId
    why: str
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Beat:
    """Asks for nothing but the lease to be renewed."""


Ask = Hold | Settle | Release | Beat
Answer = Receipt | Replay | Exception | None
Draw = Callable[[Receipt], bool]


class Turn:
    """The asks of one transaction, in it. `us` is its moment in microseconds."""

    def __init__(self, pen: Pen, us: int, fee_bps: int, draw: Draw, memory: Memory) -> None:
        self.pen, self.bare, self.us, self.fee_bps, self.draw, self.memory = pen, pen.bare, us, fee_bps, draw, memory
        self.stopped: frozenset[str] = frozenset()
        #: How many more requests are open, by their lane.
        self.opened: dict[str, int] = {}
        self._changes: dict[str, int] = {}
        self._counted: dict[str, sheet.KeyRow] = {}
        self._held: list[tuple[Hold, int]] = []
        self._made: dict[str, tuple[Receipt, str]] = {}
        self._kept: list[tuple[str, str, bytes, int]] = []
        self._audits: list[tuple[str, str, str, int, bytes]] = []

    def take(self, asks: Sequence[Ask]) -> list[Answer]:
        """Returns the answer to each ask, or what is wrong with it; writes all that they come to."""
        self.memory.begin(self.bare)
        rows = self._ends(asks)
        opened = sheet.end(self.bare, rows, self.memory.opened) if rows else {}
        self._load(asks, opened)
        ended = [None if isinstance(ask, Hold) else self._answer(ask, opened) for ask in asks]
        answers = [self._hold(ask) if isinstance(ask, Hold) else end for ask, end in zip(asks, ended, strict=True)]
        self._write()
        return answers

    def _ends(self, asks: Iterable[Ask]) -> list[tuple[RequestId, State, int, str]]:
        first: dict[RequestId, Settle | Release] = {}
        for ask in asks:
            if isinstance(ask, Settle | Release):
                first.setdefault(ask.request, ask)  # as `_answer` takes them: what comes second finds it ended
        return [
            (request, State.DONE, self.us, tried(ask.served.attempts))
            if isinstance(ask, Settle)
            else (request, State.RELEASED, self.us, tried(ask.attempts))
            for request, ask in first.items()
        ]

    def _load(self, asks: Iterable[Ask], opened: dict[RequestId, sheet.Open]) -> None:
        """Reads, and on PostgreSQL locks, what the asks depend on and is not known."""
        memory = self.memory
        accounts, keys = {GATEWAY} if opened else set(), {row.key for row in opened.values()}
        for ask in asks:
            if isinstance(ask, Hold):
                accounts.update((user(ask.account), reserved(ask.account)))
                keys.add(ask.key)
            elif isinstance(ask, Settle):
                accounts.add(held(ask.served.provider))
        for row in opened.values():
            accounts.update((user(row.account), reserved(row.account)))
        if unknown := accounts - memory.balances.keys():
            memory.balances |= sheet.balances(self.bare, unknown)
        if unknown := keys - memory.keys.keys():
            memory.keys |= sheet.keys(self.bare, unknown)
        if memory.stopped is None:
            memory.stopped = frozenset(sheet.stopped(self.bare))
        self.stopped = memory.stopped

    def _answer(self, ask: Settle | Release | Beat, opened: dict[RequestId, sheet.Open]) -> Answer:
        if isinstance(ask, Beat):
            return None
        if row := opened.pop(ask.request, None):
            if isinstance(ask, Settle):
                return self._settle(ask, row)
            self._release(ask, row)
            return None
        made = self._made[ask.request][0] if ask.request in self._made else read(self.bare, ask.request)
        if made and isinstance(ask, Settle):
            return made
        return Lost(f"request {ask.request!r} is not open", hint="it was released when its worker's lease was over")

    def _hold(self, hold: Hold) -> Answer:
        if hold.limit < 0:
            return InvalidInput(f"limit was {hold.limit!r} micro-dollars", hint="expected a whole number, at least 0")
        if len(hold.idempotency) > LONGEST or not hold.idempotency.isprintable():
            return InvalidInput(f"idempotency key was {hold.idempotency!r:.80}", hint=f"at most {LONGEST} letters")
        key = self.memory.keys.get(hold.key)
        if key is None or key.account != hold.account:
            return Forbidden("there is no such key", hint="make one with `mercato compute keys`")
        if hold.idempotency and (earlier := self._earlier(hold)):
            return earlier
        if (refused := self._refused(hold, key)) is not None:
            return refused
        slot, limit = _slot(key, self.us), hold.limit
        key.slot_used = limit + (key.slot_used if key.slot == slot else 0)
        key.slot, key.reserved = slot, key.reserved + limit
        self._counted[key.id] = key
        self._held.append((hold, slot))
        self.memory.opened[hold.request] = sheet.Open(
            hold.request, hold.key, hold.account, limit, slot, hold.idempotency, self.pen.lane
        )
        self.opened[self.pen.lane] = self.opened.get(self.pen.lane, 0) + 1
        self._move(ledger.of_hold(hold.account, limit))
        self.pen.held(hold)
        return None

    def _earlier(self, hold: Hold) -> Answer:
        """Returns what an earlier request with the same idempotency key means for this one; None for none."""
        same = (hold.key, hold.idempotency)
        now = next((item for item, _ in self._held if (item.key, item.idempotency) == same), None)
        if now:
            need, open_, id = now.need_hash, True, now.request
        elif found := sheet.known(self.bare, hold):
            need, open_, id = found.need, found.state == State.OPEN.value, RequestId(found.id)
        else:
            return None
        if need != hold.need_hash:
            return Busy(
                f"idempotency key {hold.idempotency!r:.80} was used for another body", hint="use a new one for each"
            )
        receipt = None if open_ else read(self.bare, id)
        if receipt is None:
            return Busy(f"request {id!r} with this idempotency key is still served", hint="ask again when it is over")
        kept = sheet.answer(self.bare, id)
        return Replay(receipt, kept[1], kept[0]) if kept else Replay(receipt, None)

    def _refused(self, hold: Hold, key: sheet.KeyRow) -> Exception | None:
        for scope in ("platform", f"account:{hold.account}", f"key:{hold.key}"):
            if scope in self.stopped:
                return Forbidden(f"the kill switch of {scope!r} is on", hint="ask who turned it on", code="stopped")
        if key.revoked_us is not None or (key.expires_us is not None and key.expires_us <= self.us):
            return Forbidden("the key is over", hint="it was revoked, or its time ran out")
        left = self.memory.balances[user(hold.account)]
        what = "balance"
        if key.cap is not None and key.cap - key.spent - key.reserved < left:
            left, what = key.cap - key.spent - key.reserved, "limit of the key"
        if key.window_cap is not None:
            used = key.slot_used if key.slot == _slot(key, self.us) else 0
            if key.window_cap - used < left:
                left, what = key.window_cap - used, "limit of the key for a while"
        if hold.limit > left:
            left = max(left, 0)
            words = f"{what} has {left} micro-dollars left, the request may cost {hold.limit}"
            return Short(
                words, hint="deposit more, ask for fewer tokens, or raise the key's limit", left=left, needed=hold.limit
            )
        return None

    def _settle(self, ask: Settle, row: sheet.Open) -> Receipt:
        served = ask.served
        charged, earned = ledger.cost(served, row.bound, self.fee_bps)
        made = self.pen.receipt(ask.request, KeyId(row.key), served, charged, earned)
        self._made[ask.request] = (made, row.account)
        self._move(ledger.of_settle(row.account, row.bound, served.provider, charged, earned))
        self._free(row, charged)
        if row.idem and served.end not in PAID:  # it broke off and costs nothing: there is nothing to give again
            sheet.forget(self.bare, ask.request)
        if row.idem and 0 < len(served.answer) <= KEPT:
            self._kept.append((ask.request, served.kind, served.answer, self.us + KEEP // timedelta(microseconds=1)))
        if served.audit or self.draw(made):
            self._audits.append((ask.request, served.provider, served.model, self.us, served.evidence))
        return made

    def _release(self, ask: Release, row: sheet.Open) -> None:
        self._move(ledger.of_release(row.account, row.bound))
        self._free(row, 0)
        self.pen.write("released", {"request": ask.request, "why": ask.why[:200]})

    def _free(self, row: sheet.Open, charged: int) -> None:
        """Counts what a request came to, in the place of what it might have cost."""
        self.opened[row.lane] = self.opened.get(row.lane, 0) - 1
        key = self.memory.keys[row.key]
        key.slot_used -= row.bound - charged if row.slot == key.slot else 0
        key.reserved, key.spent = key.reserved - row.bound, key.spent + charged
        self._counted[key.id] = key

    def _move(self, moves: Iterable[Move]) -> None:
        changed, held = self._changes, self.memory.balances
        for source, target, micro in moves:
            if micro:
                changed[source], held[source] = changed.get(source, 0) - micro, held[source] - micro
                changed[target], held[target] = changed.get(target, 0) + micro, held[target] + micro

    def _write(self) -> None:
        bare = self.bare
        self.pen.close()
        if self._held:
            sheet.hold(bare, self._held, self.pen.lane, self.us)
        if self._made:
            sheet.book(bare, self._made.values(), self.us)
        if self._kept:
            sheet.keep(bare, self._kept)
        if self._audits:
            sheet.ask_audits(bare, self._audits)
        if changes := {account: micro for account, micro in self._changes.items() if micro}:
            sheet.change(bare, changes)
        if self._counted:
            sheet.count(bare, self._counted.values())


def read(bare: Bare, request: str) -> Receipt | None:
    """Returns a request's receipt; None where there is none."""
    found = sheet.receipt(bare, request)
    return receipt_of(json.loads(found[0]), *found[1:]) if found else None


def earlier(bare: Bare, hold: Hold) -> Replay | None:
    """Returns what was answered before to the same body with the same idempotency key; None where nothing was."""
    known = sheet.known(bare, hold)
    if known is None or known.need != hold.need_hash or (made := read(bare, known.id)) is None:
        return None
    kept = sheet.answer(bare, known.id)
    return Replay(made, kept[1], kept[0]) if kept else Replay(made, None)


def _slot(key: sheet.KeyRow, us: int) -> int:
    return us // (key.window_seconds * SECOND) if key.window_seconds else 0
