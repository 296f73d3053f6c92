"""The books: budgets reserved before anything is signed, settled or given back afterwards, and the journal of it all.

Each verb is one transaction that holds its book's row: entries are linked, budgets counted and places taken one after
the other, however many processes act at once. What was not committed here was never signed, and never sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

from mercato.core.clock import Clock
from mercato.core.errors import InvalidInput, NotFound
from mercato.core.events import Json
from mercato.kit import tables
from mercato.kit.acts import (
    STEPS,
    Act,
    Arrow,
    Book,
    Entry,
    JournalGrew,
    Signed,
    State,
    decision_body,
    hashed,
    intent_body,
    reserve_body,
)
from mercato.kit.errors import Denied, Frozen, Taken
from mercato.kit.model import Decision, Effects, Intent, Reserve, Verdict
from mercato.kit.policy import Policy
from mercato.store import Read, Store, Transaction, emit

LEASE = timedelta(minutes=2)
NAME = 60
PASSING = (Arrow.RESERVED, Arrow.SIGNED, Arrow.SENT)
Body = Mapping[str, Json]


class Ledger:
    """The books in a store. Each process has its own: acts that it works on are held in its name for `lease`."""

    def __init__(self, store: Store, clock: Clock, *, lease: timedelta = LEASE) -> None:
        self.store, self.clock, self.lease = store, clock, lease
        self.owner = uuid4().hex
        self._policies: dict[str, Policy] = {}

    def open(self, book: str, policy: Policy, by: str) -> Book:
        """Opens a book where there is none, and puts a policy in force."""
        if not 0 < len(book) <= NAME or not book.isprintable():
            raise InvalidInput(f"book was {book!r:.80}", hint=f"expected a name of at most {NAME} letters")
        with self.store.transaction() as tx:
            fresh = tables.add_book(tx, book)
            pen = Pen(tx, tables.book(tx, book, lock=True), self.clock.now())
            if fresh:
                pen.write("", Arrow.OPENED, {"by": by})
            if pen.book.policy_hash != policy.hash:
                pen.write("", Arrow.RULED, {"by": by, "hash": policy.hash, "policy": dict(policy.source)})
                tables.set_policy(tx, book, policy.source, policy.hash)
            pen.close()
            return tables.book(tx, book)

    def book(self, id: str) -> Book:
        """Returns a book; NotFound where there is none."""
        with self.store.read() as session:
            return tables.book(session, id)

    def policy(self, id: str) -> Policy:
        """Returns the policy that is in force; NotFound where there is no such book. It is read again once changed."""
        with self.store.read() as session:
            held = self._policies.get(tables.book(session, id).policy_hash)
            if held is None:
                held = Policy.of(tables.policy(session, id)[1])
                self._policies = {held.hash: held}
        return held

    def act(self, id: str) -> Act:
        """Returns an act; NotFound where there is none."""
        with self.store.read() as session:
            found = tables.act(session, id)
        if found is None:
            raise NotFound(f"act was {id!r}, which does not exist", hint="see `mercato kit journal`")
        return found

    def afforded(self, intent: Intent, decision: Decision) -> Decision:
        """Returns a decision as `reserve` would take it now: refused where a budget would be exceeded."""
        if decision.verdict is not Verdict.ALLOW:
            return decision
        with self.store.read() as session:
            over = self._over(session, intent.book, decision, self.clock.now())
        return _refused(decision, over) if over else decision

    def reserve(
        self, intent: Intent, plan: Body, effects: Effects, decision: Decision, *, floor: int, count: int
    ) -> Act:
        """Writes an allowed act down and takes its budgets and its places; it may be signed from now on.

        Denied where a budget would be exceeded, by one unit even; Frozen; Taken where the policy changed since the
        decision, or the intent was acted on already. A denial is journaled too.
        """
        with self.store.transaction() as tx:
            found = self._opening(tx, intent, decision)
            pen = Pen(tx, found.book, self.clock.now())
            over = self._over(tx, intent.book, decision, pen.at)
            state = _step(found.act, Arrow.RESERVED)
            pen.told(intent, plan, effects, decision)
            act = Act(intent, state, effects, decision, owner=self.owner, due=pen.at + self.lease)
            if not over:
                places = tables.take_places(tx, act, found, floor, count)
                act = replace(act, places=places)
                (tables.put_act if found.act else tables.add_act)(tx, act)
                tables.reserve(tx, act, decision.reserves, pen.at)
                pen.write(act.id, Arrow.RESERVED, {"reserves": _reserves(decision), "places": list(places)})
            else:
                pen.write(intent.id, Arrow.DECIDED, decision_body(_refused(decision, over)))
            pen.close()
        if over:
            raise Denied(over, hint="wait, or let the operator change the budget", rule=decision.rule)
        return act

    def ask(self, intent: Intent, plan: Body, effects: Effects, decision: Decision) -> Act:
        """Puts an act into the queue of those that somebody has to approve."""
        with self.store.transaction() as tx:
            found = self._opening(tx, intent, decision)
            pen = Pen(tx, found.book, self.clock.now())
            act = Act(intent, _step(found.act, Arrow.ASKED), effects, decision)
            tables.add_act(tx, act)
            pen.told(intent, plan, effects, decision)
            pen.write(act.id, Arrow.ASKED, {"approvers": list(decision.approvers)})
            pen.close()
        return act

    def refuse(self, intent: Intent, plan: Body, effects: Effects | None, decision: Decision) -> None:
        """Writes down that an intent was denied, and why."""
        with self.store.transaction() as tx:
            pen = Pen(tx, tables.book(tx, intent.book, lock=True), self.clock.now())
            pen.told(intent, plan, effects, decision)
            pen.close()

    def answer(self, act: Act, by: str, *, yes: bool, account: str = "") -> Act:
        """Approves or rejects an act that waits; Denied where `by` is none of its approvers.

        `account` is the one that proved to be them, where one did.
        """
        if by not in act.decision.approvers:
            raise Denied(f"approver was {by!r:.80}", hint=f"may approve: {', '.join(act.decision.approvers)}")
        with self.store.transaction() as tx:
            pen = Pen(tx, tables.book(tx, act.intent.book, lock=True), self.clock.now())
            arrow = Arrow.APPROVED if yes else Arrow.REJECTED
            held = tables.act(tx, act.id)
            done = replace(act, state=_step(held, arrow))
            tables.put_act(tx, done)
            pen.write(act.id, arrow, {"by": by, **_proof(account)})
            pen.close()
        return done

    def sign(self, act: Act, signed: Sequence[Signed]) -> Act:
        """Keeps what was signed, before it is sent. Frozen where the kill switch is on by now; Taken as `settle`."""
        with self.store.transaction() as tx:
            pen = Pen(tx, _thawed(tables.book(tx, act.intent.book, lock=True)), self.clock.now())
            due = pen.at + self.lease
            done = replace(act, signed=tuple(signed), due=due)
            done = self._moved(tx, done, Arrow.SIGNED)
            pen.write(act.id, Arrow.SIGNED, {"transactions": [item.hash for item in signed]})
            pen.close()
        return done

    def sent(self, act: Act, transaction: str) -> None:
        """Writes down that a transaction was handed to the chain."""
        with self.store.transaction() as tx:
            pen = Pen(tx, tables.book(tx, act.intent.book, lock=True), self.clock.now())
            pen.write(act.id, Arrow.SENT, {"transaction": transaction})
            pen.close()

    def settle(
        self, act: Act, effects: Effects, spent: Sequence[Reserve], outcome: Body, used: Sequence[int],
        sent: Sequence[str] = (),
    ) -> Act:  # fmt: skip
        """Books what an act really did; what it had reserved beyond that is free again. `sent` are transactions whose
        sending was not journaled yet.

        Taken where another process goes on with the act.
        """
        with self.store.transaction() as tx:
            pen = Pen(tx, tables.book(tx, act.intent.book, lock=True), self.clock.now())
            done = self._moved(tx, replace(act, effects=effects, owner="", due=None), Arrow.SETTLED)
            if tuple(spent) != act.decision.reserves:
                moment = tables.drop_reserves(tx, act.id) or pen.at
                tables.reserve(tx, done, spent, moment)
            if set(used) != set(act.places):
                tables.drop_places(tx, act.id, used)
            for transaction in sent:
                pen.write(act.id, Arrow.SENT, {"transaction": transaction})
            pen.write(act.id, Arrow.CONFIRMED, outcome)
            pen.write(
                act.id, Arrow.SETTLED, {"effects": effects.body(), "reserves": [reserve_body(item) for item in spent]}
            )
            pen.close()
        return done

    def release(self, act: Act, why: str) -> Act:
        """Gives back what an act had reserved: nothing of it came, or will come, into a block. Taken as `settle`."""
        with self.store.transaction() as tx:
            pen = Pen(tx, tables.book(tx, act.intent.book, lock=True), self.clock.now())
            done = self._moved(tx, replace(act, owner="", due=None), Arrow.RELEASED)
            tables.drop_reserves(tx, act.id)
            tables.drop_places(tx, act.id)
            pen.write(act.id, Arrow.RELEASED, {"why": why})
            pen.close()
        return done

    def claim(self, book: str) -> list[Act]:
        """Takes over the open acts of a book whose process let its lease run out, most likely because it died."""
        with self.store.transaction() as tx:
            now = self.clock.now()
            tables.book(tx, book, lock=True)
            found = [act for act in tables.acts_in(tx, book, tables.OPEN) if act.due is None or act.due <= now]
            ours = [replace(act, owner=self.owner, due=now + self.lease) for act in found]
            for act in ours:
                tables.put_act(tx, act)
        return ours

    def freeze(self, book: str, by: str, why: str = "", *, on: bool = True, account: str = "") -> None:
        """Turns the kill switch on or off: nothing is reserved, signed or sent while it is on. `account` as in
        `answer`."""
        with self.store.transaction(urgent=True) as tx:
            pen = Pen(tx, tables.book(tx, book, lock=True), self.clock.now())
            if pen.book.frozen is not on:
                tables.set_frozen(tx, book, on)
                pen.write("", Arrow.FROZEN if on else Arrow.THAWED, {"by": by, "why": why, **_proof(account)})
            pen.close()

    def journal(self, book: str, after: int = 0, limit: int = 1_000, act: str = "") -> list[Entry]:
        """Returns entries of a book in their order; NotFound where there is no such book."""
        with self.store.read() as session:
            tables.book(session, book)
            return tables.journal(session, book, after, limit, act)

    def waiting(self, book: str) -> list[Act]:
        """Returns the acts that somebody has to approve, and those approved that were not acted on yet."""
        with self.store.read() as session:
            return tables.acts_in(session, book, [State.ASKED, State.AGREED])

    def _opening(self, tx: Transaction, intent: Intent, decision: Decision) -> tables.Opening:
        found = tables.opening(tx, intent)
        _thawed(found.book)
        if found.book.policy_hash != decision.policy:
            raise Taken("policy changed since the decision", hint="try the act again")
        if found.owner not in (None, intent.book):
            raise Denied(f"account {intent.account!r} belongs to the book {found.owner!r}", hint="one book holds each")
        return found

    def _over(self, session: Read, book: str, decision: Decision, at: datetime) -> str:
        """Returns which budget the act would exceed, "" where none."""
        for item in decision.reserves:
            since = None if item.seconds is None else at - timedelta(seconds=item.seconds)
            used = tables.reserved(session, book, item, since)
            if used + item.units > item.cap:
                left = max(item.cap - used, 0)
                return f"budget {item.budget!r} has {left} of {item.asset} left, the act needs {item.units}"
        return ""

    def _moved(self, tx: Transaction, act: Act, arrow: Arrow) -> Act:
        """Writes an act in the state to which an arrow leads; Taken where it is not where it was, or another's."""
        done = replace(act, state=_step(act, arrow))
        if not tables.move_act(tx, done, act.state, self.owner):
            raise Taken(f"act {act.id!r} is another process's by now, or further", hint="see its journal")
        return done


