"""The client of one request, as ASGI shows it: its body, whether it has left, and what is sent to it.

A client that leaves, or that does not take what it is sent, ends the work on its request wherever that waits in
`waiting`. Work outside of it, such as settling, is never interrupted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any

from mercato.compute.errors import Declined, Unserved

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]
#: Larger bodies count, and are read in a thread.
LARGE_OCTETS = 256 * 1024
BEAT = b": keep-alive\n\n"


class Left(Exception):
    """The client is not there any more."""


class Halted(Left):
    """The client is there, but somebody turned on a kill switch that stands over its request."""


class Room:
    """Octets of bodies that one worker holds for requests under way; small bodies are not counted."""

    def __init__(self, most: int) -> None:
        self.most, self.held = most, 0

    def take(self, octets: int) -> None:
        """Takes in more; Unserved, with 429, where there is no room left."""
        if self.held + octets > self.most:
            raise Unserved(
                f"gateway held {self.held} octets of requests", hint="try again soon", status=429,
                code="rate_limit_exceeded", after=1,
            )  # fmt: skip
        self.held += octets


class Client:
    """One client. `started` tells whether a status has been sent; `scopes` are the kill switches that stand over it."""

    def __init__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._heads: Headers = scope["headers"]
        extensions = scope.get("extensions") or {}
        self._abort: Callable[[], None] | None = extensions.get("mercato.abort")
        self._losing: set[Callable[[], None]] | None = extensions.get("mercato.losing")
        self._hold: Callable[[], None] = extensions.get("mercato.hold") or (lambda: None)
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._watch: asyncio.Task[None] | None = None
        self._armed = self._halted = False
        self.scopes: frozenset[str] = frozenset()
        self._sending = 0.0
        self._promised: Headers | None = None
        self._last = self._loop.time()
        self.started = self._gone = self._read = self._called = False
        #: Octets that it takes of its worker's room.
        self.taken = 0

    async def body(self, most: int, seconds: float, room: Room) -> bytes:
        """Returns the whole body; Declined with 413 where it is larger than `most` octets, 408 where it takes longer
        than `seconds`. Unserved where there is no room for it, Left where the client went away before its end."""
        parts: list[bytes] = []
        size, more = 0, True
        self._called = True
        try:
            async with asyncio.timeout(seconds):
                while more:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        raise Left
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    more = message.get("more_body", False)
                    self._read = not more
                    if size > most:
                        raise too_large(size, most)
                    if size > LARGE_OCTETS:
                        room.take(size - self.taken)
                        self.taken = size
        except TimeoutError:
            raise Declined(
                f"body took more than {seconds:g} seconds", hint="send it faster", status=408, code="request_timeout"
            ) from None
        if size > LARGE_OCTETS:  # copying it takes a while too
            return await asyncio.to_thread(b"".join, parts)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def drain(self, most: int, seconds: float) -> bool:
        """Reads and forgets a body that nobody wants; returns whether some of it is left unread. A client that waits
        for leave to send one is not given it."""
        size, more = 0, not self._read
        if not self._called and any(name == b"expect" for name, _ in self._heads):
            return True
        try:
            async with asyncio.timeout(seconds):
                while more and size <= most:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        raise Left
                    size += len(message.get("body", b""))
                    more = message.get("more_body", False)
        except TimeoutError:
            return True
        return more

    def left(self) -> bool:
        """Whether the client has left, or is not to be served any more."""
        return self._gone

    def halt(self) -> None:
        """Ends the work on the request, for a kill switch; what is said to the client may still be sent."""
        if not self._gone:
            self._halted = True
            self._leave()

    def resume(self) -> None:
        """Lets a client whose work was halted be told so."""
        if self._halted:
            self._gone = False

    def watch(self) -> None:
        """Begins to notice that the client leaves; to be called once the body is read."""
        if self._losing is not None:  # our own server tells it; others are asked
            self._losing.add(self._leave)
        else:
            self._watch = self._loop.create_task(self._until_left())

    def unwatch(self) -> None:
        """Stops to notice it."""
        if self._losing is not None:
            self._losing.discard(self._leave)
        if self._watch:
            self._watch.cancel()
            self._watch = None

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Work that ends with Left as soon as the client has left."""
        if self.left():
            raise Halted if self._halted else Left
        self._armed = True
        try:
            yield
        except asyncio.CancelledError:
            if not self.left() or self._task is None:
                raise
            self._task.uncancel()
            raise (Halted if self._halted else Left) from None
        finally:
            self._armed = False

    async def start(self, status: int, headers: Headers) -> None:
        """Sends status and headers, with the first of the body where that follows at once."""
        self.started = True
        self._hold()
        await self._sent({"type": "http.response.start", "status": status, "headers": list(headers)})

    async def write(self, data: bytes, *, more: bool = True) -> None:
        """Sends a part of the body, with `more` to follow or not."""
        await self._sent({"type": "http.response.body", "body": data, "more_body": more})

    def promise(self, headers: Headers) -> None:
        """Lets `tend` begin an event stream with these headers, where its first word keeps the client waiting."""
        self._promised = headers

    def tend(self, now: float, beat: float, patience: float) -> Awaitable[None] | None:
        """Is called about every second: drops a client that takes nothing for `patience` seconds, and returns a sign
        of life to send where nothing was sent for `beat` seconds while an event stream is open, or is promised."""
        if self._sending:
            if now - self._sending > patience:
                self.drop()
            return None
        if not self._armed or now - self._last < beat:
            return None
        if self.started:
            return self.write(BEAT)
        return None if self._promised is None else self._open(self._promised)

    async def _open(self, headers: Headers) -> None:
        await self.start(200, headers)
        await self.write(BEAT)

    def drop(self) -> None:
        """Ends the connection at once, whatever is still to be sent."""
        if self._abort:
            self._abort()
        self._leave()

    async def _sent(self, message: Message) -> None:
        self._sending = self._loop.time()
        try:
            await self._send(message)
        finally:
            self._last, self._sending = self._loop.time(), 0.0

    async def _until_left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._leave()

    def _leave(self) -> None:
        if not self._gone:
            self._gone = True
            if self._armed and self._task:
                self._task.cancel()


def too_large(size: int, most: int) -> Declined:
    """Returns what to raise for a body of more than `most` octets."""
    return Declined(
        f"body was {size} octets or more", hint=f"send at most {most}", status=413, code="request_too_large"
    )
