"""One connection to a provider: a request goes out, its answer is read by httptools as it comes.

This is all of HTTP/1.1 that the gateway needs as a client. A library for every use costs a fifth of a request's time.
"""

from __future__ import annotations

import asyncio

import httptools

from mercato.compute.errors import Unreached

HEAD_OCTETS = 64 * 1024
#: Octets of an answer that wait to be taken before the other side has to wait, and of a request that go at once.
PIECE = 256 * 1024
#: Answers without a body, whatever their headers say.
EMPTY = frozenset({204, 304})
SIZES = frozenset({"content-length", "transfer-encoding"})


class Exchange(asyncio.Protocol):
    """One connection. `ask`, then `taken` until the answer is over; `free` says whether another may follow."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[None] | None = None
        self._open = self._writable = True
        self._asked = self._over = False
        self._keep = True
        self._unheard = False
        self.idle_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Is ready to ask."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # uvloop's is none by its class

    async def ask(self, head: bytes, body: bytes, first: float, until: float) -> None:
        """Sends a request; returns once `status` and `headers` of its answer are here. Unreached where that takes
        longer than `first` seconds, or no answer comes that can be read. The whole answer has time `until` a moment of
        the loop's clock."""
        self.status, self.headers = 0, dict[str, str]()
        self._idle, self._size, self._paused = 0, 0, False  # octets since the last of the body, and of it that wait
        self._chunks: list[bytes] = []
        self._error: Unreached | None = None
        self._asked, self._over, self._begun, self._sized = True, False, False, False
        self._until = until
        if not self._open:
            self._broke("connection was closed")
        elif len(body) <= PIECE:
            self._transport.write(head + body)
        else:
            await self._send(head, body, first)
        while not self._begun:
            await self._wait(first, "first-byte")

    async def taken(self, idle: float) -> bytes:
        """Returns what came of the body since, once there is something; nothing where it is over. Unreached where it
        broke off, or nothing came for `idle` seconds."""
        while not self._chunks:
            if self._over:
                return b""
            await self._wait(idle, "idle")
        found = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks, self._size = [], 0
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        return found

    @property
    def free(self) -> bool:
        """Whether the connection is there, and nothing of an answer is on its way."""
        return self._open and self._over and self._keep and not self._transport.is_closing()

    @property
    def stale(self) -> bool:
        """Whether the connection was kept from an earlier request, and ended before an octet of an answer to this one
        came: the other side closed it at that moment, most likely, and did not read the request."""
        return bool(self.idle_since) and self._unheard

    def done(self) -> None:
        """Forgets the answer: what comes from now on was not asked for."""
        self._asked = False
        if self._paused:
            self._transport.resume_reading()

    def abort(self) -> None:
        """Ends the connection at once, whatever is on its way."""
        self._open = False
        self._transport.abort()

    # What httptools and the loop tell.

    def on_message_begin(self) -> None:
        """Something begins; after an answer that is over there is nothing to come."""
        if self._over:
            raise ValueError("provider sent an answer that nobody asked for")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Takes in a header; of several of a name the last one counts, and none that comes after the body."""
        if not self._begun:
            self.headers[name.decode("latin-1").lower()] = value.decode("latin-1").strip()

    def on_headers_complete(self) -> None:
        """The head is over: of an answer, or of a word in between."""
        self.status = self._parser.get_status_code()
        if self.status == 101:
            raise ValueError("provider changed the protocol")
        self._begun = self.status >= 200
        self._sized = self.status in EMPTY or not SIZES.isdisjoint(self.headers)

    def on_body(self, data: bytes) -> None:
        """Takes in a piece of the body."""
        self._chunks.append(data)
        self._size, self._idle = self._size + len(data), 0
        if self._size > PIECE and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """The answer is over, unless it was a word in between, such as 100."""
        if self._begun:
            self._over = True
            self._keep = self._keep and self._parser.should_keep_alive()
        else:
            self.headers.clear()

    def data_received(self, data: bytes) -> None:
        """Reads what comes; ends a connection on which something comes that was not asked for."""
        if not self._asked or self._over:
            self._keep = False
            self.abort()
            return
        self._idle += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._keep = False
            if not self._over:  # what follows an answer that is over is not ours to judge
                why = "reset" if self._begun else "protocol"
                self._fail(Unreached(why, f"provider's answer was not readable: {_name(error.__context__ or error)}"))
        if self._idle > HEAD_OCTETS and not self._over:
            what = "nothing of its answer in" if self._begun else "a head of"
            self._fail(Unreached("protocol", f"provider sent {what} more than {HEAD_OCTETS} octets"))
        self._wake()

    def eof_received(self) -> bool:
        """The other side sends no more: the connection is of no use."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends an answer whose length was not told; breaks any other off."""
        self._open = False
        if self._asked and not self._over:
            if self._begun and not self._sized and exc is None:
                self._over = True
            else:
                self._broke(_name(exc) if exc else "connection was closed")
        self._wake()

    def pause_writing(self) -> None:
        """The other side does not take what it is sent."""
        self._writable = False

    def resume_writing(self) -> None:
        """It does again."""
        self._writable = True
        self._wake()

    async def _send(self, head: bytes, body: bytes, seconds: float) -> None:
        """Sends a large body piece by piece, so that others have their turn; stops where an answer comes before."""
        self._transport.write(head)
        for start in range(0, len(body), PIECE):
            self._transport.write(body[start : start + PIECE])
            await asyncio.sleep(0)
            while not self._writable and not self._begun:
                await self._wait(seconds, "first-byte")
            if self._begun or not self._open:
                self._keep = False
                return

    async def _wait(self, seconds: float, why: str) -> None:
        """Waits until something happens; raises what went wrong, in the end the time."""
        if self._error:
            raise self._error
        left = self._until - self._loop.time()
        late = why if seconds <= left else "total"
        timer = self._loop.call_later(max(0.0, min(seconds, left)), self._late, late)
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
            timer.cancel()
        if self._error and not self._chunks:
            raise self._error

    def _late(self, why: str) -> None:
        self._fail(Unreached(why, f"provider took too long: {why}"))

    def _broke(self, why: str) -> None:
        self._unheard = not (self._error or self._begun or self._idle)
        error = Unreached("reset", f"provider's answer broke off: {why}")
        self._fail(error if self._begun else Unreached("protocol", f"provider gave no answer: {why}"))

    def _fail(self, error: Unreached) -> None:
        self._error = self._error or error
        self._keep = False
        self.abort()
        self._wake()

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)


def _name(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error)[:120]}"