class Pen:
    """Writes a book's next entries, linked to those before; they are committed with the caller's transaction."""

    def __init__(self, tx: Transaction, book: Book, at: datetime) -> None:
        self.tx, self.book, self.at = tx, book, at
        self._made: list[Entry] = []

    def write(self, act: str, arrow: Arrow, body: Body) -> None:
        """Adds an entry."""
        last = self._made[-1] if self._made else None
        seq, previous = (last.seq + 1, last.hash) if last else (self.book.seq + 1, self.book.head)
        made = hashed(self.book.id, seq, self.at, act, arrow.value, body, previous)
        self._made.append(Entry(self.book.id, seq, self.at, act, arrow, body, previous, made))

    def told(self, intent: Intent, plan: Body, effects: Effects | None, decision: Decision) -> None:
        """Adds the entries that lead from an intent to what was decided."""
        self.write(intent.id, Arrow.INTENDED, intent_body(intent))
        if plan:
            self.write(intent.id, Arrow.PLANNED, plan)
        if effects is not None:
            self.write(intent.id, Arrow.REHEARSED, effects.body())
        self.write(intent.id, Arrow.DECIDED, decision_body(decision))

    def close(self) -> None:
        """Writes what was added; tells open pages of it, but not in the middle of an act, which goes on at once."""
        if self._made:
            tables.append(self.tx, self._made)
            if self._made[-1].arrow not in PASSING:
                emit(self.tx, JournalGrew(time=self.at))


def _step(act: Act | None, arrow: Arrow) -> State:
    state = act.state if act else None
    if (state, arrow) not in STEPS:
        found = f"act {act.id!r} is {act.state.value}" if act else "there is no such act"
        raise Taken(f"{found}, it cannot be {arrow.value}", hint="an intent is acted on once; see the journal")
    return STEPS[state, arrow]


def _thawed(book: Book) -> Book:
    if book.frozen:
        raise Frozen(f"book {book.id!r} is frozen", hint="somebody turned the kill switch on; see the journal")
    return book


def _refused(decision: Decision, why: str) -> Decision:
    return replace(decision, verdict=Verdict.DENY, why=why)


def _proof(account: str) -> dict[str, Json]:
    return {"account": account} if account else {}


def _reserves(decision: Decision) -> list[Json]:
    return [reserve_body(item) for item in decision.reserves]
