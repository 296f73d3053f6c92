"""`/live?topic=...`: the WebSocket of a page. One per page, because browsers allow six HTTP/1.1 connections a host."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from mercato.api.hub import Hub, HubFull, Message, Subscription
from mercato.api.origin import welcome
from mercato.core.errors import InvalidInput

log = structlog.get_logger("mercato.live")
POLICY, LATER, GOING = 1008, 1013, 1001


class Live:
    """Serves the hub to browsers: checks the origin, sends a heartbeat, ends when either side is gone."""

    def __init__(self, hub: Hub, *, heartbeat: float = 20.0, origins: Sequence[str] = ()) -> None:
        self.hub = hub
        self.heartbeat = heartbeat
        self.origins = frozenset(origins)

    async def endpoint(self, socket: WebSocket) -> None:
        """Answers one WebSocket."""
        if not welcome(socket.headers, self.origins):
            log.warning("origin refused", origin=socket.headers.get("origin"))
            await socket.close(POLICY, "origin not allowed")
            return
        try:
            topics = socket.query_params.getlist("topic")
            subscription = self.hub.subscribe(topics, socket.query_params.get("since", ""))
        except (InvalidInput, HubFull) as error:
            await socket.accept()
            await socket.close(LATER if isinstance(error, HubFull) else POLICY, error.message[:100])
            return
        await socket.accept()
        try:
            await self._serve(socket, subscription)
        finally:
            self.hub.drop(subscription)

    async def _serve(self, socket: WebSocket, subscription: Subscription) -> None:
        """Sends until the other side goes; what it sends is read and thrown away."""
        sender = asyncio.create_task(self._send(socket, subscription))
        reader = asyncio.create_task(_drain(socket))
        done, waiting = await asyncio.wait({sender, reader}, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        for result in await asyncio.gather(*done, *waiting, return_exceptions=True):
            if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect | RuntimeError):
                log.warning("live connection failed", error=repr(result))

    async def _send(self, socket: WebSocket, subscription: Subscription) -> None:
        await socket.send_text(Message("hello").encode(self.hub.cursor))
        while True:
            text = await subscription.next(self.heartbeat)
            await socket.send_text(text or Message("beat").encode(self.hub.cursor))


async def _drain(socket: WebSocket) -> None:
    """Reads until the client goes; anything above a few bytes a time is refused by the server's own limit."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
