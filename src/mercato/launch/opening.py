"""Opens the room: on a chain at a node by its deployment record, or on one in this process, where it deploys itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mercato.chains import Address, Chain, Signer, open_chain
from mercato.chains.opening import close_chain, open_beside
from mercato.chains.settings import ChainSettings
from mercato.core.clock import Clock, SystemClock
from mercato.core.errors import ConfigError, NotFound
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
    """Returns the keys of the curator, the keeper and the attester, those that are set."""
    from mercato.chains.signing import Key

    held = {
        "curator": settings.curator_key,
        "keeper": settings.keeper_key,
        "attester": settings.attester_key,
    }
    return {name: Key(secret) for name, secret in held.items() if secret}


def chain_of(settings: Settings, at: ChainSettings | None = None) -> Chain:
    """Returns the chain that the settings name, or those of `at`, with the room's keys to sign there."""
    signers: list[Signer] = list(keys(settings.of(LaunchSettings)).values())
    return open_chain(at or settings.of(ChainSettings), signers)


def record_place(settings: Settings, chain: Chain) -> Path:
    """Returns the file of the chain's deployment record."""
    return record.place(settings.home / settings.of(LaunchSettings).deployments, str(chain.name))


def open_room(
    store: Store,
    settings: Settings,
    chain: Chain | None = None,
    clock: Clock | None = None,
    *,
    find: Callable[[], Deployment] | None = None,
) -> Launches:
    """Returns the room on a chain, by default the one that the settings name.

    `find` says where the contracts stand: by default by the record of a chain at a node, while a chain in this process
    is new, so that everything is deployed to it once it is needed, and its record replaced.
    """
    chain = chain or chain_of(settings)
    wanted, place = seated(settings.of(LaunchSettings), chain), record_place(settings, chain)
    keeper = keys(wanted).get("keeper")
    if find is None and settings.of(ChainSettings).rpc:
        find = lambda: deployed(chain, place)  # noqa: E731  # one of two short ways, chosen here
    return Launches(
        store, chain, clock or SystemClock(), wanted,
        find=find or (lambda: deploy_here(chain, wanted, place)), keeper=keeper.address if keeper else None,
    )  # fmt: skip


def seated(settings: LaunchSettings, chain: Chain) -> LaunchSettings:
    """Returns the settings; on a development chain without reviewers its well-known accounts review.

    Two more without a known key make a panel of eleven possible.
    """
    from mercato.chains.fuse import DEVELOPMENT
    from mercato.chains.testing import ACCOUNTS

    if settings.reviewers or int(chain.name.reference) not in DEVELOPMENT:
        return settings
    return settings.model_copy(update={"reviewers": (*ACCOUNTS, *(f"0x{number:040x}" for number in (0xE0, 0xE1)))})


def deploy_here(chain: Chain, settings: LaunchSettings, place: Path) -> Deployment:
    """Deploys everything to a chain in this process, and writes a record for commands in other processes.

    The first of the well-known accounts has every role. An older record was of a chain that is gone.
    """
    from mercato.chains.testing import ACCOUNTS

    house: Address = ACCOUNTS[0]
    place.unlink(missing_ok=True)
    terms = Terms(curator=house, treasury=house, judge=house, attester=house, deposit=settings.deposit)
    return deploy_all(chain, house, terms, path=place)


@dataclass(frozen=True, slots=True)
class Opened:
    """The room for one command. `chain` is None where no node answers: then only what needs none can be done."""

    room: Launches
    settings: Settings
    node: Chain | None

    @property
    def chain(self) -> Chain:
        """Returns the node's chain; ConfigError where there is none."""
        if self.node is None:
            raise ConfigError("no chain answers", hint="start `mercato up`, or set MERCATO_CHAINS_RPC to a node")
        return self.node


@contextmanager
def opened(*, chain: bool = False) -> Iterator[Opened]:
    """Gives the room on a chain at a node, and closes the database afterwards.

    The node is the one of the settings, else the chain that a running Mercato serves on this machine. With `chain` a
    command needs one: ConfigError where there is none.
    """
    settings = load(*SECTIONS, partial=True)
    settings.home.mkdir(parents=True, exist_ok=True)
    node = _node(settings)
    store = Store(settings.of(StoreSettings).address(settings.home))

    def find() -> Deployment:
        if node is None:
            raise NotFound("no chain answers", hint="start `mercato up`, or set MERCATO_CHAINS_RPC to a node")
        return deployed(node, record_place(settings, node))

    try:
        migrate(store)
        made = Opened(open_room(store, settings, node, find=find), settings, node)
        if chain:
            made.chain  # noqa: B018  # raises where there is none
        yield made
    finally:
        store.close()
        if node is not None:
            close_chain(node)


def _node(settings: Settings) -> Chain | None:
    signers = list(keys(settings.of(LaunchSettings)).values())
    return open_beside(settings.of(ChainSettings), settings.home, signers)
