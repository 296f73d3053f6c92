"""A market room on a real SQLite file, a clock that stands still, and words for small files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mercato.core.clock import HandClock
from mercato.market.service import Market
from mercato.store.testing import sqlite_store

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
ASSETS = """
[[asset]]
asset_id = "aaa"
symbol = "AAA"
name = "First"
kind = "token"
sector = "ai-agents"

[[asset]]
asset_id = "bbb"
symbol = "BBB"
name = "Second"
kind = "token"
sector = "ai-agents"

[[asset]]
asset_id = "bbb-bridged"
symbol = "BBB"
name = "Second, bridged"
kind = "token"
sector = "ai-agents"
wraps = "bbb"
"""


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


@pytest.fixture
def room(tmp_path: Path, clock: HandClock) -> Iterator[Callable[[str], Market]]:
    """Opens markets by name, each in a folder of its own."""
    stores = []

    def open_one(name: str = "home") -> Market:
        home = tmp_path / name
        home.mkdir(exist_ok=True)
        stores.append(sqlite_store(home))
        return Market(stores[-1], home, clock)

    yield open_one
    for store in stores:
        store.close()


@pytest.fixture
def market(room: Callable[[str], Market]) -> Market:
    return room("home")


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    path = tmp_path / "assets.toml"
    path.write_text(ASSETS)
    return path


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Writes a file of rows, with the canonical header where the rows are text."""

    def write(rows: str | bytes, name: str = "rows.csv") -> Path:
        path = tmp_path / name
        text = f"asset_id,field,valid_time,value\n{rows}".encode() if isinstance(rows, str) else rows
        path.write_bytes(text)
        return path

    return write
