"""A provider reached by HTTP: its name is resolved once for each connection, checked, and that very address is used.

Redirects are not followed, answers are not decompressed, and no header of a client is sent on. Proxies that the
environment names are not used: they would resolve names where we cannot check them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from urllib.parse import quote, urlsplit

from mercato.compute.errors import Unreached
from mercato.compute.gateway.connections import Connections, Place, placed, public, refuse_private
from mercato.compute.gateway.exchange import Exchange
from mercato.compute.gateway.line import Patience
from mercato.core.secret import Secret

IDENTITY = {"accept-encoding": "identity", "user-agent": "mercato-gateway"}
_PATH = "/%:@!$&'()*+,;=~-._"


class HttpReply:
    """An answer that comes over HTTP."""

    def __init__(self, connections: Connections, place: Place, exchange: Exchange, idle: float, most: int) -> None:
        self._connections, self._place, self._exchange = connections, place, exchange
        self._idle, self._most, self._closed = idle, most, False
        self.status = exchange.status
        self.headers: Mapping[str, str] = exchange.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yields the body as it comes; Unreached where it breaks off, takes too long or is too large."""
        size = 0
        while not self._closed and (chunk := await self._exchange.taken(self._idle)):
            size += len(chunk)
            if size > self._most:
                raise Unreached("size", f"provider sent more than {self._most} octets")
            yield chunk

    async def close(self) -> None:
        """Lets the connection go: kept where the body is over, ended where it is not."""
        if not self._closed:
            self._closed = True
            self._connections.give(self._place, self._exchange)


class HttpLine:
    """A way to a provider by HTTP, over connections that it shares with other lines. `most` bounds an answer's
    octets."""

    def __init__(self, url: str, key: Secret, *, connections: Connections, most: int) -> None:
        self._place, parts = placed(url), urlsplit(url)
        self._path, self._connections, self._most = quote(parts.path.rstrip("/"), safe=_PATH), connections, most
        host = self._place.host
        named = f"[{host}]" if ":" in host else host
        at = named if parts.port is None else f"{named}:{parts.port}"
        headers = {"host": at, **IDENTITY} | ({"authorization": f"Bearer {key.reveal()}"} if key else {})
        self._headers = "".join(f"{name}: {_plain(str(value))}\r\n" for name, value in headers.items())

    async def open(self, path: str, body: bytes, headers: Mapping[str, str], *, deadline: Patience) -> HttpReply:
        """Sends a request and returns the answer once its headers are here; Unreached where none came."""
        head, until = self._head(path, body, headers), asyncio.get_running_loop().time() + deadline.total
        exchange = await self._connections.take(self._place, deadline.connect)
        try:
            await exchange.ask(head, body, deadline.first, until)
        except BaseException as error:
            exchange.abort()
            if not (exchange.stale and isinstance(error, Unreached)):
                raise
            exchange = await self._again(head, body, deadline, until)
        reply = HttpReply(self._connections, self._place, exchange, deadline.idle, self._most)
        if reply.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
            exchange.abort()
            raise Unreached("protocol", "provider sent a compressed answer, which was not asked for")
        return reply

    async def close(self) -> None:
        """Leaves the connections open, which other lines share."""

    async def _again(self, head: bytes, body: bytes, deadline: Patience, until: float) -> Exchange:
        """Sends a request once more, on a new connection: the kept one was closed as the request came."""
        left = max(0.0, until - asyncio.get_running_loop().time())
        exchange = await self._connections.make(self._place, min(deadline.connect, left))
        try:
            await exchange.ask(head, body, deadline.first, until)
        except BaseException:
            exchange.abort()
            raise
        return exchange

    def _head(self, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        more = "".join([f"{name}: {_plain(value)}\r\n" for name, value in headers.items()])
        size = f"content-length: {len(body)}\r\n" if body else ""
        method = "POST" if body else "GET"
        return f"{method} {self._path}{path} HTTP/1.1\r\n{self._headers}{more}{size}\r\n".encode("latin-1")


def _plain(value: str) -> str:
    """Returns a header's value; Unreached for one that would end before its end."""
    if "\r" in value or "\n" in value or "\0" in value or not value.isascii():
        raise Unreached("protocol", "header to a provider was not plain text")
    return value


__all__ = ["Connections", "HttpLine", "HttpReply", "placed", "public", "refuse_private"]
