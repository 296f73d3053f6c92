"""Opens the kit for one command: the books in the store, and, where one is needed, the chain and the wallet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mercato.chains.settings import ChainSettings
from mercato.core.clock import SystemClock
from mercato.core.errors import ConfigError
from mercato.core.settings import Settings, load
from mercato.kit.actions import Catalogue
from mercato.kit.dumps import forbid
from mercato.kit.ledger import Ledger
from mercato.kit.line import Line
from mercato.kit.rail import Holder
from mercato.kit.service import Kit
from mercato.kit.settings import KitSettings
from mercato.store import Store, StoreSettings, migrate

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
    def line(self) -> Line[Any, Any, Any]:
        """Returns the line to the chain; ConfigError where none answers."""
        if self.settings.of(KitSettings).chain == "solana":
            from mercato.kit.solana import opening as solana

            return solana.line(self.settings, self.ledger.clock)
        from mercato.kit.evm import opening as evm

        return evm.line(self.settings, self.ledger.clock)

    def kit(self, *, watch: bool = False) -> Kit:
        """Returns the kit; with `watch` without its key. ConfigError where there is neither wallet nor account."""
        wanted, line = self.settings.of(KitSettings), self.line
        account = line.account(wanted.account) if wanted.account else None
        wallet = None if watch and account else self._wallet(wanted)
        if wallet is None and account is None:
            raise ConfigError(
                "there is no wallet", hint="set MERCATO_KIT_KEYSTORE, MERCATO_KIT_KEY or MERCATO_KIT_ACCOUNT"
            )
        if wallet is not None and account not in (None, wallet.address):
            raise ConfigError(f"account was {account}, the wallet's is {wallet.address}", hint="correct one of them")
        return Kit(self.ledger, line.rail, line.actions, book=wanted.book, wallet=wallet, account=account)

    def _wallet(self, wanted: KitSettings) -> Holder | None:
        if wanted.keystore:
            found: Holder = self.line.unlock(self.settings.home / wanted.keystore, wanted.password)
            return found
        return self.line.key(wanted.key) if wanted.key else None

    def close(self) -> None:
        """Closes the database and the chain."""
        self.ledger.store.close()
        if "line" in self.__dict__:
            self.line.close()


def catalogue() -> Catalogue:
    """Returns the actions on the kind of chain that the settings name, without opening anything."""
    if load(KitSettings, partial=True).of(KitSettings).chain == "solana":
        from mercato.kit.solana import actions as solana

        return solana.catalogue()
    from mercato.kit.evm import actions as evm

    return evm.catalogue()


@contextmanager
def opened() -> Iterator[Opened]:
    """Gives the kit of this installation, and closes it afterwards; from here on a crash leaves no copy of a key."""
    forbid()
    settings = load(*SECTIONS, partial=True)
    settings.home.mkdir(parents=True, exist_ok=True)
    store = Store(settings.of(StoreSettings).address(settings.home))
    found = Opened(settings, Ledger(store, SystemClock()))
    try:
        migrate(store)
        yield found
    finally:
        found.close()
