"""Every chain that Mercato speaks to, as the suite sees it: the same questions, and the same answers wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import pytest

from mercato.chains import Chain, Controls
from mercato.chains.evm.anvil import Anvil
from mercato.chains.evm.endpoint import Endpoint
from mercato.chains.evm.rpc import Rpc
from mercato.chains.facade import Facade
from mercato.chains.signing import Key
from mercato.chains.testing import KEYS, local
from mercato.core.settings import Secret
from tests import npm


@dataclass
class Rig:
    """A chain with the controls of whoever owns it; `exact` says that it counts gas as a real node does."""

    chain: Chain
    controls: Controls
    exact: bool


@contextmanager
def pyrevm(automine: bool) -> Iterator[Rig]:
    chain = local("pyrevm", automine=automine)
    yield Rig(chain, chain, exact=False)


@contextmanager
def py_evm(automine: bool) -> Iterator[Rig]:
    chain = local("py-evm", automine=automine)
    yield Rig(chain, chain, exact=True)


@contextmanager
def anvil(automine: bool) -> Iterator[Rig]:
    program = npm.anvil()
    assert program, "mark the test with npm"
    chain = Anvil(program, automine=automine)
    try:
        yield Rig(chain, chain, exact=True)
    finally:
        chain.close()


@contextmanager
def signed(automine: bool) -> Iterator[Rig]:
    """The same node, by an adapter that signs everything itself."""
    with anvil(automine) as rig:
        assert isinstance(rig.controls, Anvil)
        endpoint = Endpoint(Secret(rig.controls.url))
        yield Rig(Rpc(endpoint, 31337, [Key(key) for key in KEYS]), rig.controls, exact=True)
        endpoint.close()


@contextmanager
def facade(automine: bool) -> Iterator[Rig]:
    """The embedded chain as others see it, by its own JSON-RPC."""
    chain = local(automine=automine)
    with Facade(chain, 0) as served:
        endpoint = Endpoint(Secret(served.url))
        yield Rig(Rpc(endpoint, 31337, [Key(key) for key in KEYS]), chain, exact=False)
        endpoint.close()


Opens = Callable[[bool], AbstractContextManager[Rig]]
CHAINS: dict[str, Opens] = {"pyrevm": pyrevm, "py-evm": py_evm, "anvil": anvil, "json-rpc": signed, "facade": facade}
NODES = {"anvil", "json-rpc"}
EVERY = [pytest.param(name, marks=[pytest.mark.npm] if name in NODES else []) for name in CHAINS]


@pytest.fixture(params=EVERY)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """Each chain in turn, giving every transaction a block at once."""
    with CHAINS[request.param](True) as opened:
        yield opened


@pytest.fixture(params=EVERY)
def waiting(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """Each chain in turn, making no block unless it is told to."""
    with CHAINS[request.param](False) as opened:
        yield opened


@pytest.fixture
def chain(rig: Rig) -> Chain:
    return rig.chain


@pytest.fixture
def controls(rig: Rig) -> Controls:
    return rig.controls
