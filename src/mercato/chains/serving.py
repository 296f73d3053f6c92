"""A fresh chain or cluster with its façade, until a signal ends it."""

from __future__ import annotations

import signal
import threading
import time

import typer

from mercato.chains.evm.local import EngineName, LocalChain
from mercato.chains.facade import Facade
from mercato.chains.opening import need_solders
from mercato.chains.testing import ACCOUNTS, ETHER
from mercato.core.errors import InvalidInput

WEALTH = 10_000  # ether of each account


def serve(*, port: int | None, chain_id: int, engine: str, origins: tuple[str, ...]) -> None:
    """Prints where the chain is and who is rich on it, and serves it; InvalidInput for an unknown engine."""
    chain = LocalChain(chain_id, int(time.time()), known(engine), clock=time.time)
    for account in ACCOUNTS:
        chain.fund(account, WEALTH * ETHER)
    ended = ending()
    with Facade(chain, port, accounts=ACCOUNTS, origins=origins) as facade:
        typer.echo(f"Simulated chain {chain.name} is at {facade.url} and {facade.ws_url}; stop it with Ctrl-C.")
        typer.echo(f"These have {WEALTH} simulated ether each, and their keys are public: never use them elsewhere.")
        for account in ACCOUNTS:
            typer.echo(f"  {account}")
        ended.wait()


def serve_solana(*, port: int | None, origins: tuple[str, ...]) -> None:
    """Prints where the cluster is, and serves it; ConfigError without the extra `solana`."""
    need_solders()
    from mercato.chains.solana.facade import SolanaFacade
    from mercato.chains.solana.local import LocalCluster

    cluster = LocalCluster(int(time.time()), clock=time.time)
    ended = ending()
    with SolanaFacade(cluster, port, origins=origins) as facade:
        typer.echo(f"Simulated cluster {cluster.name} is at {facade.url} and {facade.ws_url}; stop it with Ctrl-C.")
        typer.echo("Its SOL is simulated: requestAirdrop gives any account as much as it asks for.")
        ended.wait()


def ending() -> threading.Event:
    """Returns what is set once a signal asks this process to end."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    return ended


def known(engine: str) -> EngineName:
    """Returns the name of an engine; InvalidInput where there is no such."""
    if engine == "pyrevm":
        return "pyrevm"
    if engine == "py-evm":
        return "py-evm"
    raise InvalidInput(f"engine was {engine!r}", hint="known: pyrevm, py-evm")
