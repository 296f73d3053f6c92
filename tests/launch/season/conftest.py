"""A small season, lived once for all tests of it, with its market measured."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mercato.chains.model import Block
from mercato.chains.service import Indexer
from mercato.core.clock import HandClock
from mercato.launch.following.feed import Feed
from mercato.launch.season.economy import Economy, open_economy
from mercato.launch.season.life import Life
from mercato.launch.season.local import SOURCE
from mercato.launch.season.progress import Board, Progress
from mercato.launch.season.settings import SeasonSettings
from mercato.launch.season.state import Kept
from mercato.launch.settings import LaunchSettings
from mercato.market.service import Market
from mercato.store import Store
from mercato.store.testing import sqlite_store

END = int(datetime(2026, 11, 22, 17, 20, 5, tzinfo=UTC).timestamp())


@dataclass
class Whole:
    """A lived season: its economy, its life, the market that measured it, and what was told on the way."""

    home: Path
    store: Store
    economy: Economy
    market: Market
    life: Life
    told: list[Progress]


def opened(home: Path, store: Store, *, end: int = END, said: list[str] | None = None, **settings: object) -> Economy:
    """Opens the economy of a data folder, as a small season that ends at a moment; `said` hears what it has to say."""
    wanted = SeasonSettings.model_validate({"size": "small", **settings})
    return open_economy(
        store, home, wanted, LaunchSettings(), say=(said if said is not None else []).append, now=lambda: end
    )


def alive(home: Path, store: Store, economy: Economy, told: list[Progress], **more: Any) -> tuple[Life, Market]:
    """Gives an economy its life and its market; nothing runs yet."""
    market = Market(store, home, HandClock(datetime.fromtimestamp(economy.kept.end, UTC)))
    feed = Feed(market, Indexer(store, economy.chain), economy.launches, source=SOURCE, sectors=economy.sectors)
    return Life(economy, feed, Board([told.append]), **more), market


Lived = Callable[..., Whole]


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """Lives through a small season with these settings in a folder of its own."""
    made: list[Whole] = []

    def live(**settings: object) -> Whole:
        home = tmp_path_factory.mktemp("season")
        store, told = sqlite_store(home), list[Progress]()
        economy = opened(home, store, **settings)  # type: ignore[arg-type]  # settings as keywords, and `end`
        life, market = alive(home, store, economy, told)
        made.append(Whole(home, store, economy, market, life, told))
        life.season()
        return made[-1]

    yield live
    for item in made:
        item.economy.close()
        item.store.close()


@pytest.fixture(scope="session")
def season(lived: Lived) -> Whole:
    """The season that tests look at; none of them changes it."""
    return lived()


@dataclass(frozen=True)
class Past:
    """A season that ended two hours ago: the data folder as it was left, the newest block then, and what was kept."""

    home: Path
    left: Block
    kept: Kept

    def again(self, home: Path) -> Store:
        """Returns the store of a copy in an empty folder."""
        shutil.copytree(self.home, home, dirs_exist_ok=True)
        return Store(f"sqlite:///{home / 'mercato.db'}")


@pytest.fixture(scope="session")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    """A season that nobody has opened since; whoever asks for it is in the group `season-present`, to live it once."""
    home = tmp_path_factory.mktemp("past")
    store = sqlite_store(home)
    economy = opened(home, store, end=int(time.time()) - 7200)
    alive(home, store, economy, [])[0].season()
    found = Past(home, economy.chain.block(), economy.kept)
    economy.close()
    store.close()
    return found
