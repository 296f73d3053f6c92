"""Every kind of chain that Mercato speaks to, EVM and Solana, as the suite of what they have in common sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import pytest

from mercato.chains.evm.anvil import Anvil
from mercato.chains.evm.endpoint import Endpoint
from mercato.chains.evm.rpc import Rpc
from mercato.chains.facade import Facade
from mercato.chains.model import Address, Chain, Controls, Hash, Network
from mercato.chains.signing import Key
from mercato.chains.solana import rpc
from mercato.chains.solana import testing as solana
from mercato.chains.solana.facade import SolanaFacade
from mercato.chains.solana.local import LocalCluster
from mercato.chains.solana.model import Cluster, Signature
from mercato.chains.solana.tokens import transfer_lamports
from mercato.chains.testing import ACCOUNTS, KEYS, local
from mercato.core.settings import Secret
from tests import npm


class Ground(Protocol):
    """The controls that every chain of one's own has."""

    def fund(self, address: Any, amount: int, /) -> None: ...
    def mine(self, blocks: int = 1, *, seconds: int = 1) -> None: ...
    def snapshot(self) -> int: ...
    def revert(self, mark: int) -> None: ...


@dataclass
class Rig:
    """A network with its controls. `pay` signs a payment from the rich to the other, with one nonce or blockhash."""

    network: Network[Any, Any, Any]
    ground: Ground
    rich: Any
    other: Any
    unknown: Any
    pay: Callable[[int], bytes]
    cluster: Cluster | None = None


def evm(chain: Chain, controls: Controls) -> Rig:
    key = Key(KEYS[0])

    def pay(wei: int) -> bytes:
        fields = {"chainId": 31337, "nonce": chain.nonce(key.address), "gas": 21_000, "maxFeePerGas": 2 * 10**9}
        return key.transaction({**fields, "to": ACCOUNTS[1], "value": wei})

    return Rig(chain, controls, key.address, Address(ACCOUNTS[1]), Hash("0x" + "ab" * 32), pay)


def svm(cluster: Cluster, controls: LocalCluster) -> Rig:
    ann, ben = solana.keys()[:2]

    def pay(lamports: int) -> bytes:
        return solana.signed(cluster, [transfer_lamports(ann.address, ben.address, lamports)], ann)

    return Rig(cluster, controls, ann.address, ben.address, Signature("1" * 64), pay, cluster)


@contextmanager
def pyrevm(automine: bool) -> Iterator[Rig]:
    chain = local("pyrevm", automine=automine)
    yield evm(chain, chain)


@contextmanager
def facade(automine: bool) -> Iterator[Rig]:
    chain = local(automine=automine)
    with Facade(chain, 0) as served:
        endpoint = Endpoint(Secret(served.url))
        yield evm(Rpc(endpoint, 31337), chain)
        endpoint.close()


@contextmanager
def anvil(automine: bool) -> Iterator[Rig]:
    program = npm.anvil()
    assert program, "mark the test with npm"
    chain = Anvil(program, automine=automine)
    try:
        yield evm(chain, chain)
    finally:
        chain.close()


@contextmanager
def litesvm(automine: bool) -> Iterator[Rig]:
    cluster = solana.local(automine=automine)
    yield svm(cluster, cluster)


@contextmanager
def solana_rpc(automine: bool) -> Iterator[Rig]:
    """The embedded cluster as others see it, by its own JSON-RPC."""
    cluster = solana.local(automine=automine)
    with SolanaFacade(cluster, 0) as served:
        remote = rpc.connect(Secret(served.url))
        yield svm(remote, cluster)
        remote.close()


Opens = Callable[[bool], AbstractContextManager[Rig]]
NETWORKS: dict[str, Opens] = {
    "pyrevm": pyrevm, "facade": facade, "anvil": anvil, "litesvm": litesvm, "solana-rpc": solana_rpc,
}  # fmt: skip
EVERY = [pytest.param(name, marks=[pytest.mark.npm] if name == "anvil" else []) for name in NETWORKS]
CLUSTERS = ["litesvm", "solana-rpc"]


@pytest.fixture(params=EVERY)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """Each network in turn, giving every transaction a block at once."""
    with NETWORKS[request.param](True) as opened:
        yield opened


@pytest.fixture(params=EVERY)
def waiting(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """Each network in turn, making no block unless it is told to."""
    with NETWORKS[request.param](False) as opened:
        yield opened


@pytest.fixture(params=CLUSTERS)
def solana_rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """Each way to a Solana cluster in turn."""
    with NETWORKS[request.param](True) as opened:
        yield opened
