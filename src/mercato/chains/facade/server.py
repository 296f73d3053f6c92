"""The façade of an EVM chain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mercato.chains.evm.local import LocalChain
from mercato.chains.facade.doorkeeper import Doorkeeper
from mercato.chains.facade.gateway import Gateway
from mercato.chains.facade.limits import Limits
from mercato.chains.facade.served import Served
from mercato.chains.facade.sessions import Session
from mercato.chains.model import Address

PORT = 8545  # where clients of development look first


class Facade(Served[Session]):
    """Serves a chain of this process to wallets, scripts and explorers: JSON-RPC over HTTP and WebSocket.

    `port` None takes 8545 where it is free and any other where not, 0 always any. `accounts` may send unsigned;
    `origins` are pages that may call, `hosts` names besides loopback's; `development` gives blocks and time by hand.
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
        gateway = Gateway(chain, accounts, limits or Limits(), development=development)
        doorkeeper = Doorkeeper(frozenset(hosts), frozenset(origins))
        super().__init__(gateway, doorkeeper, host, (PORT, 0) if port is None else (port,))
