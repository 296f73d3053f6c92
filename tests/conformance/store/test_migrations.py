"""The history of migrations leads to exactly the tables that the rooms declare, whoever starts it and how often."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from mercato.store import Store, metadata, migrate
from mercato.store.history import config, head
from mercato.store.testing import load_tables

STARTERS = 4
MIGRATE = "import sys; from mercato.store import Store, migrate; migrate(Store(sys.argv[1]))"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store on a database without a single table."""
    if_needed = {"sqlite": file_url, "postgresql": server_url}[request.param]
    for url in if_needed(request, tmp_path):
        store = Store(url)
        yield store
        store.close()


def file_url(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder / 'empty.db'}"


def server_url(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    with request.getfixturevalue("postgres").database(migrated=False) as url:
        yield url


def versions(store: Store) -> list[str]:
    with store.read() as session:
        return list(session.execute(sa.text("SELECT version_num FROM store_version")).scalars())


def test_the_migrated_database_is_what_all_rooms_declare(empty: Store) -> None:
    assert "mercato.store.tables" in load_tables()
    migrate(empty)

    with empty.transaction() as tx:
        context = MigrationContext.configure(
            tx.connection, opts={"compare_type": True, "compare_server_default": True, "version_table": "store_version"}
        )
        differences = compare_metadata(context, metadata)

    assert differences == []


def test_migrating_again_changes_nothing(empty: Store) -> None:
    migrate(empty)
    migrate(empty)

    assert versions(empty) == [head()]


def test_processes_that_start_at_once_migrate_once(empty: Store) -> None:
    url = empty.url.render_as_string(hide_password=False)
    started = [subprocess.Popen([sys.executable, "-c", MIGRATE, url], stderr=subprocess.PIPE) for _ in range(STARTERS)]
    ended = [(process.communicate(timeout=120)[1].decode(), process.returncode) for process in started]

    assert [(text, code) for text, code in ended if code] == []
    assert versions(empty) == [head()]


def test_a_step_that_fails_leaves_the_database_as_it_was(empty: Store) -> None:
    with empty.transaction() as tx:
        tx.execute(sa.text("CREATE TABLE store_step (strange INTEGER)"))

    with pytest.raises(sa.exc.DBAPIError):
        migrate(empty)

    with empty.read() as session:
        assert sa.inspect(session.connection).get_table_names() == ["store_step"]


def test_the_history_is_one_line_numbered_without_gaps() -> None:
    steps = list(ScriptDirectory.from_config(config()).walk_revisions())
    numbers = [step.revision for step in reversed(steps)]

    assert numbers == [f"{number:04d}" for number in range(1, len(steps) + 1)]
    assert [step.down_revision for step in reversed(steps)] == [None, *numbers[:-1]]


def test_tables_are_named_after_their_room_and_point_at_no_other_room() -> None:
    rooms = {name.split(".")[1] for name in load_tables()}
    foreign = [
        (table.name, key.target_fullname)
        for table in metadata.tables.values()
        for key in table.foreign_keys
        if key.target_fullname.split("_")[0] != table.name.split("_")[0]
    ]

    assert {name.split("_")[0] for name in metadata.tables} <= rooms
    assert foreign == []
