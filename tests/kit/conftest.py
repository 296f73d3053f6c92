"""The kit's books on both databases, with a clock that tests move."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mercato.core.clock import HandClock
from mercato.kit.ledger import Ledger
from mercato.kit.policy import Policy
from mercato.kit.testing import NOON, SMALL_PAYMENTS
from mercato.store import Store
from mercato.store.testing import sqlite_store
from tests.conformance.store.conftest import BACKENDS, on_postgres


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOON)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite database to copy."""
    folder = tmp_path_factory.mktemp("migrated")
    sqlite_store(folder).close()
    return folder / "mercato.db"


@pytest.fixture
def sqlite(migrated: Path, tmp_path: Path) -> Iterator[Store]:
    """A migrated, empty store on SQLite."""
    shutil.copy(migrated, tmp_path / "kit.db")
    store = Store(f"sqlite:///{tmp_path / 'kit.db'}")
    yield store
    store.close()


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A migrated, empty store on either database."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite")
    else:
        yield from on_postgres(request, tmp_path)


@pytest.fixture
def ledger(store: Store, clock: HandClock) -> Ledger:
    """A ledger with the book `agent` under the policy of small payments."""
    made = Ledger(store, clock)
    made.open("agent", Policy.parse(SMALL_PAYMENTS), "operator")
    return made
