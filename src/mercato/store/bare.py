"""One connection without SQLAlchemy, for a process that must stay small and a path that must stay short.

SQLAlchemy costs about 20 MB and, for a transaction of a few short statements, more time than the statements do. Tables
are declared and migrated as everywhere; only the statements are plain SQL here, with `?` for each value:

    with Bare(url) as bare, bare.transaction():
        bare.run("UPDATE lamp SET lit = ? WHERE id = ? RETURNING id", (True, "a"))
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import lru_cache
from typing import Any

from mercato.core.errors import ConfigError, Conflict

BUSY_SECONDS = 30
STATEMENTS = 256
WAL_PAGES = 8_192  # 32 MB, where nobody calls `checkpoint`
_SQLITE = "sqlite:///"
_ASKS = re.compile(r"\s*(SELECT|WITH|VALUES|SHOW)\b")
_CHANGES = re.compile(r"\b(INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b")
#: Deadlock found, serialization failed, and the server going away: a transaction that met them may be tried again.
_AGAIN = ("40P01", "40001", "57P01", "57P02", "57P03")

Row = tuple[Any, ...]


class Bare:
    """One connection to the database of a URL as `Store` takes it. Not safe to share between threads."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.dialect = "sqlite" if url.startswith(_SQLITE) else "postgresql"
        if self.dialect == "postgresql" and url.partition("://")[0].partition("+")[0] != "postgresql":
            raise ConfigError("database URL was not readable", hint="write sqlite:///FILE or postgresql://…")
        self._raw: Any = None
        self._inside = self._hasty = False

    def run(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Runs one statement and returns its rows, none where it returns none. Each `?` stands for a value.

        Within a transaction on PostgreSQL, what is wrong with a statement without rows is raised by a later one, or at
        the end.
        """
        if self.dialect == "sqlite":
            return list(self._connection().execute(sql, values))
        text, answers = _spoken(sql)
        cursor = self._connection().execute(text, values)
        return cursor.fetchall() if answers else []

    def many(self, head: str, rows: Sequence[Sequence[object]], tail: str = "") -> list[Row]:
        """Runs one statement over all rows: `head`, then VALUES with each row, then `tail`. No rows: nothing runs."""
        if not rows:
            return []
        return self.run(_spread(head, len(rows), len(rows[0]), tail), [value for row in rows for value in row])

    @contextmanager
    def transaction(self) -> Iterator[Bare]:
        """Commits at the end of the block, rolls back where it raises. On SQLite nobody else writes meanwhile."""
        with self._between("BEGIN IMMEDIATE" if self.dialect == "sqlite" else "BEGIN"):
            yield self

    @contextmanager
    def read(self) -> Iterator[Bare]:
        """Sees one moment of the database."""
        with self._between("BEGIN" if self.dialect == "sqlite" else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"):
            yield self

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
        raw, self._raw, self._hasty = self._raw, None, False
        if raw is not None:
            raw.close()

    def __enter__(self) -> Bare:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @contextmanager
    def _between(self, begin: str) -> Iterator[None]:
        if self._inside:
            raise Conflict("transaction was opened inside another one", hint="pass the open one as an argument")
        raw = self._connection()
        self._inside = True
        try:
            # PostgreSQL gets statements as they come and answers when an answer is wanted: fewer ways there and back.
            with raw.pipeline() if self.dialect == "postgresql" else nullcontext():
                raw.execute(begin)
                yield
                raw.execute("COMMIT")
        except BaseException:
            with suppress(Exception):  # what went wrong first is what is told
                raw.execute("ROLLBACK")
            raise
        finally:
            self._inside = False

    def _connection(self) -> Any:
        if self._raw is None:
            self._raw = _sqlite(self.url) if self.dialect == "sqlite" else _postgres(self.url)
        return self._raw


def _sqlite(url: str) -> Any:
    raw = sqlite3.connect(
        url.removeprefix(_SQLITE), isolation_level=None, cached_statements=STATEMENTS, check_same_thread=False
    )
    pragmas = (f"busy_timeout = {BUSY_SECONDS * 1000}", "journal_mode = WAL", "synchronous = NORMAL")
    for pragma in (*pragmas, f"wal_autocheckpoint = {WAL_PAGES}"):
        raw.execute(f"PRAGMA {pragma}").close()
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
