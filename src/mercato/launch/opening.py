"""Opens the room: on a chain at a node by its deployment record, or on one in this process, where it deploys itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mercato.chains import Address, Chain, Signer, open_chain
from mercato.chains.settings import ChainSettings
from mercato.core.clock import Clock, SystemClock
from mercato.core.settings import Settings, load
from mercato.launch import record
from mercato.launch.deployment import Deployment, Terms, deploy_all, deployed
from mercato.launch.service import Launches
from mercato.launch.settings import LaunchSettings
from mercato.store import Store, StoreSettings, migrate

if TYPE_CHECKING:
    from mercato.chains.signing import Key

SECTIONS = (StoreSettings, ChainSettings, LaunchSettings)


def keys(settings: LaunchSettings) -> dict[str, Key]:
    """Returns the keys of the curator and the keeper, those that are set."""
    from mercato.chains.signing import Key

    held = {"curator": settings.curator_key, "keeper": settings.keeper_key}
    return {name: Key(secret) for name, secret in held.items() if secret}


def chain_of(settings: Settings) -> Chain:
    """Returns the chain that the settings name, with the room's keys to sign there."""
    signers: list[Signer] = list(keys(settings.of(LaunchSettings)).values())
    return open_chain(settings.of(ChainSettings), signers)


def record_place(settings: Settings, chain: Chain) -> Path:
    """Returns the file of the chain's deployment record."""
    return record.place(settings.home / settings.of(LaunchSettings).deployments, str(chain.name))


def open_room(store: Store, settings: Settings, chain: Chain | None = None, clock: Clock | None = None) -> Launches:
    """Returns the room on a chain, by default the one that the settings name.

    A chain in this process is new, so everything is deployed to it once it is needed; a record would be another's.
    """
    chain = chain or chain_of(settings)
    wanted = settings.of(LaunchSettings)
    keeper = keys(wanted).get("keeper")

    def find() -> Deployment:
        if settings.of(ChainSettings).rpc:
            return deployed(chain, record_place(settings, chain))
        return deploy_here(chain, wanted)

    return Launches(store, chain, clock or SystemClock(), wanted, find=find, keeper=keeper.address if keeper else None)


def deploy_here(chain: Chain, settings: LaunchSettings) -> Deployment:
    """Deploys everything to a chain in this process; its first well-known account has every role."""
    from mercato.chains.testing import ACCOUNTS

    house: Address = ACCOUNTS[0]
    terms = Terms(curator=house, treasury=house, judge=house, attester=house, deposit=settings.deposit)
    return deploy_all(chain, house, terms)


@contextmanager
def opened() -> Iterator[tuple[Launches, Settings]]:
    """Gives the room for one command, with its settings, and closes the database afterwards."""
    settings = load(*SECTIONS, partial=True)
    settings.home.mkdir(parents=True, exist_ok=True)
    store = Store(settings.of(StoreSettings).address(settings.home))
    try:
        migrate(store)
        yield open_room(store, settings), settings
    finally:
        store.close()
