"""The façade of the embedded cluster."""

from __future__ import annotations

from collections.abc import Iterable

from mercato.chains.facade.doorkeeper import Doorkeeper
from mercato.chains.facade.limits import Limits
from mercato.chains.facade.served import Served
from mercato.chains.solana.facade.gateway import Gateway
from mercato.chains.solana.facade.sessions import Session
from mercato.chains.solana.local import LocalCluster

PORT = 8899  # where clients of development look first; for WebSocket they add one


class SolanaFacade(Served[Session]):
    """Serves a cluster of this process to wallets, scripts and explorers: JSON-RPC over HTTP and WebSocket.

    Both speak both, on a port and the one behind it, because clients look for WebSocket there. `port` None takes 8899
    where it is free and any other where not, 0 always any. `origins` are pages that may call, `hosts` names besides
    loopback's; `development` gives blocks by hand.
    """

    def __init__(
        self,
        cluster: LocalCluster,
        port: int | None = None,
        *,
        host: str = "127.0.0.1",
        origins: Iterable[str] = (),
        hosts: Iterable[str] = (),
        limits: Limits | None = None,
        development: bool = True,
    ) -> None:
        gateway = Gateway(cluster, limits or Limits(), development=development)
        doorkeeper = Doorkeeper(frozenset(hosts), frozenset(origins))
        super().__init__(gateway, doorkeeper, host, (PORT, 0) if port is None else (port,), pair=True)
