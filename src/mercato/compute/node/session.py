"""The node's end of one tunnel: takes frames in, runs an errand for each stream, and sends frames back."""

from __future__ import annotations

import asyncio

from mercato.compute.errors import Unreached
from mercato.compute.node.flow import Inbox, Purse
from mercato.compute.node.frames import MOST_STREAM, PIECE, Ask, Head, Kind, asked, credit, frame, granted, head, read
from mercato.compute.node.serving import GIVEN, Refusal, Serving, Visit, outgoing
from mercato.compute.node.wire import Gone, Wire
from mercato.core.errors import InvalidInput

BODY = 60.0  # seconds for a request's body to come
STALLED = 60.0  # seconds that a gateway may leave an answer unread
LONGEST = 7_200.0  # seconds for a whole request, whatever the gateway would allow
LOOK = 120.0  # seconds for what proves a machine
MOST_ERRANDS = 4_096


class Errand:
    """One stream: the request's body as it comes, and the credit for its answer."""

    def __init__(self, number: int, ask: Ask, wire: Wire, serving: Serving) -> None:
        self.number, self.ask = number, ask
        self.inbox, self.purse = Inbox(), Purse()
        self._wire, self._serving = wire, serving
        self._began = False

    async def run(self) -> None:
        """Does the work and sends the answer. A connection that breaks ends it without a word."""
        try:
            await self._work()
        except Refusal as no:
            await self._refuse(no)
        except Unreached as lost:
            await self._fail(lost.why)
        except TimeoutError:
            await self._fail("total")

    async def _work(self) -> None:
        serving = self._serving
        serving.admit(self.ask)
        if not self.ask.length:
            async with asyncio.timeout(min(LOOK, self.ask.wait / 1000)):
                await self._show(serving.shown(self.ask.path))
            return
        serving.bodies += self.ask.length
        try:
            body = await self._collect()
            offer = await serving.offer(body)
            serving.begin()
        finally:
            serving.bodies -= self.ask.length
        visit = Visit(self.ask.headers.get("x-request-id", "")[:100], offer, asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(min(LONGEST, self.ask.wait / 1000)):
                await self._visit(visit, body)
        except TimeoutError:
            visit.end = "timeout"
            raise Unreached("total") from None
        except asyncio.CancelledError:
            visit.end = "client-gone"
            raise
        finally:
            serving.ended(visit)

    async def _collect(self) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout(BODY):
                while (piece := await self.inbox.take()) is not None:
                    body += piece
                    if len(body) > self.ask.length:
                        break
                    if given := self.inbox.owed():
                        await self._wire.send(credit(self.number, given))
        except TimeoutError:
            raise Refusal(408, "timeout", f"the request did not come within {BODY:.0f} s") from None
        if len(body) != self.ask.length:
            raise Refusal(400, "invalid_request", "the request was not as long as announced")
        return bytes(body)

    async def _show(self, path: str) -> None:
        """Passes on what proves the upstream's machine: no request of anybody's, so no cap counts it."""
        async with self._serving.upstream.sent(path, b"", {"accept": "application/json"}) as found:
            if 300 <= found.status < 400 or found.headers.get("content-encoding", "identity") != "identity":
                raise Unreached("protocol")
            await self._head(found.status, {"content-type": "application/json"})
            async for piece in found.content.iter_any():
                await self._pour(piece)
            await self._wire.send(frame(Kind.END, self.number))

    async def _visit(self, visit: Visit, body: bytes) -> None:
        async with self._serving.upstream.sent(self.ask.path, body, outgoing(self.ask)) as found:
            if 300 <= found.status < 400 or found.headers.get("content-encoding", "identity") != "identity":
                raise Unreached("protocol")
            visit.status = found.status
            given = {name: found.headers[name][:1000] for name in GIVEN if name in found.headers}
            await self._head(found.status, given)
            async for piece in found.content.iter_any():
                visit.passed(piece)
                await self._pour(piece)
            visit.end = "done"
            await self._wire.send(frame(Kind.END, self.number))

    async def _head(self, status: int, headers: dict[str, str]) -> None:
        self._began = True
        await self._wire.send(head(self.number, Head(status, headers)))

    async def _pour(self, piece: bytes) -> None:
        sent = 0
        while sent < len(piece):
            try:
                async with asyncio.timeout(STALLED):
                    part = await self.purse.spend(min(PIECE, len(piece) - sent))
            except TimeoutError:
                raise Unreached("idle", "gateway did not read") from None
            await self._wire.send(frame(Kind.DATA, self.number, piece[sent : sent + part]))
            sent += part

    async def _refuse(self, no: Refusal) -> None:
        self._serving.say("refused", status=no.status, code=no.code)
        await self._head(no.status, {"content-type": "application/json"})
        await self._wire.send(frame(Kind.DATA, self.number, no.body()))
        await self._wire.send(frame(Kind.END, self.number))

    async def _fail(self, word: str) -> None:
        self._serving.say("failed", why=word)
        await self._wire.send(frame(Kind.ERROR, self.number, word.encode()))


class Session:
    """The errands of one connection."""

    def __init__(self, wire: Wire, serving: Serving) -> None:
        self._wire, self._serving = wire, serving
        self._errands: dict[int, tuple[Errand, asyncio.Task[None]]] = {}
        self._last = 0

    @property
    def underway(self) -> int:
        """How many errands are not done."""
        return len(self._errands)

    def serve(self, message: bytes) -> None:
        """Takes a frame from the gateway in; InvalidInput where no honest gateway sends such a one."""
        kind, number, payload = read(message)
        if kind is Kind.OPEN:
            self._open(number, asked(payload))
            return
        if not 0 < number <= self._last:
            raise InvalidInput(f"frame was of stream {number}", hint=f"{self._last} is the last one opened")
        if number not in self._errands:
            return  # was under way when the errand ended
        errand, task = self._errands[number]
        if kind is Kind.DATA:
            errand.inbox.put(payload)
        elif kind is Kind.END:
            errand.inbox.end()
        elif kind is Kind.CANCEL:
            task.cancel()
        elif kind is Kind.CREDIT:
            errand.purse.add(granted(payload))
        else:
            raise InvalidInput(f"frame was {kind.name}", hint="a node sends those, and gets none")

    def _open(self, number: int, ask: Ask) -> None:
        if not self._last < number <= MOST_STREAM:
            raise InvalidInput(f"stream was {number}", hint=f"expected one above {self._last}")
        if len(self._errands) >= MOST_ERRANDS:
            raise InvalidInput(f"streams were {len(self._errands)} at once", hint=f"at most {MOST_ERRANDS}")
        self._last = number
        errand = Errand(number, ask, self._wire, self._serving)
        task = asyncio.create_task(errand.run())
        self._errands[number] = (errand, task)
        task.add_done_callback(lambda done: self._done(number, done))

    def _done(self, number: int, task: asyncio.Task[None]) -> None:
        del self._errands[number]
        failed = None if task.cancelled() else task.exception()
        if failed is not None and not isinstance(failed, Gone):
            self._serving.say("errand failed", error=type(failed).__name__)  # its text may hold a prompt

    async def finish(self, seconds: float) -> None:
        """Waits until all errands are done, at most that long; then gives the others up."""
        tasks = [task for _, task in self._errands.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
