"""A launch room on a store of each kind, with time in the test's hands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mercato.core.clock import HandClock
from mercato.launch.settings import LaunchSettings
from mercato.launch.testing import REVIEWERS
from mercato.store import Store
from mercato.store.testing import sqlite_store
from tests.launch.town import Town, built


@pytest.fixture
def clock() -> HandClock:
    return HandClock(datetime(2026, 3, 2, 12, tzinfo=UTC))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A migrated, empty store on SQLite."""
    made = sqlite_store(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A launch in every state, for the tests of one module."""
    with built(tmp_path_factory.mktemp("town")) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A migrated, empty store of each kind in turn."""
    kinds = {"sqlite": lambda: None, "postgresql": lambda: request.getfixturevalue("postgres")}
    cluster = kinds[request.param]()
    if cluster is None:
        yield request.getfixturevalue("store")
        return
    with cluster.database() as url:
        made = Store(url)
        yield made
        made.close()


@pytest.fixture
def settings() -> LaunchSettings:
    return LaunchSettings(reviewers=REVIEWERS)
