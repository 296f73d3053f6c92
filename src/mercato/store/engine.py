"""One database behind two kinds of sessions: `transaction()` may change things, `read()` may not.

Nothing is lazy and nothing is shared between sessions: rooms turn rows into frozen values before they leave.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, CursorResult, Engine, make_url

from mercato.core.errors import ConfigError, Conflict
from mercato.store.bare import CHANNEL, Bare, Lender, prepare
from mercato.store.wake import Wake

POOL_SIZE = 10


class Read:
    """A session that sees one moment of the database and changes nothing."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @property
    def dialect(self) -> str:
        """Returns `sqlite` or `postgresql`."""
        return self.connection.dialect.name

    def execute(
        self, statement: sa.Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Runs one statement and returns its rows."""
        return self.connection.execute(statement, values)


class Transaction(Read):
    """A session whose changes happen together or not at all."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.wakes = False

    def wake(self) -> None:
        """Wakes workers once this transaction has committed, here and, on PostgreSQL, in other processes."""
        if not self.wakes and self.dialect == "postgresql":
            self.connection.exec_driver_sql(f"NOTIFY {CHANNEL}")
        self.wakes = True


class Store:
    """The database of one Mercato. Safe to share between threads; close it at the end.

    `url` is sqlite:///FILE or postgresql://…; ConfigError for anything else, without its password.
    """

    def __init__(self, url: str) -> None:
        self.url = _checked(url)
        self.wake = Wake()
        self._writer = threading.Lock()  # SQLite has one writer: threads queue here, not in its busy handler
        self._inside = threading.local()
        self._engine = _engine(self.url, writes=True)
        self._reader = _engine(self.url, writes=False) if self.dialect == "sqlite" else self._engine
        self._writers, self._readers = Lender(_plain(self.url)), Lender(_plain(self.url), reads=True)

    @property
    def dialect(self) -> str:
        """Returns `sqlite` or `postgresql`."""
        return self.url.get_backend_name()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Opens a transaction that commits at the end of the block and rolls back where the block raises.

        Transactions do not nest: a function that needs one takes it as an argument, Conflict where it opens its own.
        """
        with self._turn(), self._engine.begin() as connection:
            if self.dialect == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            tx = Transaction(connection)
            yield tx
        if tx.wakes:
            self.wake.set()

    @contextmanager
    def read(self) -> Iterator[Read]:
        """Opens a session that reads one consistent moment; the database refuses changes in it."""
        with self._reader.connect() as connection:
            if self.dialect == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                if self.dialect == "sqlite":
                    connection.exec_driver_sql("BEGIN")
                yield Read(connection)

    @contextmanager
    def bare(self, *, urgent: bool = False) -> Iterator[Bare]:
        """Opens a transaction as `transaction` does, without SQLAlchemy: for a path that has to be short.

        An `urgent` one begins before others that wait on SQLite; PostgreSQL lets nobody overtake.
        """
        with self._turn(), self._writers.lent() as bare:
            with bare.transaction(urgent=urgent):
                yield bare
            wakes = bare.wakes
        if wakes:
            self.wake.set()

    @contextmanager
    def bare_read(self) -> Iterator[Bare]:
        """Opens a session as `read` does, without SQLAlchemy."""
        with self._readers.lent() as bare, bare.read():
            yield bare

    def close(self) -> None:
        """Closes every connection; open sessions end first."""
        self._writers.close()
        self._readers.close()
        self._engine.dispose()
        self._reader.dispose()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if getattr(self._inside, "open", False):
            raise Conflict("transaction was opened inside another one", hint="pass the open one as an argument")
        self._inside.open = True
        try:
            if self.dialect == "sqlite":
                with self._writer:
                    yield
            else:
                yield
        finally:
            self._inside.open = False


def _checked(text: str) -> URL:
    try:
        url = make_url(text)
    except sa.exc.ArgumentError:
        raise ConfigError("database URL was not readable", hint="write sqlite:///FILE or postgresql://…") from None
    kind = url.get_backend_name()
    if kind == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if kind != "sqlite" or not url.database or url.database == ":memory:":
        raise ConfigError(f"database was {url.render_as_string()!r}", hint="write sqlite:///FILE or postgresql://…")
    return url


def _plain(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return f"sqlite:///{url.database}"
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _engine(url: URL, *, writes: bool) -> Engine:
    if url.get_backend_name() == "postgresql":
        return sa.create_engine(url, pool_size=POOL_SIZE, max_overflow=POOL_SIZE, pool_pre_ping=True)
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, pool_size=POOL_SIZE, max_overflow=POOL_SIZE)

    @event.listens_for(engine, "connect")
    def connected(raw: Any, record: object) -> None:
        # The driver's own implicit BEGIN would start write transactions as readers, which then fail to upgrade.
        raw.isolation_level = None
        prepare(raw, "foreign_keys = ON", reads=not writes)

    return engine
