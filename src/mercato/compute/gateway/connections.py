"""The connections of one worker to its providers: made to the very address that was checked, and kept for a while."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections import defaultdict
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from mercato.compute.errors import Unreached
from mercato.compute.gateway.exchange import Exchange

KEPT_SECONDS = 20  # idle connections; most servers close theirs after 30 s or later
_PORTS = {"http": 80, "https": 443}
_EMBEDDED = ("ipv4_mapped", "sixtofour")
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")


class Place(NamedTuple):
    """Where a provider listens."""

    host: str
    port: int
    tls: bool


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


def placed(url: str) -> Place:
    """Returns where an address leads, its host as it will be connected to: other digits than 0 to 9 are made such.
    Unreached for an address that leads nowhere."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        host = host if host.isascii() else host.encode("idna").decode()
        return Place(_numbered(host), parts.port or _PORTS[parts.scheme], parts.scheme == "https")
    except (KeyError, ValueError):  # of which UnicodeError is one
        raise Unreached("connect", f"provider's address was {url[:200]!r}", hint="write https://host/v1") from None


def _numbered(host: str) -> str:
    """Returns a host that ends in a number as the address for which systems take it: 2130706433 is 127.0.0.1."""
    last = host.removesuffix(".").rpartition(".")[2]
    if not (last.isdigit() or last.lower().startswith("0x")):
        return host
    try:
        return socket.inet_ntoa(socket.inet_aton(host.removesuffix(".")))
    except OSError:
        return host


def refuse_private(host: str) -> None:
    """Refuses a host that is written as an address, and is no public one; a name is looked up where it is used."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    _refuse(host, host)


def _refuse(address: str, host: str) -> None:
    if not public(address):
        raise Unreached(
            "private", f"provider {host!r} is at {address}, which is not a public address",
            hint="providers are reached at public addresses; for an upstream of your own, set private = true",
        )  # fmt: skip


class Connections:
    """Connections to any address with `private`, else to public ones only."""

    def __init__(self, *, private: bool) -> None:
        self._private = private
        self._loop = asyncio.get_running_loop()
        self._idle: defaultdict[Place, list[Exchange]] = defaultdict(list)
        self._worked: dict[Place, str] = {}
        self._tls: ssl.SSLContext | None = None
        self._sweeping: asyncio.TimerHandle | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def take(self, place: Place, seconds: float) -> Exchange:
        """Returns a connection that was kept, or a new one; Unreached where none is to be had in `seconds`."""
        idle = self._idle[place]
        while idle:
            found = idle.pop()
            if found.free and self._loop.time() - found.idle_since < KEPT_SECONDS:
                return found
            found.abort()
        return await self.make(place, seconds)

    async def make(self, place: Place, seconds: float) -> Exchange:
        """Returns a new connection; Unreached where none is to be had in `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                return await self._connect(place, seconds)
        except TimeoutError:
            raise Unreached("connect", "provider was not reached in time") from None
        except ssl.SSLError as error:
            raise Unreached("tls", f"provider's certificate was refused: {_name(error)}") from None
        except (OSError, UnicodeError) as error:
            raise Unreached("connect", f"provider was not reached: {_name(error)}") from None

    def give(self, place: Place, used: Exchange) -> None:
        """Keeps a connection whose answer is over for the next request; ends any other."""
        if self._closed or not used.free:
            used.abort()
            return
        used.done()
        used.idle_since = self._loop.time()
        self._idle[place].append(used)
        if self._sweeping is None:
            self._sweeping = self._loop.call_later(KEPT_SECONDS, self._sweep)

    async def close(self) -> None:
        """Ends the connections that are kept, and keeps no more."""
        self._closed = True
        if self._sweeping:
            self._sweeping.cancel()
        for idle in self._idle.values():
            for one in idle:
                one.abort()
        self._idle.clear()

    def _sweep(self) -> None:
        oldest = self._loop.time() - KEPT_SECONDS
        for place, idle in list(self._idle.items()):
            for one in idle:
                if not one.free or one.idle_since <= oldest:
                    one.abort()
            self._idle[place] = [one for one in idle if one.free]
            if not self._idle[place]:
                del self._idle[place]
        self._sweeping = self._loop.call_later(KEPT_SECONDS / 2, self._sweep) if self._idle else None

    async def _connect(self, place: Place, seconds: float) -> Exchange:
        """Tries one address after the other, the one that worked first; each has its share of the time."""
        addresses = await self._addresses(place)
        wrong: OSError | None = None
        for address in addresses:
            try:
                async with asyncio.timeout(seconds / len(addresses)):
                    _, made = await self._loop.create_connection(
                        Exchange, address, place.port, ssl=self._context() if place.tls else None,
                        server_hostname=place.host if place.tls else None,
                    )  # fmt: skip
            except ssl.SSLError:
                raise
            except OSError as error:  # of which TimeoutError is one
                wrong = error
            else:
                self._worked[place] = address
                return made
        raise wrong or OSError("name has no address")

    async def _addresses(self, place: Place) -> list[str]:
        """Returns the addresses of a host; Unreached where one of them is not public and has to be."""
        try:
            addresses = [str(ipaddress.ip_address(place.host))]
        except ValueError:
            found = await self._loop.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
            addresses = list(dict.fromkeys(str(at[0]) for *_, at in found))
        for address in addresses:
            if not self._private:
                _refuse(address, place.host)
        return sorted(addresses, key=lambda address: address != self._worked.get(place))

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls


def _name(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error)[:120]}"
