"""A market filled with the made-up example, for tests of reports, alerts and pages."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from mercato.core.clock import HandClock
from mercato.market import example
from mercato.market.model import SIMULATED
from mercato.market.service import Market
from mercato.store.testing import sqlite_store

UNTIL = date(2025, 11, 3)
NOW = datetime(2025, 11, 4, 12, tzinfo=UTC)


def market(folder: Path, clock: HandClock | None = None) -> Market:
    """Returns a market without data, on a store in the folder."""
    return Market(sqlite_store(folder), folder, clock or HandClock(NOW))


def fill(given: Market, folder: Path, days: int = 60) -> None:
    """Imports the made-up history up to UNTIL."""
    (folder / "assets.toml").write_text(example.assets_toml())
    (folder / "history.csv").write_text("".join(example.history_csv(UNTIL, days)))
    given.import_file(folder / "history.csv", SIMULATED, assets=folder / "assets.toml")
