"""Each test here runs on SQLite and on a real PostgreSQL: a store that passes them may carry Mercato."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mercato.core.clock import HandClock
from mercato.store import Store
from mercato.store.testing import sqlite_store

BACKENDS = ["sqlite", "postgresql"]


@pytest.fixture
def clock() -> HandClock:
    return HandClock(datetime(2026, 3, 2, 12, tzinfo=UTC))


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A migrated, empty store."""
    made = {"sqlite": on_sqlite, "postgresql": on_postgres}[request.param](request, tmp_path)
    yield from made


def on_sqlite(request: pytest.FixtureRequest, folder: Path) -> Iterator[Store]:
    store = sqlite_store(folder)
    yield store
    store.close()


def on_postgres(request: pytest.FixtureRequest, folder: Path) -> Iterator[Store]:
    with request.getfixturevalue("postgres").database() as url:
        store = Store(url)
        yield store
        store.close()
