"""One connection without SQLAlchemy, for a process that must stay small and a path that must stay short.

SQLAlchemy costs about 20 MB and, for a transaction of a few short statements, more time than the statements do. Tables
are declared and migrated as everywhere; only the statements are plain SQL here, with `?` for each value:

    with Bare(url) as bare, bare.transaction():
        bare.run("UPDATE lamp SET lit = ? WHERE id = ? RETURNING id", (True, "a"))

A process that has a `Store` anyway borrows one from it: `store.bare()`.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from mercato.core.clock import utc
from mercato.core.errors import ConfigError, Conflict, MercatoError

BUSY_SECONDS = 30
IDLE_SECONDS = 1.0  # after which a connection to a server may be gone
KEPT = 10  # connections that wait for a borrower
STATEMENTS = 256
WAL_PAGES = 8_192  # 32 MB, where nobody calls `checkpoint`
CACHE_KIB = 512  # of pages, for each connection; SQLite's own 2 MB made no statement of the books faster
#: What PostgreSQL tells workers by that there is something to do.
CHANNEL = "mercato_wake"
_SQLITE = "sqlite:///"
_ASKS = re.compile(r"\s*(SELECT|WITH|VALUES|SHOW)\b")
_CHANGES = re.compile(r"\b(INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b")
#: Deadlock found, serialization failed, and the server going away: a transaction that met them may be tried again.
_AGAIN = ("40P01", "40001", "57P01", "57P02", "57P03")

Row = tuple[Any, ...]


class Bare:
    """One connection to the database of a URL as `Store` takes it. Not safe to share between threads.

    One that only `reads` is refused every change by SQLite; PostgreSQL refuses them within `read` anyway.
    """

    def __init__(self, url: str, *, reads: bool = False) -> None:
        self.url, self._reads = url, reads
        self.dialect = "sqlite" if url.startswith(_SQLITE) else "postgresql"
        if self.dialect == "postgresql" and url.partition("://")[0].partition("+")[0] != "postgresql":
            raise ConfigError("database URL was not readable", hint="write sqlite:///FILE or postgresql://…")
        #: Whether the transaction wrote what somebody waits for; who committed it tells them.
        self.wakes = False
        self._raw: Any = None
        self._cursor: Any = None  # SQLite's, for all statements: to make one takes a quarter of a short statement
        self._opened = 0  # connections so far: each counts versions from the start
        self._inside = self._hasty = False

    def run(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Runs one statement and returns its rows, none where it returns none. Each `?` stands for a value.

        Within a transaction on PostgreSQL, what is wrong with a statement without rows is raised by a later one, or at
        the end.
        """
        if self.dialect == "sqlite":
            return list(self._sqlite().execute(sql, values))
        text, answers = _spoken(sql)
        cursor = self._connection().execute(text, values)
        return cursor.fetchall() if answers else []

    def many(self, head: str, rows: Sequence[Sequence[object]], tail: str = "") -> list[Row]:
        """Runs one statement over all rows: `head`, then VALUES with each row, then `tail`. No rows: nothing runs."""
        if not rows:
            return []
        return self.run(_spread(head, len(rows), len(rows[0]), tail), [value for row in rows for value in row])

    def each(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Runs one statement without rows of its own for each of some rows."""
        if self.dialect == "sqlite":
            self._sqlite().executemany(sql, rows)
        else:
            for row in rows:
                self.run(sql, row)

    def put(self, head: str, rows: Sequence[Sequence[object]]) -> None:
        """Inserts rows: `head` names table and columns. No rows: nothing runs."""
        if not rows:
            return
        if self.dialect == "sqlite":  # quicker row by row, and one statement for any number of them
            self._sqlite().executemany(_spread(head, 1, len(rows[0]), ""), rows)
        else:
            self.many(head, rows)

    def changed(self, sql: str, values: Sequence[object] = ()) -> int:
        """Runs one UPDATE or DELETE without RETURNING; returns how many rows it changed."""
        if self.dialect == "sqlite":
            return int(self._sqlite().execute(sql, values).rowcount)
        return len(self.run(f"{sql} RETURNING 1", values))

    def version(self) -> tuple[int, int] | None:
        """Returns what stays the same for as long as nobody commits by another connection; exact within `transaction`.

        None on PostgreSQL, which cannot tell.
        """
        if self.dialect == "postgresql":
            return None
        ((version,),) = self.run("PRAGMA data_version")
        return self._opened, version

    def moment(self, at: datetime) -> object:
        """Returns a moment as a value for a column of the type `Instant`; `aware` reads what comes back."""
        return utc(at) if self.dialect == "postgresql" else utc(at).replace(tzinfo=None).isoformat(" ", "microseconds")

    def transaction(self, *, urgent: bool = False) -> AbstractContextManager[Bare]:
        """Commits at the end of the block, rolls back where it raises. On SQLite nobody else writes meanwhile.

        An `urgent` one begins before others that wait on SQLite; PostgreSQL lets nobody overtake.
        """
        if self.dialect == "sqlite":
            return self._between("" if urgent else "BEGIN IMMEDIATE")
        return self._between("BEGIN")

    def read(self) -> AbstractContextManager[Bare]:
        """Sees one moment of the database."""
        return self._between("BEGIN" if self.dialect == "sqlite" else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def wake(self) -> None:
        """Wakes workers once this transaction has committed, here and, on PostgreSQL, in other processes."""
        if not self.wakes and self.dialect == "postgresql":
            self.run(f"NOTIFY {CHANNEL}")
        self.wakes = True

    def again(self, error: BaseException) -> bool:
        """Returns whether a transaction that failed so may be tried again; a broken connection is made anew."""
        if isinstance(error, sqlite3.Error):
            return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
        if self._raw is not None and self.dialect == "postgresql" and self._raw.broken:
            self.close()
            return True
        return getattr(error, "sqlstate", None) in _AGAIN

    def hasten(self, on: bool) -> None:
        """On SQLite, lets what would wait for another process's transaction fail at once instead; `again` is true."""
        if self._hasty is not on and self.dialect == "sqlite":
            self.run(f"PRAGMA busy_timeout = {0 if on else BUSY_SECONDS * 1000}")
            self._hasty = on

    def checkpoint(self) -> None:
        """Brings what was committed to SQLite's main file, without keeping writers waiting; does nothing on PostgreSQL.

        SQLite does so by itself every 4 MB, in the commit that happens to be next, which then waits for the disk.
        """
        if self.dialect == "sqlite":
            self.run("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """Closes the connection; the next statement would open another."""
        raw, self._raw, self._cursor, self._hasty = self._raw, None, None, False
        if raw is not None:
            raw.close()

    def __enter__(self) -> Bare:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @contextmanager
    def _between(self, begin: str) -> Iterator[Bare]:
        if self._inside:
            raise Conflict("transaction was opened inside another one", hint="pass the open one as an argument")
        raw = self._sqlite() if self.dialect == "sqlite" else self._connection()
        self._inside, self.wakes = True, False
        try:
            # PostgreSQL gets statements as they come and answers when an answer is wanted: fewer ways there and back.
            with raw.pipeline() if self.dialect == "postgresql" else nullcontext():
                raw.execute(begin) if begin else _soon(self._connection())
                yield self
                raw.execute("COMMIT")
        except BaseException:
            with suppress(Exception):  # what went wrong first is what is told
                raw.execute("ROLLBACK")
            raise
        finally:
            self._inside = False

    def _connection(self) -> Any:
        if self._raw is None:
            self._opened += 1
            self._raw = _sqlite(self.url, self._reads) if self.dialect == "sqlite" else _postgres(self.url)
        return self._raw

    def _sqlite(self) -> Any:
        if self._cursor is None:
            self._cursor = self._connection().cursor()
        return self._cursor


class Lender:
    """Connections of one database that are lent to one borrower at a time, and kept open in between."""

    def __init__(self, url: str, *, reads: bool = False) -> None:
        self.url, self._reads = url, reads
        self._idle: list[tuple[Bare, float]] = []

    @contextmanager
    def lent(self) -> Iterator[Bare]:
        """Lends a connection for a block; one that failed, or that its server closed meanwhile, is made anew."""
        try:
            bare, since = self._idle.pop()
        except IndexError:
            bare, since = Bare(self.url, reads=self._reads), 0.0
        else:
            _check(bare, since)
        try:
            yield bare
        except MercatoError:  # said by whoever borrowed it
            raise
        except BaseException:
            bare.close()
            raise
        finally:
            if len(self._idle) < KEPT:
                self._idle.append((bare, time.monotonic()))
            else:
                bare.close()

    def close(self) -> None:
        """Closes those that are not lent."""
        while self._idle:
            self._idle.pop()[0].close()


def aware(found: object) -> datetime:
    """Returns the moment that a column of the type `Instant` gave."""
    at = found if isinstance(found, datetime) else datetime.fromisoformat(str(found))
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def prepare(raw: Any, *more: str, reads: bool) -> None:
    """Gives a connection to SQLite the pragmas that all here have, and `more`; one that `reads` may change nothing."""
    _log_ahead(raw)
    shared = f"busy_timeout = {BUSY_SECONDS * 1000}", "synchronous = NORMAL", f"query_only = {int(reads)}"
    for pragma in (*shared, *more):
        raw.execute(f"PRAGMA {pragma}").close()


def _log_ahead(raw: Any) -> None:
    """Turns SQLite's write-ahead log on. Of processes that do so at once in a new file, it refuses some unheard."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            raw.execute("PRAGMA journal_mode = WAL").close()
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _check(bare: Bare, since: float) -> None:
    if bare.dialect == "postgresql" and time.monotonic() - since > IDLE_SECONDS:
        try:
            bare.run("SELECT 1")
        except Exception:  # whatever is wrong with it, another one is tried
            bare.close()


def _soon(raw: Any) -> None:
    """Begins to write as soon as anybody ends: whoever waits SQLite's way looks ten times a second after a while, and
    can be overtaken for seconds."""
    raw.execute("PRAGMA busy_timeout = 0").close()
    try:
        for _ in range(BUSY_SECONDS * 1000):
            with suppress(sqlite3.OperationalError):
                raw.execute("BEGIN IMMEDIATE")
                return
            time.sleep(0.001)
        raw.execute("BEGIN IMMEDIATE")
    finally:
        raw.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}").close()


def _sqlite(url: str, reads: bool) -> Any:
    raw = sqlite3.connect(
        url.removeprefix(_SQLITE), isolation_level=None, cached_statements=STATEMENTS, check_same_thread=False
    )
    prepare(raw, f"wal_autocheckpoint = {WAL_PAGES}", f"cache_size = -{CACHE_KIB}", reads=reads)
    return raw


def _postgres(url: str) -> Any:
    import psycopg  # 100 ms and 25 MB that SQLite does not need

    raw = psycopg.connect("postgresql://" + url.partition("://")[2], autocommit=True)
    raw.prepared_max = STATEMENTS
    return raw


@lru_cache(4096)
def _spoken(sql: str) -> tuple[str, bool]:
    """Returns a statement as psycopg takes it, and whether it answers with rows."""
    asks = _ASKS.match(sql) is not None and not _CHANGES.search(sql)
    return sql.replace("%", "%%").replace("?", "%s"), asks or "RETURNING" in sql


@lru_cache(4096)
def _spread(head: str, rows: int, width: int, tail: str) -> str:
    row = f"({', '.join('?' * width)})"
    return f"{head} VALUES {', '.join([row] * rows)} {tail}"
