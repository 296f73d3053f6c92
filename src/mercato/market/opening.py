"""Opens the room for one command: settings, database, service; and closes them afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mercato.core.clock import SystemClock
from mercato.core.settings import load
from mercato.market.service import Market
from mercato.market.settings import MarketSettings
from mercato.store import Store, StoreSettings, migrate


@contextmanager
def opened() -> Iterator[Market]:
    """Gives the market room on the data folder that MERCATO_HOME names; works beside a running server."""
    settings = load(StoreSettings, MarketSettings, partial=True)
    settings.home.mkdir(parents=True, exist_ok=True)
    store = Store(settings.of(StoreSettings).address(settings.home))
    try:
        migrate(store)
        yield Market(store, settings.home, SystemClock(), settings.of(MarketSettings))
    finally:
        store.close()
