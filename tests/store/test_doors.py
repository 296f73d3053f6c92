"""A store is opened by a URL, and says what is wrong with one without showing its password."""

from pathlib import Path

import pytest

from mercato.core.errors import ConfigError
from mercato.core.settings import Secret
from mercato.store import Store, StoreSettings


@pytest.mark.parametrize("url", ["mysql://bob:hunter2@db/x", "sqlite://", "sqlite:///:memory:", "hunter2", ""])
def test_a_url_of_another_database_is_refused(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Store(url)

    assert "postgresql://" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_without_a_url_the_database_is_a_file_in_the_data_folder(tmp_path: Path) -> None:
    store = Store(StoreSettings().address(tmp_path / "new"))
    with store.read():
        pass
    store.close()

    assert (tmp_path / "new" / "mercato.db").exists()


def test_a_url_in_the_settings_wins_and_stays_hidden(tmp_path: Path) -> None:
    settings = StoreSettings(url=Secret("postgresql://bob:hunter2@db/x"))

    assert settings.address(tmp_path) == "postgresql://bob:hunter2@db/x"
    assert "hunter2" not in repr(settings)


def test_postgres_urls_of_any_driver_use_psycopg() -> None:
    store = Store("postgresql+asyncpg://bob@db/x")

    assert (store.url.drivername, store.dialect) == ("postgresql+psycopg", "postgresql")


@pytest.mark.parametrize(
    ("pragma", "expected"), [("journal_mode", "wal"), ("synchronous", 1), ("foreign_keys", 1), ("busy_timeout", 30000)]
)
def test_sqlite_runs_with_the_pragmas_that_several_processes_need(
    tmp_path: Path, pragma: str, expected: object
) -> None:
    store = Store(f"sqlite:///{tmp_path / 'x.db'}")
    with store.transaction() as tx:
        found = tx.connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()
    store.close()

    assert found == expected
