"""Opens the kit for one command: the books in the store, and, where one is needed, the chain and the wallet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from mercato.chains.model import Address
from mercato.chains.opening import close_chain, open_beside
from mercato.chains.settings import ChainSettings
from mercato.core.clock import SystemClock
from mercato.core.errors import ConfigError
from mercato.core.settings import Settings, load
from mercato.kit.evm.actions import catalogue
from mercato.kit.evm.rail import Rail
from mercato.kit.ledger import Ledger
from mercato.kit.service import Kit
from mercato.kit.settings import KitSettings
from mercato.store import Store, StoreSettings, migrate

if TYPE_CHECKING:
    from mercato.chains import Chain
    from mercato.chains.signing import Key

SECTIONS = (StoreSettings, ChainSettings, KitSettings)


@dataclass
class Opened:
    """The books, and the kit itself once it is asked for."""

    settings: Settings
    ledger: Ledger

    @property
    def book(self) -> str:
        """Returns the book of the settings."""
        return self.settings.of(KitSettings).book

    @cached_property
    def chain(self) -> Chain:
        """Returns the chain; ConfigError where none answers."""
        found = open_beside(self.settings.of(ChainSettings), self.settings.home)
        if found is None:
            raise ConfigError("no chain answers", hint="start `mercato up`, or set MERCATO_CHAINS_RPC to a node")
        return found

    def kit(self, *, watch: bool = False) -> Kit:
        """Returns the kit; with `watch` without its key. ConfigError where there is neither wallet nor account."""
        wanted = self.settings.of(KitSettings)
        rail = Rail(self.chain, self.ledger.clock, tip=wanted.tip_wei)
        if watch and wanted.account:
            return Kit(self.ledger, rail, catalogue(), book=wanted.book, account=Address(wanted.account))
        wallet = self._wallet(wanted)
        if wallet is None and not wanted.account:
            raise ConfigError(
                "there is no wallet", hint="set MERCATO_KIT_KEYSTORE, MERCATO_KIT_KEY or MERCATO_KIT_ACCOUNT"
            )
        account = Address(wanted.account) if wanted.account else None
        if wallet is not None and account not in (None, wallet.address):
            raise ConfigError(f"account was {account}, the wallet's is {wallet.address}", hint="correct one of them")
        return Kit(self.ledger, rail, catalogue(), book=wanted.book, wallet=wallet, account=account)

    def _wallet(self, wanted: KitSettings) -> Key | None:
        from mercato.chains.signing import Key
        from mercato.kit.keystore import unlock

        if wanted.keystore:
            return unlock(self.settings.home / wanted.keystore, wanted.password)
        return Key(wanted.key) if wanted.key else None

    def close(self) -> None:
        """Closes the database and the chain."""
        self.ledger.store.close()
        if "chain" in self.__dict__:
            close_chain(self.chain)


@contextmanager
def opened() -> Iterator[Opened]:
    """Gives the kit of this installation, and closes it afterwards."""
    settings = load(*SECTIONS, partial=True)
    settings.home.mkdir(parents=True, exist_ok=True)
    store = Store(settings.of(StoreSettings).address(settings.home))
    found = Opened(settings, Ledger(store, SystemClock()))
    try:
        migrate(store)
        yield found
    finally:
        found.close()
