"""How a worker listens: requests read by httptools under limits of time and size, and drained when it ends.

uvicorn waits for a request's head without a limit of its own when httptools reads it; here a head has a few seconds and
a number of octets, whether a connection is new or kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mercato.compute.starting import BACKLOG

IDLE_SECONDS = 75
WS_OCTETS = 160 * 1024  # a frame of the tunnel, with room
#: A wish for HTTP/2, with which some clients begin; the reader of heads would take what follows it for that.
_H2C = re.compile(rb"\r\nupgrade:[ \t]*h2c[ \t]*(?=\r\n|\Z)", re.IGNORECASE)


class Joined:
    """A transport that can send the head of an answer with the first of its body: each write is a call of the system,
    and wakes who reads."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._holding, self._held = False, b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def hold(self) -> None:
        """Lets the next write wait for the one after it, until the end of the loop's turn at most."""
        self._holding = True

    def write(self, data: bytes) -> None:
        """Sends bytes, after those that wait."""
        if self._holding:
            self._holding, self._held = False, data
            self._loop.call_soon(self._release)
        else:
            held, self._held = self._held, b""
            self._transport.write(held + data if held else data)

    def close(self) -> None:
        """Ends the connection once everything is sent."""
        self._release()
        self._transport.close()

    def _release(self) -> None:
        if self._held:
            self.write(b"")


class Guarded(HttpToolsProtocol):
    """Closes connections whose head takes too long or is too large; lets the application end one at once, and have the
    next head go out with the first of its body."""

    head_octets: ClassVar[int] = 32 * 1024
    head_seconds: ClassVar[float] = 10.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn's own
        """Starts the time of the first head."""
        self._joined = Joined(transport, self.loop)
        super().connection_made(cast("asyncio.Transport", self._joined))
        self._head = 0
        self._losing: set[Callable[[], None]] = set()
        self._reading = True
        self._timer: asyncio.TimerHandle | None = self.loop.call_later(self.head_seconds, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the time, and tells those whom its requests were for."""
        self._stop()
        super().connection_lost(exc)
        for leave in list(self._losing):
            leave()

    def data_received(self, data: bytes) -> None:
        """Counts octets that are neither a complete head nor a body: what follows a body's last piece is as small."""
        if b"h2c" in data and not self._within():  # ignored, as any upgrade may be (RFC 9110, section 7.8)
            head, end, rest = data.partition(b"\r\n\r\n")
            data = _H2C.sub(b"", head) + end + rest
        self._head += len(data)
        super().data_received(data)
        if not (self._reading or self._within()) or self.transport.is_closing():
            return
        if self._head > self.head_octets:
            self._answer(431, b"Request Header Fields Too Large")
        elif self._reading and self._timer is None:  # most heads are there at once
            self._timer = self.loop.call_later(self.head_seconds, self._late)

    def on_message_begin(self) -> None:
        """A head begins: it has its time from now on, or from when the connection was made."""
        super().on_message_begin()
        offered: dict[str, Any] = {
            "mercato.abort": self.transport.abort, "mercato.losing": self._losing, "mercato.hold": self._joined.hold,
        }  # fmt: skip
        self.scope["extensions"] = offered
        if not self._reading:
            self._reading, self._head = True, 0

    def on_headers_complete(self) -> None:
        """The head is complete: what follows is the application's to limit."""
        self._stop()
        self._reading = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Takes in a piece of a body."""
        self._head = 0
        super().on_body(body)

    def on_chunk_header(self) -> None:
        """A piece of a body of unknown length begins: headers after it are dropped, as who stands between looks at
        heads only."""
        self.headers = _Dropped()

    def _within(self) -> bool:
        """Whether a head was read, and of what follows it something is still to come."""
        return self.cycle is not None and self.cycle.more_body

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        if self._reading and not self.transport.is_closing():
            self._answer(408, b"Request Timeout")

    def _answer(self, status: int, reason: bytes) -> None:
        self._reading = False
        line = b"HTTP/1.1 %d %s\r\nconnection: close\r\ncontent-length: 0\r\n\r\n" % (status, reason)
        self.transport.write(line)
        self.transport.close()


class _Dropped(list[tuple[bytes, bytes]]):
    """Headers that nobody is told of."""

    def append(self, header: tuple[bytes, bytes]) -> None:
        """Forgets one."""


class Server(uvicorn.Server):
    """Calls `ready` with itself once it listens. With `signals` off, ending it is for someone else."""

    def __init__(self, config: uvicorn.Config, *, ready: Callable[[Server], None] | None = None, signals: bool = True):
        super().__init__(config)
        self._ready, self._signals = ready, signals

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """Listens, then says so."""
        await super().startup(sockets=sockets)
        if self._ready and not self.should_exit:
            self._ready(self)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Takes signals only where it is the one to do so."""
        if self._signals:
            with super().capture_signals():
                yield
        else:
            yield


def config(app: Any, *, head: int, seconds: float, requests: int, drain: int = 30) -> uvicorn.Config:
    """Returns how a worker serves: no access log, as prompts and keys are nobody's; `drain` seconds to end."""
    protocol = type("Limited", (Guarded,), {"head_octets": head, "head_seconds": seconds})
    return uvicorn.Config(
        app, http=protocol, log_config=None, access_log=False, server_header=False, date_header=False,
        proxy_headers=False, lifespan="off", backlog=BACKLOG, timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=drain, limit_concurrency=requests * 2 + 100,
        ws=_tunnelled,  # type: ignore[arg-type]  # is only called, as a class would be
        ws_max_size=WS_OCTETS, ws_per_message_deflate=False,
        ws_ping_interval=None,  # the tunnel asks by itself, in both directions
    )  # fmt: skip


def _tunnelled(**given: Any) -> asyncio.Protocol:
    """Returns what serves a WebSocket: the first waits 20 ms longer, and a gateway without nodes is a megabyte less."""
    from mercato.compute.gateway.tunnelled import Tunnelled

    return Tunnelled(**given)
