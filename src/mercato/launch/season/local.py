"""The local economy as `mercato up` runs it: chain and façade, index, launches, season, and what watches them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from mercato.chains.facade import Facade
from mercato.chains.opening import NODE
from mercato.chains.service import Indexer
from mercato.chains.settings import ChainSettings
from mercato.chains.testing import ACCOUNTS
from mercato.core.settings import Settings
from mercato.launch.following.feed import Feed, Market
from mercato.launch.jobs import Watch
from mercato.launch.season.economy import Economy, open_economy
from mercato.launch.season.life import Life
from mercato.launch.season.progress import Announcer, Board, Listener, Progress
from mercato.launch.season.settings import SeasonSettings
from mercato.launch.service import Launches
from mercato.launch.settings import LaunchSettings
from mercato.store import Store

AWAKE = 600.0  # seconds after the season for which the street is awake although nobody looks
WELL_KNOWN_PORT = 8545
SOURCE = "simulated:local"  # every figure on it says so


@dataclass
class Local:
    """Everything of a local economy; `start` it once the pages are there, and `stop` it before they go.

    While it runs, the file `node` tells commands in other processes where the chain is.
    """

    economy: Economy
    indexer: Indexer
    board: Board
    facade: Facade
    settings: SeasonSettings
    node: Path

    @property
    def launches(self) -> Launches:
        """Returns the launch room on the local chain."""
        return self.economy.launches

    def feed(self, market: Market) -> Feed:
        """Returns what brings the local pools into the market."""
        return Feed(market, self.indexer, self.launches, source=SOURCE, sectors=self.economy.sectors)

    def start(self, feed: Feed, looks: Callable[[], bool]) -> None:
        """Starts the season, or what comes after it, in threads of their own."""
        self.facade.start()
        self.node.write_text(self.facade.url, encoding="utf-8")
        self._watch, began = Watch(self.launches), time.monotonic()
        self._life = Life(
            self.economy, feed, self.board, a_second=self.settings.a_second,
            looks=lambda: looks() or time.monotonic() - began < AWAKE, present=self._watch.start,
        )  # fmt: skip
        self._life.start()

    def stop(self) -> None:
        """Ends the threads, the façade and the journal, in this order."""
        self._life.stop()
        if self.board.read().stage == "live":
            self._watch.stop()
        self.node.unlink(missing_ok=True)
        self.facade.stop()
        self.economy.close()


def open_local(
    store: Store,
    settings: Settings,
    *,
    season: bool | None = None,
    seed: int | None = None,
    origins: Iterable[str] = (),
    listener: Listener = lambda progress: None,
    say: Callable[[str], None],
) -> Local:
    """Returns the local economy of the settings' data folder; `season` and `seed` win over the settings."""
    wanted = settings.of(SeasonSettings)
    changes = {"enabled": season, "seed": seed}
    wanted = wanted.model_copy(update={name: value for name, value in changes.items() if value is not None})
    economy = open_economy(store, settings.home, wanted, settings.of(LaunchSettings), say=say)
    port = settings.of(ChainSettings).facade_port
    facade = Facade(
        economy.chain, None if port == WELL_KNOWN_PORT else port, accounts=ACCOUNTS, origins=origins, development=False
    )
    board = Board([Announcer(store), listener])
    board.post(Progress("waiting"))
    return Local(economy, Indexer(store, economy.chain), board, facade, wanted, settings.home / NODE)
