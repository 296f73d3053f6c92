"""The façade on the wire: JSON-RPC over HTTP and over WebSocket, both at `/`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Generic, Protocol, TypeVar

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from mercato.chains.facade.doorkeeper import Doorkeeper
from mercato.chains.facade.limits import Limits

LOOK_SECONDS = 0.1  # how often subscribers hear of blocks that were not made through the façade
POLICY, LATER = 1008, 1013
log = logging.getLogger("mercato.chains")
GRANTS = {
    "access-control-allow-methods": "POST, OPTIONS",
    "access-control-allow-headers": "content-type",
    "access-control-max-age": "600",
}


class Conversation(Protocol):
    """One WebSocket connection's requests and subscriptions."""

    def answer(self, text: str) -> None:
        """Answers one text, by what the connection sends with."""


Talk = TypeVar("Talk", bound=Conversation)


class Gate(Protocol[Talk]):
    """What answers requests, whatever chain stands behind it; from any thread."""

    limits: Limits

    @property
    def heard(self) -> bool:
        """Returns whether anybody subscribed to anything."""

    def answer(self, text: bytes) -> str | None:
        """Returns the answer to a text that came over HTTP."""

    def open(self, send: Callable[[str], None]) -> Talk | None:
        """Returns a conversation whose messages go to `send`; None where there are as many as there may be."""

    def close(self, session: Talk) -> None:
        """Forgets a conversation."""

    def look(self) -> None:
        """Tells subscribers what happened at the tip."""


class Web(Generic[Talk]):
    """The handlers of one gateway."""

    def __init__(self, gateway: Gate[Talk], doorkeeper: Doorkeeper) -> None:
        self._gateway, self._doorkeeper = gateway, doorkeeper

    def application(self) -> Starlette:
        """Returns the ASGI application."""
        routes = [Route("/", self.post, methods=["POST", "OPTIONS"]), WebSocketRoute("/", self.socket)]
        return Starlette(routes=routes, lifespan=self._watching)

    async def post(self, request: Request) -> Response:
        """Answers one request over HTTP, and a browser's question whether it may ask."""
        if objection := self._doorkeeper.objection(request.headers):
            return PlainTextResponse(objection, 403)
        origin = request.headers.get("origin")
        headers = {"access-control-allow-origin": origin, "vary": "origin"} if origin else {}
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={**headers, **GRANTS})
        # Pages may send plain text anywhere without asking first, so only JSON is taken.
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return PlainTextResponse("content type is not application/json", 415, headers=headers)
        body = await self._body(request)
        if body is None:
            return PlainTextResponse(f"body is longer than {self._gateway.limits.body} bytes", 413, headers=headers)
        text = await run_in_threadpool(self._gateway.answer, body)
        return Response(text or "", media_type="application/json", headers=headers)

    async def socket(self, socket: WebSocket) -> None:
        """Answers the requests of one connection and sends what it subscribes to."""
        if self._doorkeeper.objection(socket.headers):
            await socket.close(POLICY)  # before it was accepted, which the client sees as HTTP 403
            return
        outbox: asyncio.Queue[str | None] = asyncio.Queue()
        session = self._gateway.open(self._sender(outbox))
        if session is None:
            await socket.close(LATER)
            return
        await socket.accept()
        both = {asyncio.create_task(_answer(socket, session)), asyncio.create_task(self._send(socket, outbox))}
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._gateway.close(session)
            for task in both:
                task.cancel()
        for result in await asyncio.gather(*both, return_exceptions=True):
            if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect | RuntimeError):
                log.warning("a socket of the façade failed", exc_info=result)

    async def _send(self, socket: WebSocket, outbox: asyncio.Queue[str | None]) -> None:
        """Sends what is put into the outbox, until the client takes nothing for too long, or too much waits for it."""
        with suppress(TimeoutError):
            while (text := await outbox.get()) is not None:
                async with asyncio.timeout(self._gateway.limits.stall_seconds):
                    await socket.send_text(text)
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await socket.close(POLICY, "too slow")

    def _sender(self, outbox: asyncio.Queue[str | None]) -> Callable[[str], None]:
        """Returns what puts a message of any thread into an outbox; one that waits for too many is ended."""
        loop, most = asyncio.get_running_loop(), self._gateway.limits.waiting

        def put(text: str) -> None:
            outbox.put_nowait(text if outbox.qsize() < most else None)

        return lambda text: _soon(loop, put, text)

    async def _body(self, request: Request) -> bytes | None:
        parts, size = [], 0
        with suppress(ClientDisconnect):
            async for part in request.stream():
                size += len(part)
                if size > self._gateway.limits.body:
                    return None
                parts.append(part)
        return b"".join(parts)

    @asynccontextmanager
    async def _watching(self, application: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watching.cancel()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._gateway.heard:
                await run_in_threadpool(self._gateway.look)


async def _answer(socket: WebSocket, session: Conversation) -> None:
    """Answers what a client sends until it goes."""
    while (message := await socket.receive())["type"] != "websocket.disconnect":
        text = message.get("text")
        given = text if isinstance(text, str) else bytes(message.get("bytes") or b"").decode(errors="replace")
        await run_in_threadpool(session.answer, given)


def _soon(loop: asyncio.AbstractEventLoop, put: Callable[[str], None], text: str) -> None:
    with suppress(RuntimeError):  # the loop has ended, and with it the connection
        loop.call_soon_threadsafe(put, text)
