"""The books: budgets reserved before anything is signed, settled or given back afterwards, and the journal of it all.

Each verb is one transaction that holds its book's row: entries are linked, budgets counted and places taken one after
the other, however many processes act at once. What was not committed here was never signed, and never sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from mercato.core.clock import Clock
from mercato.core.errors import InvalidInput, NotFound
from mercato.core.events import Json
from mercato.kit import budgets, sheet
from mercato.kit.acts import (
    STEPS,
    Act,
    Arrow,
    Book,
    Entry,
    Signed,
    State,
    decision_body,
    reserve_body,
)
from mercato.kit.errors import Denied, Frozen, Taken
from mercato.kit.model import ActId, Decision, Effects, Intent, Reserve, Verdict, canonical
from mercato.kit.pen import Body, Pen
from mercato.kit.policy import Policy
from mercato.store import Store
from mercato.store.bare import Bare

LEASE = timedelta(minutes=2)
NAME = 60
OPEN = (State.RESERVED, State.SIGNED)
WAITING = (State.ASKED, State.AGREED)


class Ledger:
    """The books in a store. Each process has its own: acts that it works on are held in its name for `lease`."""

    def __init__(self, store: Store, clock: Clock, *, lease: timedelta = LEASE) -> None:
        self.store, self.clock, self.lease = store, clock, lease
        self.owner = uuid4().hex
        self._policies: dict[str, Policy] = {}
        self._sums = budgets.Memory()

    def open(self, book: str, policy: Policy, by: str) -> Book:
        """Opens a book where there is none, and puts a policy in force."""
        if not 0 < len(book) <= NAME or not book.isprintable():
            raise InvalidInput(f"book was {book!r:.80}", hint=f"expected a name of at most {NAME} letters")
        with self.store.bare() as bare:
            fresh = sheet.add_book(bare, book)
            pen = self._pen(bare, sheet.Opening(sheet.book(bare, book, lock=True)))
            if fresh:
                pen.write("", Arrow.OPENED, {"by": by})
            if pen.book.policy_hash != policy.hash:
                pen.write("", Arrow.RULED, {"by": by, "hash": policy.hash, "policy": dict(policy.source)})
                sheet.set_policy(bare, book, policy.source, policy.hash)
            pen.close()
            return sheet.book(bare, book)

    def book(self, id: str) -> Book:
        """Returns a book; NotFound where there is none."""
        with self.store.bare_read() as bare:
            return sheet.book(bare, id)

    def policy(self, id: str) -> Policy:
        """Returns the policy that is in force; NotFound where there is no such book. It is read again once changed."""
        with self.store.bare_read() as bare:
            held = self._policies.get(sheet.book(bare, id).policy_hash)
            if held is None:
                held = Policy.of(sheet.policy(bare, id))
                self._policies = {held.hash: held}
        return held

    def act(self, id: str) -> Act:
        """Returns an act; NotFound where there is none."""
        with self.store.bare_read() as bare:
            found = sheet.act(bare, id)
        if found is None:
            raise NotFound(f"act was {id!r}, which does not exist", hint="see `mercato kit journal`")
        return found

    def afforded(self, intent: Intent, decision: Decision) -> Decision:
        """Returns a decision as `reserve` would take it now: refused where a budget would be exceeded."""
        if decision.verdict is not Verdict.ALLOW:
            return decision
        with self.store.bare_read() as bare:
            over = budgets.over(bare, intent.book, decision.reserves, self.clock.now(), {})
        return _refused(decision, over) if over else decision

    def reserve(
        self, intent: Intent, plan: Body, effects: Effects, decision: Decision, *, floor: int, count: int
    ) -> Act:
        """Writes an allowed act down and takes its budgets and its places; it may be signed from now on.

        Denied where a budget would be exceeded, by one unit even; Frozen; Taken where the policy changed since the
        decision, or the intent was acted on already. A denial is journaled too.
        """
        with self._opened(intent, decision) as pen:
            over = budgets.over(pen.bare, intent.book, decision.reserves, pen.at, pen.sums)
            state = _step(intent.id, pen.found.state, Arrow.RESERVED)
            texts = pen.told(intent, plan, effects, decision)
            act = Act(intent, state, effects, decision, owner=self.owner, due=pen.at + self.lease)
            if not over:
                act = replace(act, places=sheet.take_places(pen.bare, intent, pen.found, floor, count))
                sheet.put_act(pen.bare, act, texts)
                sheet.reserve(pen.bare, act, decision.reserves, pen.at)
                budgets.added(pen.sums, decision.reserves, pen.at)
                pen.write(act.id, Arrow.RESERVED, {"reserves": _reserves(decision), "places": list(act.places)})
            else:
                pen.write(intent.id, Arrow.DECIDED, decision_body(_refused(decision, over)))
        if over:
            raise Denied(over, hint="wait, or let the operator change the budget", rule=decision.rule)
        return act

    def ask(self, intent: Intent, plan: Body, effects: Effects, decision: Decision) -> Act:
        """Puts an act into the queue of those that somebody has to approve."""
        with self._opened(intent, decision) as pen:
            act = Act(intent, _step(intent.id, pen.found.state, Arrow.ASKED), effects, decision)
            sheet.put_act(pen.bare, act, pen.told(intent, plan, effects, decision))
            pen.write(act.id, Arrow.ASKED, {"approvers": list(decision.approvers)})
        return act

    def refuse(self, intent: Intent, plan: Body, effects: Effects | None, decision: Decision) -> None:
        """Writes down that an intent was denied, and why."""
        with self._held(intent.book) as pen:
            pen.told(intent, plan, effects, decision)

    def answer(self, act: Act, by: str, *, yes: bool, account: str = "") -> Act:
        """Approves or rejects an act that waits; Denied where `by` is none of its approvers.

        `account` is the one that proved to be them, where one did.
        """
        if by not in act.decision.approvers:
            raise Denied(f"approver was {by!r:.80}", hint=f"may approve: {', '.join(act.decision.approvers)}")
        arrow = Arrow.APPROVED if yes else Arrow.REJECTED
        with self._held(act.intent.book) as pen:
            found = sheet.act(pen.bare, act.id)
            done = replace(act, state=_step(act.id, found.state if found else None, arrow))
            self._move(pen, done, found.state if found else act.state, by="")
            pen.write(act.id, arrow, {"by": by, **_proof(account)})
        return done

    def sign(self, act: Act, signed: Sequence[Signed]) -> Act:
        """Keeps what was signed, before it is sent. Frozen where the kill switch is on by now; Taken as `settle`."""
        with self._held(act.intent.book) as pen:
            _thawed(pen.book)
            state = _step(act.id, act.state, Arrow.SIGNED)
            done = replace(act, state=state, signed=tuple(signed), due=pen.at + self.lease)
            self._move(pen, done, act.state, signed=True)
            pen.write(act.id, Arrow.SIGNED, {"transactions": [item.hash for item in signed]})
        return done

    def sent(self, act: Act, transaction: str) -> None:
        """Writes down that a transaction was handed to the chain."""
        with self._held(act.intent.book) as pen:
            pen.write(act.id, Arrow.SENT, {"transaction": transaction})

    def settle(
        self, act: Act, effects: Effects, spent: Sequence[Reserve], outcome: Body, used: Sequence[int],
        sent: Sequence[str] = (),
    ) -> Act:  # fmt: skip
        """Books what an act really did; what it had reserved beyond that is free again. `sent` are transactions whose
        sending was not journaled yet.

        Taken where another process goes on with the act.
        """
        body = effects.body()
        with self._held(act.intent.book) as pen:
            state = _step(act.id, act.state, Arrow.SETTLED)
            done = replace(act, state=state, effects=effects, owner="", due=None)
            self._move(pen, done, act.state, effects=canonical(body))
            _rebook(pen, act, tuple(spent))
            sheet.drop_places(pen.bare, act.id, [place for place in act.places if place not in used])
            for transaction in sent:
                pen.write(act.id, Arrow.SENT, {"transaction": transaction})
            pen.write(act.id, Arrow.CONFIRMED, outcome)
            pen.write(act.id, Arrow.SETTLED, {"effects": body, "reserves": [reserve_body(item) for item in spent]})
        return done

    def release(self, act: Act, why: str) -> Act:
        """Gives back what an act had reserved: nothing of it came, or will come, into a block. Taken as `settle`."""
        with self._held(act.intent.book) as pen:
            done = replace(act, state=_step(act.id, act.state, Arrow.RELEASED), owner="", due=None)
            self._move(pen, done, act.state)
            _rebook(pen, act, ())
            sheet.drop_places(pen.bare, act.id, act.places)
            pen.write(act.id, Arrow.RELEASED, {"why": why})
        return done

    def claim(self, book: str) -> list[Act]:
        """Takes over the open acts of a book whose process let its lease run out, most likely because it died."""
        with self._held(book) as pen:
            found = sheet.acts_in(pen.bare, book, OPEN)
            lost = [act for act in found if act.due is None or act.due <= pen.at]
            ours = [replace(act, owner=self.owner, due=pen.at + self.lease) for act in lost]
            for act, mine in zip(lost, ours, strict=True):
                self._move(pen, mine, act.state, by=act.owner)
        return ours

    def freeze(self, book: str, by: str, why: str = "", *, on: bool = True, account: str = "") -> None:
        """Turns the kill switch on or off: nothing is reserved, signed or sent while it is on. `account` as in
        `answer`."""
        with self._held(book, urgent=True) as pen:
            if pen.book.frozen is not on:
                sheet.set_frozen(pen.bare, book, on)
                pen.write("", Arrow.FROZEN if on else Arrow.THAWED, {"by": by, "why": why, **_proof(account)})

    def journal(self, book: str, after: int = 0, limit: int = 1_000, act: str = "") -> list[Entry]:
        """Returns entries of a book in their order; NotFound where there is no such book."""
        with self.store.bare_read() as bare:
            sheet.book(bare, book)
            return sheet.journal(bare, book, after, limit, act)

    def acts(self, book: str, states: Sequence[State], limit: int = 1_000) -> list[Act]:
        """Returns the acts of a book in these states, oldest first."""
        with self.store.bare_read() as bare:
            return sheet.acts_in(bare, book, states, limit)

    def waiting(self, book: str) -> list[Act]:
        """Returns the acts that somebody has to approve, and those approved that were not acted on yet."""
        return self.acts(book, WAITING)

    @contextmanager
    def _held(self, book: str, *, urgent: bool = False) -> Iterator[Pen]:
        """Opens the transaction of a verb: the book is held, and its entries are written at the end of the block."""
        with self.store.bare(urgent=urgent) as bare:
            pen = self._pen(bare, sheet.Opening(sheet.book(bare, book, lock=True)))
            yield pen
            pen.close()
        self._sums.keep(book, pen.head, pen.sums)

    @contextmanager
    def _opened(self, intent: Intent, decision: Decision) -> Iterator[Pen]:
        """Opens the transaction that writes an intent down, if the decision still holds."""
        with self.store.bare() as bare:
            found = sheet.opening(bare, intent)
            _thawed(found.book)
            if found.book.policy_hash != decision.policy:
                raise Taken("policy changed since the decision", hint="try the act again")
            if found.owner not in (None, intent.book):
                raise Denied(
                    f"account {intent.account!r} belongs to the book {found.owner!r}", hint="one book holds each"
                )
            pen = self._pen(bare, found)
            yield pen
            pen.close()
        self._sums.keep(intent.book, pen.head, pen.sums)

    def _pen(self, bare: Bare, found: sheet.Opening) -> Pen:
        return Pen(bare, found, self.clock.now(), self._sums.recall(found.book.id, found.book.head))

    def _move(
        self, pen: Pen, act: Act, before: State, *, by: str | None = None, signed: bool = False,
        effects: str | None = None,
    ) -> None:  # fmt: skip
        """Writes what an act is by now; Taken where it is not where it was, or another's than `by`, None: ours."""
        owner = self.owner if by is None else by
        if not sheet.move_act(pen.bare, act, before, owner, signed=signed, effects=effects):
            raise Taken(f"act {act.id!r} is another process's by now, or further", hint="see its journal")


def _rebook(pen: Pen, act: Act, spent: tuple[Reserve, ...]) -> None:
    """Books what an act took of its budgets in the place of what it had reserved, from the moment of the reserve on."""
    if spent == act.decision.reserves:
        return
    moment = sheet.drop_reserves(pen.bare, act.id) or pen.at
    sheet.reserve(pen.bare, act, spent, moment)
    budgets.added(pen.sums, act.decision.reserves, moment, -1)
    budgets.added(pen.sums, spent, moment)


def _step(act: ActId, state: State | None, arrow: Arrow) -> State:
    if (state, arrow) not in STEPS:
        found = f"act {act!r} is {state.value}" if state else "there is no such act"
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
