"""The clerk: reserves, settles and releases all the requests that wait together in one transaction.

Every decision reads what it depends on under a lock, in the transaction that acts on it, so that the limits hold to
the micro-dollar however many clerks work at once. What is kept in memory in between is what `memory` can vouch for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar
from uuid import uuid4

from mercato.compute.books import sheet
from mercato.compute.books.memory import Memory
from mercato.compute.books.pen import Pen
from mercato.compute.books.receipts import START, Signer
from mercato.compute.books.turn import Answer, Ask, Draw, Release, Turn
from mercato.compute.books.words import Hold, Lost, State, micros
from mercato.compute.model import RequestId
from mercato.core.clock import Clock
from mercato.core.errors import Conflict
from mercato.store.bare import Bare

LEASE = timedelta(seconds=30)
#: Requests in one transaction. Each number of rows is a statement of its own, which a connection keeps: with 64 they
#: took 13 MB of a worker's 60.
TOGETHER = 16
TRIES = 6
PAUSE_MS = 5
T = TypeVar("T")


class Clerk:
    """Writes to one lane of the log by one connection; one thread uses it at a time.

    Its lease says that it lives: when it is over, others may release what is open in its lane (`abandon`).
    """

    def __init__(self, url: str, clock: Clock, signer: Signer, *, lease: timedelta = LEASE, fee_bps: int = 0) -> None:
        self.bare, self.clock, self.signer, self.lease, self.fee_bps = Bare(url), clock, signer, lease, fee_bps
        self.lane, self.seq, self.head = "", 0, START
        self._after = self.seq, self.head
        self._lease_us, self._memory = lease // timedelta(microseconds=1), Memory()
        self._tidied = 0
        #: Says of a receipt, by its hash, whether its answer is audited although nobody asked for it.
        self.draw: Draw = lambda receipt: False
        #: Scopes whose kill switch was on at the last transaction, so that open streams can be cut.
        self.stopped: frozenset[str] = frozenset()

    def open(self) -> None:
        """Begins a lane of its own."""
        lane = f"lane-{uuid4().hex}"
        due = micros(self.clock.now() + self.lease)
        self._again(lambda: sheet.open_lane(self.bare, lane, START, due))
        self.lane, self.seq, self.head = lane, 0, START

    def close(self) -> None:
        """Closes its lane, so that what is still open in it may be released at once, and the connection."""
        if self.lane:
            self._again(lambda: sheet.close_lane(self.bare, self.lane))
        self.bare.close()

    def book(self, asks: Sequence[Ask]) -> list[Answer]:
        """Does what was asked in one transaction; returns an answer, or what went wrong, for each.

        What cannot be done together is done one by one, so that no request fails by another's fault.
        """
        try:
            self.bare.hasten(False)
            answers = self._again(lambda: self._book(asks))
        except Exception as error:  # whatever it is, whoever asked has to learn of it
            if self._reopened():
                return self.book(asks)
            if len(asks) > 1:
                return [self.book([ask])[0] for ask in asks]
            return [self._twice(asks[0], error)]
        self._memory.keep()
        return answers

    def at_once(self, asks: Sequence[Ask]) -> list[Answer] | None:
        """Does what was asked if that takes no waiting; None, with nothing done, where `book` has to do it.

        A turn on SQLite takes less time than handing it to a thread and back, unless another process is writing.
        """
        if self.bare.dialect != "sqlite":
            return None
        try:
            self.bare.hasten(True)
            with self.bare.transaction():
                answers = self._book(asks)
        except Exception:  # whatever it is, `book` meets it too, and tells
            return None
        self.seq, self.head = self._after
        self._memory.keep()
        return answers

    def abandon(self) -> int:
        """Releases what dead workers left open, once their lease is over; returns how many requests."""

        def find() -> list[RequestId]:
            sheet.close_lanes(self.bare, micros(self.clock.now()))
            return sheet.abandoned(self.bare, TOGETHER)

        released = 0
        while not self.idle():
            found = self._again(find)
            answers = self.book([Release(id, "its worker died") for id in found]) if found else []
            done = sum(answer is None for answer in answers)
            if not done:
                break  # others release them, too
            released += done
        return released

    def tidy(self) -> bool:
        """Lets SQLite bring commits to its main file, by a connection of its own, so that no request waits for it;
        returns whether there were any. The next commit may begin SQLite's log anew, and waits for the disk then."""
        if self.seq == self._tidied:
            return False
        self._tidied = self.seq
        with Bare(self.bare.url) as other:
            other.checkpoint()
        return True

    def idle(self) -> bool:
        """Returns whether nobody's open requests are left by a dead worker, and no lane's lease is over."""
        with self.bare.read():
            return not sheet.overdue(self.bare, micros(self.clock.now()))

    def _book(self, asks: Sequence[Ask]) -> list[Answer]:
        """One transaction's work, within it."""
        now = self.clock.now()
        us = micros(now)
        pen = Pen(self.bare, self.lane, self.seq, self.head, now, self.signer)
        turn = Turn(pen, us, self.fee_bps, self.draw, self._memory)
        answers = turn.take(asks)
        opened = turn.opened.pop(self.lane, 0)
        if turn.opened:
            sheet.ended(self.bare, {lane: -count for lane, count in sorted(turn.opened.items())})
        if not sheet.advance(self.bare, self.lane, self.seq, pen.seq, pen.head, us + self._lease_us, opened):
            raise Lost(f"lane {self.lane!r} is closed", hint="its lease was over; a new one is begun")
        self.stopped = turn.stopped
        self._after = pen.seq, pen.head
        return answers

    def _again(self, work: Callable[[], T]) -> T:
        """Runs a transaction, and again where the database asks for it; remembers the lane's end once it committed."""
        for attempt in range(TRIES):
            self._after = self.seq, self.head
            try:
                with self.bare.transaction():
                    done = work()
            except Exception as error:
                if not self.bare.again(error) or attempt == TRIES - 1:
                    raise
                time.sleep(PAUSE_MS * 2**attempt / 1000)
                self._resume()
            else:
                self.seq, self.head = self._after
                return done
        raise AssertionError("the last try returned or raised")

    def _resume(self) -> None:
        """Reads where the lane ends: a commit may have come through although its answer did not."""
        with self.bare.read():
            if self.lane and (found := sheet.lane(self.bare, self.lane)):
                self.seq, self.head, _ = found

    def _reopened(self) -> bool:
        """Begins a new lane where others closed the old one, or learns where it really ends; False for neither."""
        found = None
        with suppress(Exception), self.bare.read():  # the database may be away: what went wrong first is what is told
            found = sheet.lane(self.bare, self.lane)
        if found is None:
            return False
        if found[2]:
            self.open()
            return True
        known, (self.seq, self.head) = (self.seq, self.head), found[:2]
        return known != (self.seq, self.head)

    def _twice(self, ask: Ask, error: Exception) -> Answer:
        """Returns the answer to a reserve that was written already, by a commit whose answer did not come through."""
        if isinstance(ask, Hold):
            found = None
            with suppress(Exception), self.bare.read():  # as above
                found = sheet.request(self.bare, ask.request)
            if found and (found.key, found.need, found.state) == (ask.key, ask.need_hash, State.OPEN.value):
                return None
            if found:
                return Conflict(f"request {ask.request!r} exists already", hint="each request has an id of its own")
        return error
