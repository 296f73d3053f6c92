"""The façade as a server in a thread of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Sequence

import uvicorn

from mercato.chains.evm.local import LocalChain
from mercato.chains.facade.doorkeeper import LOOPBACK, Doorkeeper
from mercato.chains.facade.gateway import Gateway
from mercato.chains.facade.limits import Limits
from mercato.chains.facade.web import Web
from mercato.chains.model import Address
from mercato.core.errors import ConfigError, Conflict

PORT = 8545  # where clients of development look first
START_SECONDS, STOP_SECONDS = 20, 10


class Facade:
    """Serves a chain of this process to wallets, scripts and explorers: JSON-RPC over HTTP and WebSocket.

    `port` None takes 8545 where it is free and any other where not, 0 always any. `accounts` may send unsigned;
    `origins` are pages that may call, `hosts` names besides loopback's; `development` gives blocks and time by hand.
    Use it as a context manager, or `start` and `stop` it. ConfigError where it cannot listen.
    """

    def __init__(
        self,
        chain: LocalChain,
        port: int | None = None,
        *,
        host: str = "127.0.0.1",
        accounts: Sequence[Address] = (),
        origins: Iterable[str] = (),
        hosts: Iterable[str] = (),
        limits: Limits | None = None,
        development: bool = True,
    ) -> None:
        known = frozenset(hosts)
        if host not in LOOPBACK and not known:
            raise ConfigError(
                f"host of the façade was {host!r}, which others reach", hint="say by which names, with `hosts`"
            )
        self._limits = limits or Limits()
        self._gateway = Gateway(chain, accounts, self._limits, development=development)
        self._doorkeeper = Doorkeeper(known, frozenset(origins))
        self._host, self._port = host, port
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listens and serves; returns once it does. Conflict where it was started already."""
        if self._socket:
            raise Conflict("façade was started already", hint="make another one for another port")
        self._socket = listen(self._host, self._port)
        # The limit of one WebSocket message counts bytes on the wire, as that of a body does.
        config = uvicorn.Config(
            Web(self._gateway, self._doorkeeper).application(), log_config=None, access_log=False, server_header=False,
            timeout_graceful_shutdown=2, ws_max_size=self._limits.body, limit_concurrency=1000,
        )  # fmt: skip
        self._server = _Server(config)
        run = self._server.run
        self._thread = threading.Thread(target=run, args=([self._socket],), name="mercato-facade", daemon=True)
        self._thread.start()
        if not self._server.ready.wait(START_SECONDS):
            raise Conflict(f"façade did not start within {START_SECONDS} seconds", hint="see its log")

    def stop(self) -> None:
        """Ends connections and frees the port; nothing where it does not run."""
        if self._server and self._thread and self._socket:
            self._server.should_exit = True
            self._thread.join(STOP_SECONDS)
            self._socket.close()
        self._server = self._thread = self._socket = None

    @property
    def address(self) -> str:
        """Returns host and port; Conflict before it was started."""
        if self._socket is None:
            raise Conflict("façade was not started", hint="start it first")
        host, port = self._socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    @property
    def url(self) -> str:
        """Returns where it answers over HTTP."""
        return f"http://{self.address}"

    @property
    def ws_url(self) -> str:
        """Returns where it answers over WebSocket."""
        return f"ws://{self.address}"

    def __enter__(self) -> Facade:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


class _Server(uvicorn.Server):
    """Says once it serves; leaves signals to the process that it is a part of, as it runs in a thread."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()


def listen(host: str, port: int | None) -> socket.socket:
    """Returns a socket that listens: at 8545 or else anywhere for None; ConfigError where that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for wanted in (PORT, 0) if port is None else (port,):
        try:
            made = socket.create_server((host, wanted), family=family)
            # Connections inherit it; without it the second part of an answer waits for the client's receipt.
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return made
        except OSError as error:
            failed = error
    raise ConfigError(f"address was {host}:{port}: {failed.strerror}", hint="choose another port") from None
