"""The desk: reserves and settles for an asyncio process. What waits together is committed together.

    async with Desk(Clerk(url, clock, signer)) as desk:
        again = await desk.reserve(hold)        # durable before anything is sent; Short, Busy, Forbidden
        receipt = await desk.settle(hold.request, served=served)      # durable before the last bytes are delivered

On SQLite the loop does this itself, at the end of its turn: a commit takes less than handing it to a thread and back,
and the two would only take the interpreter from each other. Where that could keep the loop waiting, for another
process that writes, for a disk, or for a database beyond a network, one thread does it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Any, TypeVar

from mercato.compute.books import sheet
from mercato.compute.books.clerk import TOGETHER, Clerk
from mercato.compute.books.keys import Key, Ring, found
from mercato.compute.books.turn import Answer, Ask, Beat, Release, Settle, earlier, read
from mercato.compute.books.words import Hold, Lost, Replay, Served
from mercato.compute.model import Attempt, Receipt, RequestId
from mercato.store.bare import Bare

TIDY_SECONDS = 1
#: Seconds of a commit that is slow, and how many times as long the thread does them then: slow ones keep the loop
#: waiting for a twentieth of its time at most.
SLOW, ASIDE = 0.01, 20
T = TypeVar("T")
log = logging.getLogger("mercato.compute.books")
_Waiting = tuple[Ask, "asyncio.Future[Answer]"]


class Desk:
    """One for each worker of the gateway; used within its own event loop. Cancelling a call undoes a reserve, and
    leaves a settle to happen."""

    def __init__(self, clerk: Clerk) -> None:
        self.clerk = clerk
        #: Hears how many asks are committed together.
        self.batched: Callable[[int], None] = lambda count: None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mercato-books")
        self._waiting: list[_Waiting] = []
        self._busy = False
        self._live: set[RequestId] = set()  # requests that are reserved, or about to be
        self._owed: list[RequestId] = []
        self._reader = Bare(clerk.bare.url)
        self._lent = 0
        self._aside = 0.0  # until then, by the loop's clock, the thread does what is asked
        self._renewed = False  # whether the next commit may wait for the disk
        self._ring = Ring()

    async def __aenter__(self) -> Desk:
        self._loop = asyncio.get_running_loop()
        await self._lend(self.clerk.open)
        await self._lend(self.clerk.abandon)  # crash-only: a start clears up
        self._tending = (self._loop.create_task(self._beat()), self._loop.create_task(self._tidy()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tending:
            task.cancel()
        while self._busy or self._waiting:
            with suppress(Exception):  # the database may be away: whoever asked was told
                await asyncio.shield(self._ask(Beat()))
        await self._lend(self.clerk.close)
        self._reader.close()
        self._thread.shutdown()

    @property
    def lane(self) -> str:
        """Returns the lane to which receipts of this worker belong; it is another one after a lost lease."""
        return self.clerk.lane

    @property
    def stopped(self) -> frozenset[str]:
        """Returns the scopes whose kill switch is on, as of the last transaction: `platform`, `account:…`, `key:…`."""
        return self.clerk.stopped

    async def reserve(self, hold: Hold) -> Replay | None:
        """Reserves what a request may cost. Returns what was answered before under the same idempotency key, if so.

        Short (402) with `left` where the balance or a limit of the key does not cover it; Busy (409) while an equal
        one is served, or where the idempotency key was another body's; Forbidden (403) where the key is over or the
        kill switch is on.
        """
        self._live.add(hold.request)
        held = False
        try:
            done = self._alone(hold)
            answer = done[0] if done else await self._reserve(hold)
            if isinstance(answer, Exception):
                raise answer
            assert answer is None or isinstance(answer, Replay), answer
            held = answer is None
            return answer
        finally:
            if not held:
                self._live.discard(hold.request)

    async def settle(self, request: RequestId, *, served: Served) -> Receipt:
        """Charges what a request came to and gives back the rest; the receipt is signed. Twice gives the same receipt.

        Lost where the request was released meanwhile: it costs nothing then.
        """
        answer = await self._end(Settle(request, served))
        assert isinstance(answer, Receipt), answer
        return answer

    async def release(self, request: RequestId, why: str, attempts: Sequence[Attempt] = ()) -> None:
        """Gives back all that a request had reserved: nothing was delivered. Lost where it is not open."""
        await self._end(Release(request, why, tuple(attempts)))

    async def receipt(self, request: str) -> Receipt | None:
        """Returns a request's receipt; None where there is none."""
        return await self._look(read, request)

    async def earlier(self, hold: Hold) -> Replay | None:
        """Returns what was answered before to the same body with the same idempotency key; nothing is reserved."""
        return await self._lend(earlier, self.clerk.bare, hold)

    async def attempts(self, request: str) -> list[dict[str, Any]]:
        """Returns whom a request was sent to, and how that ended; nothing before it is over."""
        return await self._look(sheet.attempts, request)

    async def key(self, secret: str) -> Key | None:
        """Returns the key of a secret text as it was a second ago at most; None for none. Whether it `holds`, and what
        it is for, is for the caller to see."""
        fresh, key = self._ring.get(secret)
        if not fresh:
            key = await self._look(found, secret)
            self._ring.put(secret, key)
        return key

    async def _look(self, work: Callable[[Bare, str], T], asked: str) -> T:
        """Reads something: on SQLite at once, by a connection of its own, as nobody who writes keeps a reader waiting;
        elsewhere, and where that failed, in the thread."""
        if self.clerk.bare.dialect == "sqlite":
            with suppress(Exception):  # whatever it was, the thread meets it too, and tells
                self._reader.hasten(True)
                return work(self._reader, asked)
        return await self._lend(work, self.clerk.bare, asked)

    def _lend(self, work: Callable[..., T], *given: object) -> asyncio.Future[T]:
        """Runs something in the thread; until it is done the loop leaves the connection alone."""

        def patiently() -> T:
            self.clerk.bare.hasten(False)
            return work(*given)

        self._lent += 1
        done = self._loop.run_in_executor(self._thread, patiently)
        done.add_done_callback(self._returned)
        return asyncio.shield(done)

    def _returned(self, done: object) -> None:
        self._lent -= 1

    async def _reserve(self, hold: Hold) -> Answer:
        waiting = self._ask(hold)
        try:
            return await waiting
        except asyncio.CancelledError:
            if not waiting.cancelled():  # else its turn is to come, or under way, and `_tell` undoes it
                self._undo(hold, waiting.exception() or waiting.result())
            raise

    async def _end(self, ask: Settle | Release) -> Answer:
        done = self._alone(ask)
        self._live.discard(ask.request)
        answer = done[0] if done else await self._ask(ask)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _alone(self, ask: Ask) -> list[Answer] | None:
        """Does what is asked before the loop goes on where no other request is under way that could wait with it: two
        ways through the loop would take a tenth of a turn. None, with nothing done, elsewhere."""
        if self._busy or self._renewed or len(self._live) > 1:
            return None
        done = self._at_once([ask])
        if done:
            self.batched(1)
        return done

    def _ask(self, ask: Ask) -> asyncio.Future[Answer]:
        waiting: asyncio.Future[Answer] = self._loop.create_future()
        self._waiting.append((ask, waiting))
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._hand)
        return waiting

    def _hand(self) -> None:
        """Does what waits, or hands it to the thread; what comes meanwhile waits for the next turn."""
        batch, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
        self._busy = bool(batch)
        if not batch:
            return
        self.batched(len(batch))
        answers = self._at_once([ask for ask, _ in batch])
        if answers is None:
            self._thread.submit(self._work, batch)
            return
        self._tell(batch, answers)
        self._busy = bool(self._waiting)
        if self._busy:
            self._loop.call_soon(self._hand)  # after whatever else the loop has to do

    def _at_once(self, asks: list[Ask]) -> list[Answer] | None:
        """Does what is asked in the loop; None, with nothing done, where that would keep it waiting."""
        began = self._loop.time()
        if self._lent or self._renewed or began < self._aside:
            self._renewed = False
            return None
        answers = self.clerk.at_once(asks)
        ended = self._loop.time()
        if ended - began > SLOW:
            self._aside = ended + ASIDE * (ended - began)
        return answers

    def _work(self, batch: list[_Waiting]) -> None:
        try:
            answers: list[Answer] = self.clerk.book([ask for ask, _ in batch])
        except Exception as error:  # the database may be away; whoever asked learns of it
            answers = [error] * len(batch)
        self._loop.call_soon_threadsafe(self._told, batch, answers)

    def _told(self, batch: list[_Waiting], answers: list[Answer]) -> None:
        self._tell(batch, answers)
        self._hand()

    def _tell(self, batch: list[_Waiting], answers: list[Answer]) -> None:
        for (ask, waiting), answer in zip(batch, answers, strict=True):
            failed = isinstance(answer, Exception)
            if failed and isinstance(ask, Settle | Release) and not isinstance(answer, Lost):
                self._owed.append(ask.request)
            if waiting.cancelled():  # who asked has gone
                if isinstance(ask, Hold):
                    self._undo(ask, answer)
            elif isinstance(answer, Exception):
                waiting.set_exception(answer)
                waiting.exception()  # read here, as who asked may have gone
            else:
                waiting.set_result(answer)

    def _undo(self, hold: Hold, answer: Answer | BaseException) -> None:
        """Releases a reserve that nobody waits for any more."""
        if answer is None:
            self._ask(Release(hold.request, "its client left before it was sent"))

    async def _beat(self) -> None:
        """Renews the lease, and releases what workers left open that did not renew theirs, and what could not be ended
        while the database was away."""
        while True:
            await asyncio.sleep(self.clerk.lease / timedelta(seconds=3))
            try:
                await asyncio.shield(self._ask(Beat()))
                await self._lend(self.clerk.abandon)
                owed, self._owed = self._owed, []
                for request in owed:  # its client was told that it failed: it costs nothing
                    self._ask(Release(request, "books were away when it was over"))
            except Exception:  # the database may be away for a while; the lease may be over then, and nothing else
                log.exception("lease of %s could not be renewed", self.lane)

    async def _tidy(self) -> None:
        """Does beside the requests what a commit would else do now and then."""
        while True:
            await asyncio.sleep(TIDY_SECONDS)
            try:
                self._renewed |= await asyncio.to_thread(self.clerk.tidy)
            except Exception:  # what is not tidied now is tidied later
                log.exception("database could not be tidied")
