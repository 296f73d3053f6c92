"""Connections that go only where they may, and only for as long as they may.

httpx limits each single read; a source that sends a byte now and then would hold a run for ever. Here every read,
write and handshake gets what is left of one deadline. Names are resolved once, every address is checked, and the
connection goes to the checked address, so a name cannot change between the check and the call.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx

from mercato.market.connectors.errors import UnsafeAnswer

MAPPED: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (httpcore.TimeoutException, httpx.ReadTimeout),
    (httpcore.NetworkError, httpx.NetworkError),
    (httpcore.ProtocolError, httpx.RemoteProtocolError),
)


def is_loopback(host: str) -> bool:
    """Tells whether a host is this machine, by its literal address or as `localhost`."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def resolve(host: str, port: int) -> str:
    """Returns an address of the host. Raises UnsafeAnswer where any of its addresses is private or local.

    A host that names this machine outright is allowed: that is a mirror or a test that somebody configured.
    """
    addresses = [host] if _literal(host) else _look_up(host, port)
    private = [text for text in addresses if not ipaddress.ip_address(text).is_global]
    if private and not is_loopback(host):
        raise UnsafeAnswer(
            f"{host!r} leads to the private address {private[0]!r}",
            hint="sources must be on the public internet; check the base URL and the name server",
        )
    return addresses[0]


def _literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _look_up(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(f"{host!r} could not be resolved") from error
    return [str(item[4][0]) for item in found]


class Deadline:
    """A moment after which no read or write may go on; moved at the start of each call."""

    def __init__(self) -> None:
        self.at = float("inf")

    def start(self, seconds: float) -> None:
        """Sets the moment `seconds` from now."""
        self.at = time.monotonic() + seconds

    def cap(self, timeout: float | None) -> float:
        """Returns the shorter of `timeout` and what is left. Raises httpcore.ReadTimeout where nothing is left."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the deadline passed")
        return left if timeout is None else min(timeout, left)


class CappedStream(httpcore.NetworkStream):
    """A connection whose every step is capped by the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Returns what came, at most `max_bytes`."""
        return self._stream.read(max_bytes, self._deadline.cap(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Sends the bytes."""
        self._stream.write(buffer, self._deadline.cap(timeout))

    def close(self) -> None:
        """Ends the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Returns the connection under TLS."""
        return CappedStream(
            self._stream.start_tls(ssl_context, server_hostname, self._deadline.cap(timeout)), self._deadline
        )

    def get_extra_info(self, info: str) -> Any:
        """Returns what the connection knows of itself."""
        return self._stream.get_extra_info(info)


class CheckedNetwork(httpcore.NetworkBackend):
    """Opens connections to checked addresses only."""

    def __init__(self, deadline: Deadline) -> None:
        self._inner, self._deadline = httpcore.SyncBackend(), deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Returns a connection to a checked address of the host."""
        address = resolve(host, port)
        stream = self._inner.connect_tcp(address, port, self._deadline.cap(timeout), local_address, socket_options)
        return CappedStream(stream, self._deadline)

    def sleep(self, seconds: float) -> None:
        """Waits."""
        self._inner.sleep(seconds)


@contextmanager
def mapped() -> Iterator[None]:
    """A context in which httpcore's errors become httpx's."""
    try:
        yield
    except Exception as error:
        for source, target in MAPPED:
            if isinstance(error, source):
                raise target(str(error)) from error
        raise


class Body(httpx.SyncByteStream):
    """The body of an answer as it comes over the wire."""

    def __init__(self, stream: Iterable[bytes]) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        with mapped():
            yield from self._stream

    def close(self) -> None:
        """Gives the connection back."""
        close = getattr(self._stream, "close", None)
        if close is not None:
            close()


class Wire(httpx.BaseTransport):
    """An httpx transport over checked, capped connections."""

    def __init__(self, deadline: Deadline, *, connections: int = 4) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=connections,
            keepalive_expiry=15.0,
            network_backend=CheckedNetwork(deadline),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Returns the answer, its body unread."""
        url = httpcore.URL(
            scheme=request.url.raw_scheme, host=request.url.raw_host, port=request.url.port, target=request.url.raw_path
        )
        with mapped():
            answer = self._pool.handle_request(
                httpcore.Request(
                    request.method, url, headers=request.headers.raw, content=b"", extensions=request.extensions
                )
            )
        stream = answer.stream
        if not isinstance(stream, Iterable):
            raise httpx.RemoteProtocolError("the answer has no readable body")
        return httpx.Response(answer.status, headers=answer.headers, stream=Body(stream), extensions=answer.extensions)

    def close(self) -> None:
        """Ends all connections."""
        self._pool.close()
