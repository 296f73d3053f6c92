"""A way to one provider: HTTP, or the tunnel by which a provider behind a NAT dials in.

`open` sends a request and returns once the status and headers of the answer are here; `chunks` gives the body's bytes
as they come. Whoever opened a reply closes it, also halfway: closing cancels the work at the other side.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from mercato.compute.errors import Unreached
from mercato.core.errors import MercatoError


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a provider may take, in seconds: to be reached, to its first byte, between bytes, and in all."""

    connect: float = 5.0
    first: float = 60.0
    idle: float = 30.0
    total: float = 600.0


@dataclass(frozen=True, slots=True)
class Time:
    """How long one request may take, over all whom it is asked of, since it began at a moment of the loop's clock."""

    patience: Patience
    began: float

    def left(self, now: float) -> Patience:
        """Returns what the next provider may take; Unreached where nothing is left."""
        most, left = self.patience, self.patience.total - (now - self.began)
        if left <= 0:
            raise Unreached("total", "request had no time left")
        return Patience(most.connect, min(most.first, left), most.idle, left)


class Reply(Protocol):
    """An answer whose status and headers are known. Header names are lower case."""

    status: int
    headers: Mapping[str, str]

    def chunks(self) -> AsyncIterator[bytes]:
        """Yields the body as it comes, none of them empty; Unreached where it breaks off or takes too long."""
        ...

    async def close(self) -> None:
        """Lets the connection go; where the body is not over, the other side is told to stop."""
        ...


class Line(Protocol):
    """A way to one provider."""

    async def open(self, path: str, body: bytes, headers: Mapping[str, str], *, deadline: Patience) -> Reply:
        """Sends `body` by POST (GET where it is empty) to a path below the provider's address, such as
        `/chat/completions`, and returns its reply; Unreached where none came."""
        ...

    async def close(self) -> None:
        """Closes what the line holds open."""
        ...


async def whole(reply: Reply, most: int, over: MercatoError) -> bytes:
    """Returns a reply's whole body, and closes the reply; raises `over` where it has more than `most` octets."""
    raw = bytearray()
    try:
        async for part in reply.chunks():
            raw += part
            if len(raw) > most:
                raise over
    finally:
        await reply.close()
    return bytes(raw)


__all__ = ["Line", "Patience", "Reply", "Time", "Unreached", "whole"]
