"""Brings a database to the present shape, from an installed package and however many processes start at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

if TYPE_CHECKING:
    from mercato.store.engine import Read, Store, Transaction

VERSION_TABLE = "store_version"
FOLDER = Path(__file__).parent / "migrations"
LOCK = 0x6D65726361746F  # "mercato": processes that migrate one PostgreSQL database queue on this number


def migrate(store: Store) -> None:
    """Applies every missing step in one transaction; does nothing where none is missing."""
    with store.transaction() as tx:
        lock(tx)
        command.upgrade(config(tx), "head")


def present(session: Read) -> str | None:
    """Returns the number of the newest step that the database has seen; None before the first."""
    context = MigrationContext.configure(session.connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision()


def lock(tx: Transaction) -> None:
    """Waits until no other process migrates. A SQLite transaction excludes other writers anyway."""
    if tx.dialect == "postgresql":
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))


def config(tx: Transaction | None = None) -> Config:
    """Returns Alembic's configuration, bound to an open transaction where one is given."""
    made = Config()
    made.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    if tx:
        made.attributes["connection"] = tx.connection
    return made


def head() -> str:
    """Returns the newest step's number; raises where the history forks."""
    newest = ScriptDirectory.from_config(config()).get_current_head()
    assert newest is not None, "the history holds at least one step"
    return newest
