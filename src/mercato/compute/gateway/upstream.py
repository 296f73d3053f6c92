"""A provider reached by HTTP: its name is resolved once for each connection, checked, and that very address is used.

Redirects are not followed, answers are not decompressed, and no header of a client is sent on. Proxies that the
environment names are not used: they would resolve names where we cannot check them.
"""

from __future__ import annotations

import asyncio
import io
import ipaddress
import socket
from collections.abc import AsyncIterator, Mapping

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from mercato.compute.errors import Unreached
from mercato.compute.gateway.line import Patience
from mercato.core.secret import Secret

IDENTITY = {"accept-encoding": "identity", "user-agent": "mercato-gateway"}
LARGE_OCTETS = 256 * 1024
HEAD_OCTETS = 16 * 1024
KEPT_SECONDS = 20  # idle connections; most servers close theirs after 30 s or later
_EMBEDDED = ("ipv4_mapped", "sixtofour")
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")


def public(address: str) -> bool:
    """Whether an IP address is one of the open internet, also where it carries another address within."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = [one for name in _EMBEDDED if (one := getattr(found, name))]
        if found in _TRANSLATED:
            inner.append(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF))
        if found.teredo or not all(public(str(one)) for one in inner):
            return False
    return found.is_global and not (found.is_multicast or found.is_reserved)


class Resolver(AbstractResolver):
    """Resolves names by the system; refuses a name of which any address is not public."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Returns the addresses of a host; Unreached where one of them is not public."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        for *_, place in found:
            _refuse(str(place[0]), host)
        flags = socket.AI_NUMERICHOST
        return [
            ResolveResult(hostname=host, host=str(place[0]), port=port, family=kind, proto=proto, flags=flags)
            for kind, _, proto, _, place in found
        ]

    async def close(self) -> None:
        """Holds nothing."""


def _refuse(address: str, host: str) -> None:
    if not public(address):
        raise Unreached(
            "private", f"provider {host!r} is at {address}, which is not a public address",
            hint="providers are reached at public addresses; for an upstream of your own, set private = true",
        )  # fmt: skip


def refuse_private(host: str) -> None:
    """Refuses a host that is written as an address, and is no public one; a name is looked up where it is used."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    _refuse(host, host)


class HttpReply:
    """An answer that comes over HTTP."""

    def __init__(self, response: aiohttp.ClientResponse, most: int) -> None:
        self._response, self._most = response, most
        self.status = response.status
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yields the body as it comes; Unreached where it breaks off, takes too long or is too large."""
        size = 0
        try:
            async for chunk in self._response.content.iter_any():
                size += len(chunk)
                if size > self._most:
                    raise Unreached("size", f"provider sent more than {self._most} octets")
                if chunk:
                    yield chunk
        except TimeoutError as error:
            raise _late(error, "idle") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unreached("reset", f"provider's answer broke off: {_name(error)}") from None

    async def close(self) -> None:
        """Lets the connection go: back to the pool where the body is over, closed where it is not."""
        self._response.close() if not self._response.content.at_eof() else self._response.release()


class HttpLine:
    """A way to a provider by HTTP. `private` allows any address; without it only public ones are connected to."""

    def __init__(self, url: str, key: Secret, *, session: aiohttp.ClientSession, private: bool, most: int) -> None:
        self._url, self._session, self._private, self._most = url.rstrip("/"), session, private, most
        self._headers = dict(IDENTITY)
        if key:
            self._headers["authorization"] = f"Bearer {key.reveal()}"
        self._host = URL(url).raw_host or ""  # as it will be connected to: other digits than 0 to 9 are made such
        self._places: dict[str, URL] = {}

    async def open(self, path: str, body: bytes, headers: Mapping[str, str], *, deadline: Patience) -> HttpReply:
        """Sends a request and returns the answer once its headers are here; Unreached where none came."""
        self._check()
        waits = aiohttp.ClientTimeout(total=deadline.total, sock_connect=deadline.connect, sock_read=deadline.first)
        data = io.BytesIO(body) if len(body) > LARGE_OCTETS else body or None  # piece by piece, others' events between
        sent = self._session.request(
            "POST" if body else "GET", self._place(path), data=data, headers={**self._headers, **headers},
            timeout=waits, allow_redirects=False,
        )  # fmt: skip
        try:
            response = await sent
        except TimeoutError as error:
            raise _late(error, "first-byte") from None
        except aiohttp.ClientSSLError as error:
            raise Unreached("tls", f"provider's certificate was refused: {_name(error)}") from None
        except (aiohttp.ClientConnectorError, socket.gaierror) as error:
            raise Unreached("connect", f"provider was not reached: {_name(error)}") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unreached("protocol", f"provider's answer was not readable: {_name(error)}") from None
        if response.connection is not None and (held := response.connection.protocol) is not None:  # it has a length
            held.read_timeout = deadline.idle
            held.start_timeout()  # anew: the one that runs is that of the first byte
        reply = HttpReply(response, self._most)
        if reply.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
            await reply.close()
            raise Unreached("protocol", "provider sent a compressed answer, which was not asked for")
        return reply

    async def close(self) -> None:
        """Leaves the session open, which other lines share."""

    def _place(self, path: str) -> URL:
        """Returns the whole address of a path; what was put together once is kept."""
        found = self._places.get(path)
        if found is None:
            found = self._places[path] = URL(self._url + path)
        return found

    def _check(self) -> None:
        """Refuses addresses written as such; names are checked when they are resolved."""
        if not self._private:
            refuse_private(self._host)


def session(*, private: bool) -> aiohttp.ClientSession:
    """Returns the connections of one worker to its providers: to any address with `private`, else to public ones."""
    resolver = None if private else Resolver()
    connector = aiohttp.TCPConnector(limit=0, resolver=resolver, use_dns_cache=private, keepalive_timeout=KEPT_SECONDS)
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=False,
        max_line_size=HEAD_OCTETS, max_field_size=HEAD_OCTETS,
    )  # fmt: skip


def _late(error: TimeoutError, otherwise: str) -> Unreached:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return Unreached("connect", "provider was not reached in time")
    return Unreached(otherwise, f"provider took too long: {otherwise}")


def _name(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error)[:120]}"


__all__ = ["HttpLine", "HttpReply", "Resolver", "public", "session"]
