"""The admin plane: what an operator sees of one worker, on a socket of its own that no client reaches.

GET /health    whether the worker serves            GET /metrics    for Prometheus
GET /requests  how many are under way               POST /drain     takes no new connections, ends when all are served
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn

from mercato.compute.errors import Declined
from mercato.compute.gateway import answers
from mercato.compute.gateway.asgi import Gateway
from mercato.compute.gateway.client import Client, Receive, Send
from mercato.compute.gateway.metrics import Metrics
from mercato.compute.gateway.server import Server
from mercato.core.errors import ConfigError

TEXT = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")


class Admin:
    """Answers an operator. `drain` ends the worker once what is under way is done."""

    def __init__(self, gateway: Gateway, metrics: Metrics, drain: Callable[[], None]) -> None:
        self._gateway, self._metrics, self._drain = gateway, metrics, drain

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Serves one request."""
        client = Client(scope, receive, send)
        match scope["method"], scope["path"]:
            case "GET", "/health":
                await answers.say(client, 200, {"status": "ok"})
            case "GET", "/requests":
                await answers.say(client, 200, {"live": len(self._gateway.live)})
            case "GET", "/metrics":
                self._metrics.live.set(len(self._gateway.live))
                await client.start(200, [TEXT])
                await client.write(await asyncio.to_thread(self._metrics.text), more=False)
            case "POST", "/drain" if any(name == b"origin" for name, _ in scope["headers"]):
                refusal = Declined("a page in a browser asked", hint="ask by a program", status=403, code="not_allowed")
                await answers.refuse(client, refusal)
            case "POST", "/drain":
                await answers.say(client, 202, {"status": "draining"})
                self._drain()
            case _:
                await answers.refuse(client, Declined("there is nothing here", status=404, code="not_found"))


@asynccontextmanager
async def serving(admin: Admin, place: str, home: Path) -> AsyncIterator[None]:
    """Serves the admin plane at `place`: HOST:PORT, or the path of a Unix socket for its owner alone."""
    config = uvicorn.Config(
        admin, log_config=None, access_log=False, server_header=False, lifespan="off", http="h11", ws="none",
        timeout_graceful_shutdown=2,
    )  # fmt: skip
    config.load()
    server = Server(config, signals=False)
    server.lifespan = config.lifespan_class(config)
    await server.startup([_bound(place, home)])
    try:
        yield
    finally:
        await server.shutdown()


def _bound(place: str, home: Path) -> socket.socket:
    host, colon, port = place.rpartition(":")
    try:
        if colon and port.isdigit():
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            return socket.create_server((host.strip("[]"), int(port)), family=family)
        path = home / place
        if path.is_socket():  # of a worker before; anything else is not ours to remove
            path.unlink(missing_ok=True)
        return _private(path)
    except OSError as error:
        hint = "set compute.admin to another, such as 127.0.0.1:8601"
        raise ConfigError(f"admin plane was to listen at {place!r}: {error.strerror or error}", hint=hint) from None


def _private(path: Path) -> socket.socket:
    """Returns a Unix socket that listens, for its owner alone."""
    made = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        made.bind(str(path))
        made.listen()
    except OSError:
        made.close()
        raise
    finally:
        os.umask(before)
    return made


def numbered(place: str, number: int) -> str:
    """Returns the place of a worker's admin plane: that of the first one, or the one which is `number` further."""
    host, colon, port = place.rpartition(":")
    if not place or not number:
        return place
    if colon and port.isdigit():
        return f"{host}:{int(port) + number}"
    path = Path(place)
    return str(path.with_name(f"{path.stem}-{number}{path.suffix}"))
