"""What the process that is killed does: it imports every file of a folder."""

from __future__ import annotations

import threading
from pathlib import Path

import pandas  # noqa: F401  # the same; ibis loads it with the first query
import pyarrow.csv  # noqa: F401 - imported before the signal, so that it strikes our own code

from mercato.core.clock import HandClock
from mercato.market.service import Market
from mercato.store import Store
from tests.market.layers.conftest import NOW

HEADER = "asset_id,field,valid_time,value\n"


def import_all(market: Market | None, folder: Path, home: Path | None = None) -> None:
    """Imports the files, into a room opened on `home` where none is given."""
    if market is None:
        assert home is not None, "give a room or its folder"
        market = Market(Store(f"sqlite:///{home / 'mercato.db'}"), home, HandClock(NOW))
    for path in sorted(folder.glob("*.csv")):
        market.import_file(path, "test", assets=folder / "assets.toml")


def import_and_wait(folder: Path, home: Path) -> None:
    """Imports the files, then waits to be killed: a fast machine does not escape."""
    import_all(None, folder, home)
    threading.Event().wait()
