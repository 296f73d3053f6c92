"""The books on both databases, with a funded account and a key."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mercato.store.testing import sqlite_store
from tests.compute.books.counter import Counter
from tests.conformance.store.conftest import BACKENDS


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite database to copy."""
    folder = tmp_path_factory.mktemp("migrated")
    sqlite_store(folder).close()
    return folder / "mercato.db"


@pytest.fixture
def sqlite(migrated: Path, tmp_path: Path) -> str:
    """The URL of a migrated, empty SQLite database."""
    shutil.copy(migrated, tmp_path / "books.db")
    return f"sqlite:///{tmp_path / 'books.db'}"


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a migrated, empty database of either kind."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite")
    else:
        with request.getfixturevalue("postgres").database() as made:
            yield made


@pytest.fixture
def counter(url: str) -> Iterator[Counter]:
    """Books in which `ann` has a dollar and a key."""
    with Counter(url) as made:
        yield made
