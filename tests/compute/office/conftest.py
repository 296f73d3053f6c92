"""The example's week, written once for all tests of a process."""

from pathlib import Path

import pytest

from tests.compute.office.week import week


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the week."""
    return week(tmp_path_factory.mktemp("week"))
