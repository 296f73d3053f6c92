"""A gateway that is served by a thread of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from typing import Generic, Self, TypeVar

import uvicorn

from mercato.chains.facade.doorkeeper import LOOPBACK, Doorkeeper
from mercato.chains.facade.web import Conversation, Gate, Web
from mercato.core.errors import ConfigError, Conflict

START_SECONDS, STOP_SECONDS = 20, 10
PAIR_TRIES = 20

Talk = TypeVar("Talk", bound=Conversation)


class Served(Generic[Talk]):
    """A gateway that is served on loopback, over HTTP and WebSocket, by a thread of its own.

    `ports` are tried in order, each together with the one behind it where `pair` is wanted. Use it as a context
    manager, or `start` and `stop` it. ConfigError where it cannot listen.
    """

    def __init__(
        self, gateway: Gate[Talk], doorkeeper: Doorkeeper, host: str, ports: Sequence[int], *, pair: bool = False
    ) -> None:
        if host not in LOOPBACK and not doorkeeper.hosts:
            raise ConfigError(
                f"host of the façade was {host!r}, which others reach", hint="say by which names, with `hosts`"
            )
        self._gateway, self._doorkeeper = gateway, doorkeeper
        self._host, self._ports, self._pair = host, tuple(ports), pair
        self._sockets: list[socket.socket] = []
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listens and serves; returns once it does. Conflict where it was started already."""
        if self._sockets:
            raise Conflict("façade was started already", hint="make another one for another port")
        self._sockets = listen(self._host, self._ports, pair=self._pair)
        # The limit of one WebSocket message counts bytes on the wire, as that of a body does.
        config = uvicorn.Config(
            Web(self._gateway, self._doorkeeper).application(), log_config=None, access_log=False, server_header=False,
            http="h11", loop="asyncio",  # h11 bounds the size of headers
            timeout_graceful_shutdown=2, ws_max_size=self._gateway.limits.body, limit_concurrency=1000,
        )  # fmt: skip
        self._server = _Server(config)
        run = self._server.run
        self._thread = threading.Thread(target=run, args=(self._sockets,), name="mercato-facade", daemon=True)
        self._thread.start()
        if not self._server.ready.wait(START_SECONDS):
            raise Conflict(f"façade did not start within {START_SECONDS} seconds", hint="see its log")

    def stop(self) -> None:
        """Ends connections and frees the port; nothing where it does not run."""
        if self._server and self._thread:
            self._server.should_exit = True
            self._thread.join(STOP_SECONDS)
            for one in self._sockets:
                one.close()
        self._server = self._thread = None
        self._sockets = []

    @property
    def address(self) -> str:
        """Returns host and port; Conflict before it was started."""
        return self._named(0)

    @property
    def url(self) -> str:
        """Returns where it answers over HTTP."""
        return f"http://{self.address}"

    @property
    def ws_url(self) -> str:
        """Returns where it answers over WebSocket."""
        return f"ws://{self._named(-1)}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _named(self, place: int) -> str:
        if not self._sockets:
            raise Conflict("façade was not started", hint="start it first")
        host, port = self._sockets[place].getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class _Server(uvicorn.Server):
    """Says once it serves; leaves signals to the process that it is a part of, as it runs in a thread."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()


def listen(host: str, ports: Sequence[int], *, pair: bool = False) -> list[socket.socket]:
    """Returns sockets that listen at the first port that is free, and at the one behind it; ConfigError where none is.

    Port 0 is any; where a `pair` is wanted, the operating system is asked for some before that fails.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    failed = ""
    for wanted in (one for port in ports for one in [port] * (PAIR_TRIES if pair and port == 0 else 1)):
        made: list[socket.socket] = []
        try:
            made.append(socket.create_server((host, wanted), family=family))
            if pair:
                made.append(socket.create_server((host, made[0].getsockname()[1] + 1), family=family))
        except (OSError, OverflowError) as error:
            failed = str(getattr(error, "strerror", "") or error)
            for one in made:
                one.close()
            continue
        for one in made:
            # Connections inherit it; without it the second part of an answer waits for the client's receipt.
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made
    raise ConfigError(f"address was {host}:{ports[-1]}: {failed}", hint="choose another port")
