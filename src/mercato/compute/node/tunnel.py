"""The gateway's end of one tunnel: many requests at once over the connection that a node dialled.

It is a `Line`: whoever carries a request does not see whether a provider is reached by HTTP or has dialled in.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

from mercato.compute.errors import Unreached
from mercato.compute.gateway.line import Patience
from mercato.compute.node.flow import Inbox, Purse
from mercato.compute.node.frames import (
    MOST_STREAM,
    PIECE,
    Ask,
    Head,
    Kind,
    ask,
    credit,
    frame,
    granted,
    headed,
    read,
)
from mercato.compute.node.wire import Gone, Wire
from mercato.core.errors import InvalidInput

WORDS = frozenset({"connect", "tls", "first-byte", "idle", "total", "reset", "size", "protocol"})


class Stream:
    """One request under way: the answer's head, its pieces, and the credit for the request's body."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.head: asyncio.Future[Head] = asyncio.get_running_loop().create_future()
        self.inbox = Inbox()
        self.purse = Purse()
        self.over = False

    def begin(self, found: Head) -> None:
        """Takes the head in; InvalidInput for a second one."""
        if self.head.cancelled():
            return  # whoever waited for it has just given up
        if self.head.done():
            raise InvalidInput(f"stream {self.number} had a second head", hint="one for each stream")
        self.head.set_result(found)

    def end(self, failed: Unreached | None = None) -> None:
        """Says that nothing more comes from the node."""
        self.over = True
        if not self.head.done():
            self.head.set_exception(failed or Unreached("protocol", "node ended a stream without a head"))
            self.head.exception()  # whoever waited may be gone: nobody has to ask
        self.inbox.end(failed)


class TunnelReply:
    """An answer that comes through a tunnel."""

    def __init__(self, tunnel: Tunnel, stream: Stream, head: Head, patience: Patience, until: float) -> None:
        self._tunnel, self._stream, self._patience, self._until = tunnel, stream, patience, until
        self.status, self.headers = head.status, head.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yields the body as it comes, none of them empty; Unreached where it breaks off or takes too long."""
        while True:
            piece = await self._next()
            if piece is None:
                return
            yield piece
            if given := self._stream.inbox.owed():
                await self._tunnel.post(credit(self._stream.number, given))

    async def _next(self) -> bytes | None:
        idle = asyncio.get_running_loop().time() + self._patience.idle
        try:
            async with asyncio.timeout_at(min(idle, self._until)):
                return await self._stream.inbox.take()
        except TimeoutError:
            raise Unreached("idle" if idle < self._until else "total") from None

    async def close(self) -> None:
        """Lets the stream go; where the answer is not over, the node is told to stop."""
        await self._tunnel.leave(self._stream)


class Tunnel:
    """The requests of one connection. `serve` takes one frame in; `open` sends a request."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._streams: dict[int, Stream] = {}
        self._last = 0
        self._gone = False

    @property
    def underway(self) -> int:
        """How many requests wait for the end of their answer."""
        return len(self._streams)

    async def open(self, path: str, body: bytes, headers: Mapping[str, str], *, deadline: Patience) -> TunnelReply:
        """Sends a request and returns its reply; Unreached where none came."""
        if self._gone or self._last == MOST_STREAM:
            raise Unreached("connect", "node's tunnel is closed")
        self._last += 1
        stream = self._streams[self._last] = Stream(self._last)
        loop = asyncio.get_running_loop()
        until = loop.time() + deadline.total
        sending: asyncio.Task[None] | None = None
        try:
            async with asyncio.timeout_at(min(until, loop.time() + deadline.first)):
                wanted = Ask(path, headers, max(1, int(deadline.total * 1000)), len(body))
                await self.post(ask(stream.number, wanted))
                sending = asyncio.create_task(self._pour(stream, body))
                return TunnelReply(self, stream, await stream.head, deadline, until)
        except TimeoutError:
            await self.leave(stream)
            raise Unreached("first-byte") from None
        except BaseException:
            await self.leave(stream)
            raise
        finally:
            if sending is not None:
                sending.cancel()  # where the node answers already, it does not want the rest of the body

    async def _pour(self, stream: Stream, body: bytes) -> None:
        sent = 0
        try:
            while sent < len(body):
                part = await stream.purse.spend(min(PIECE, len(body) - sent))
                await self.post(frame(Kind.DATA, stream.number, body[sent : sent + part]))
                sent += part
            await self.post(frame(Kind.END, stream.number))
        except Unreached as lost:
            stream.end(lost)

    async def post(self, message: bytes) -> None:
        """Sends a frame; Unreached where the connection is over."""
        try:
            await self._wire.send(message)
        except Gone:
            self.lose("reset")
            raise Unreached("reset", "node's tunnel broke off") from None

    async def leave(self, stream: Stream) -> None:
        """Forgets a stream; where its answer is not over, the node is told to stop."""
        if self._streams.pop(stream.number, None) and not stream.over and not self._gone:
            stream.end(Unreached("reset", "request was given up"))
            try:
                await self.post(frame(Kind.CANCEL, stream.number))
            except Unreached:
                return

    def serve(self, message: bytes) -> None:
        """Takes a frame from the node in; InvalidInput where no honest node sends such a one."""
        kind, number, payload = read(message)
        if not 0 < number <= self._last:
            raise InvalidInput(f"frame was of stream {number}", hint=f"{self._last} is the last one opened")
        stream = self._streams.get(number)
        if stream is None or stream.over:
            return  # was under way when we let go
        if kind is Kind.DATA and stream.head.done():
            if payload:
                stream.inbox.put(payload)
        elif kind is Kind.HEAD:
            stream.begin(headed(payload))
        elif kind is Kind.END and stream.head.done():
            stream.end()
        elif kind is Kind.ERROR:
            word = payload[:32].decode("ascii", "replace")
            stream.end(Unreached(word if word in WORDS else "protocol"))
        elif kind is Kind.CREDIT:
            stream.purse.add(granted(payload))
        else:
            raise InvalidInput(f"frame was {kind.name} in stream {number}", hint="not at this point of a stream")

    def lose(self, why: str) -> None:
        """Ends every stream, because the connection is over."""
        self._gone = True
        for stream in self._streams.values():
            stream.end(Unreached(why, "node's tunnel broke off"))
        self._streams.clear()

    async def close(self) -> None:
        """Ends the connection and every stream in it."""
        self.lose("reset")
        await self._wire.close(1001, "gateway closes")
