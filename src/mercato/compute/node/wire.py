"""One WebSocket as both ends of the tunnel use it: the gateway has it from ASGI, the node from a client library.

said = await wire.receive(20)      str is control, bytes is a frame; Gone at the end of the connection
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Protocol

from mercato.compute.node.frames import MOST_CONTROL, MOST_MESSAGE
from mercato.compute.node.wording import parsed, text
from mercato.core.errors import InvalidInput
from mercato.core.events import Json

LEAVE = "mercato.leave"  # an ASGI message of our own, by which a server says that it ends
SENDING = 20.0  # seconds that one message may take to leave: a peer that stopped reading is as good as gone
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Gone(Exception):
    """The connection is over; `code` is the WebSocket's, `why` its reason, as the other end gave them."""

    def __init__(self, code: int = 1006, why: str = "") -> None:
        super().__init__(f"{code} {why}".strip())
        self.code, self.why = code, why


class Leaving(Gone):
    """The server behind the connection ends soon, and waits until it is closed."""


class Wire(Protocol):
    """A WebSocket that is open."""

    async def send(self, message: str | bytes) -> None:
        """Sends a message; Gone where the other end is, or does not read."""
        ...

    async def receive(self) -> str | bytes:
        """Returns the next message; Gone at the end."""
        ...

    async def close(self, code: int, why: str) -> None:
        """Closes the connection; nothing happens where it is over already."""
        ...


class AsgiWire:
    """The gateway's end, within an ASGI server."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._over = False

    async def accept(self, protocol: str) -> None:
        """Accepts the connection that the other end asks for; Gone where it left meanwhile."""
        first = await self._receive()
        if first["type"] != "websocket.connect":
            raise Gone
        await self._out({"type": "websocket.accept", "subprotocol": protocol})

    async def send(self, message: str | bytes) -> None:
        """Sends a message; Gone where the other end is, or does not read."""
        part = "text" if isinstance(message, str) else "bytes"
        await self._out({"type": "websocket.send", part: message})

    async def receive(self) -> str | bytes:
        """Returns the next message; Gone at the end."""
        message = await self._receive()
        if message["type"] == LEAVE:
            raise Leaving
        if message["type"] != "websocket.receive":
            self._over = True
            raise Gone(message.get("code") or 1006, str(message.get("reason") or ""))
        said = message.get("bytes")
        found: str | bytes = message["text"] if said is None else said
        if len(found) > MOST_MESSAGE:
            raise InvalidInput(f"message had {len(found)} octets", hint=f"at most {MOST_MESSAGE}")
        return found

    async def close(self, code: int, why: str) -> None:
        """Closes the connection; nothing happens where it is over already."""
        if not self._over:
            try:
                await self._out({"type": "websocket.close", "code": code, "reason": why[:120]})
            except Gone:
                return
            finally:
                self._over = True

    async def _out(self, message: Message) -> None:
        if self._over:
            raise Gone
        try:
            async with asyncio.timeout(SENDING):
                await self._send(message)
        except (OSError, RuntimeError, TimeoutError):
            # OSError: uvicorn's word for a client that left. RuntimeError: it has closed before us.
            self._over = True
            raise Gone from None


async def tell(wire: Wire, kind: str, **facts: Json) -> None:
    """Sends a control message."""
    await wire.send(json.dumps({"type": kind, **facts}, separators=(",", ":")))


def heard(message: str | bytes, *kinds: str) -> dict[str, Json]:
    """Returns a control message; InvalidInput for a frame, text that is none, or one of no kind that is named."""
    if isinstance(message, bytes):
        raise InvalidInput("a frame came before the connection was agreed on", hint="authenticate first")
    body = parsed(message, most=MOST_CONTROL, what="control message")
    if text(body, "type", most=32, least=1) not in kinds:
        raise InvalidInput(f"control message was {body['type']!r}", hint=f"expected one of {', '.join(kinds)}")
    return body


def introduction(nonce: str, gateway: str) -> Mapping[str, Json]:
    """Returns what a node signs to show that it holds its key: for this connection, and for this gateway only."""
    return {"nonce": nonce, "gateway": gateway}
