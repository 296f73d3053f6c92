"""A worker's gateway in one loop, with nothing between a test and its application, and a coroutine counted by steps."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from mercato.compute.books import Clerk, Desk, Hold, Signer, keys
from mercato.compute.books.till import Till
from mercato.compute.gateway.asgi import Gateway
from mercato.compute.gateway.carry import Carrier
from mercato.compute.gateway.catalogue import Catalogue, Source, listed
from mercato.compute.gateway.counting import Counter
from mercato.compute.gateway.line import Patience
from mercato.compute.model import REQUESTS
from mercato.compute.opening import Upstreams, bounds, limits
from mercato.compute.routing import Router
from mercato.compute.settings import ComputeSettings, Upstream
from mercato.core.clock import SystemClock
from mercato.store.bare import Bare
from tests.compute.gateway.house import PRICE

SIGNER = Signer.fresh()
DOLLAR = 1_000_000


def nothing() -> None:
    """What most steps do."""


class Steps(Coroutine[Any, Any, None]):
    """A coroutine that does something at some of the points where it is suspended, from 1; `each` at all of them."""

    def __init__(
        self, inner: Coroutine[Any, Any, None], at: Mapping[int, Callable[[], None]], each: Callable[[], None] = nothing
    ) -> None:
        self._inner, self._at, self._each = inner, dict(at), each
        self.count = 0

    def send(self, value: Any) -> Any:
        """Goes on to the next point."""
        return self._counted(self._inner.send(value))

    def throw(self, kind: Any, value: Any = None, trace: TracebackType | None = None) -> Any:
        """Goes on to the next point, with an error."""
        return self._counted(self._inner.throw(kind))

    def close(self) -> None:
        """Ends it."""
        self._inner.close()

    def __await__(self) -> Generator[Any, None, None]:
        return (yield from self._inner.__await__())

    def _counted(self, found: Any) -> Any:
        self.count += 1
        self._each()
        self._at.get(self.count, nothing)()
        return found


class World:
    """A gateway over some upstreams; `sent` is what the newest client got."""

    def __init__(self, url: str, carrier: Carrier, secret: str) -> None:
        self.url, self._carrier, self._secret = url, carrier, secret
        self._gateway = Gateway(carrier, bounds(ComputeSettings()), limits(ComputeSettings()), {})
        self.sent = b""

    def request(self, path: str, body: Any) -> Coroutine[Any, Any, None]:
        """Returns a request that is served when it is awaited, by a client that never leaves; what was lived with
        providers before is forgotten."""
        self.sent, self._carrier.router = b"", Router()
        raw = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]
        headers = [(b"authorization", f"Bearer {self._secret}".encode()), (b"content-type", b"application/json")]
        scope = {"type": "http", "path": f"/v1{path}", "method": "POST", "headers": headers, "extensions": {}}

        async def receive() -> Any:
            return raw.pop() if raw else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            await asyncio.sleep(0)  # as a slow connection would make it wait
            self.sent += message.get("body", b"")

        return self._gateway(scope, receive, send)

    def idle(self) -> bool:
        """Whether the router knows of no request under way."""
        router, found = self._carrier.router, self._carrier.catalogue.providers()
        return not any(router.health(each.id).inflight for each in found)

    def held(self) -> int:
        """Returns what is reserved."""
        with Bare(self.url) as bare:
            return sum(row[0] for row in bare.run("SELECT micro FROM compute_balance WHERE account = 'reserved:ann'"))


@asynccontextmanager
async def world(home: Path, upstreams: Mapping[str, str], *, others: int = 0) -> AsyncIterator[World]:
    """Gives a gateway on the database of a data folder, with a dollar in it. Its books wait for each other's requests
    where `others`, which cost nothing, are under way."""
    url = f"sqlite:///{home / 'mercato.db'}"
    till = Till(url, SystemClock(), SIGNER)
    till.deposit("ann", DOLLAR, name="first")
    key, secret = keys.make(till.bare, SystemClock(), "ann")
    till.close()
    named = {name: Upstream(url=place, private=True, models={"toy": PRICE}) for name, place in upstreams.items()}
    lines = Upstreams(named, 1 << 20)
    async with Desk(Clerk(url, SystemClock(), SIGNER)) as desk:
        catalogue = Catalogue([Source(lambda: listed(named), lines.line)])
        catalogue.look(asyncio.get_running_loop().time())
        for _ in range(others):
            await desk.reserve(Hold(REQUESTS.new(), key.id, "ann", "another body", 0))
        carrier = Carrier(desk, Router(), catalogue, Counter(), patience=Patience(first=20, total=20))
        yield World(url, carrier, secret)
    await lines.close()
