"""The plain connection: it sees what the store sees, commits whole or not at all, and knows what may be tried again."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from mercato.core.errors import ConfigError, Conflict
from mercato.store import Store
from mercato.store.bare import Bare


@pytest.fixture
def bare(store: Store) -> Iterator[Bare]:
    with Bare(store.url.render_as_string(hide_password=False)) as made:
        with made.transaction():
            made.run("CREATE TABLE lamp (id TEXT PRIMARY KEY, watts BIGINT, lit BOOLEAN)")
        yield made


def lamps(bare: Bare) -> list[tuple]:
    with bare.read():
        return bare.run("SELECT id, watts FROM lamp ORDER BY id")


def test_many_rows_are_one_statement_and_rows_come_back(bare: Bare) -> None:
    with bare.transaction():
        made = sorted(
            bare.many("INSERT INTO lamp (id, watts, lit)", [("a", 5, True), ("b", None, False)], "RETURNING id")
        )
        assert made == [("a",), ("b",)]
        assert bare.many("INSERT INTO lamp (id, watts, lit)", []) == []
        assert bare.run("UPDATE lamp SET watts = ? WHERE id = ?", (7, "a")) == []
        assert bare.run("WITH lit AS (SELECT id FROM lamp WHERE lit) SELECT id FROM lit WHERE id LIKE '%a%'") == [
            ("a",)
        ]
    assert lamps(bare) == [("a", 7), ("b", None)]
    bare.close()
    assert lamps(bare) == [("a", 7), ("b", None)]


def test_what_raises_leaves_nothing(bare: Bare) -> None:
    (failed,) = caught(bare, twice=True)
    assert "unique" in str(failed).lower()
    assert not bare.again(failed)
    assert lamps(bare) == []
    assert caught(bare) == []


def test_a_transaction_does_not_nest(bare: Bare) -> None:
    with bare.transaction(), pytest.raises(Conflict), bare.read():
        pass


def light(bare: Bare, names: str, meet: threading.Barrier, errors: list[bool]) -> None:
    """Lights lamps in one transaction, and again where the database asks for it."""
    with Bare(bare.url) as own:
        for turn in range(4):
            try:
                with own.transaction():
                    for name in names:
                        own.run("UPDATE lamp SET watts = watts + 1 WHERE id = ? RETURNING id", (name,))
                        if own.dialect == "postgresql" and not turn and name == names[0]:
                            meet.wait(10)  # until both hold one row
                return
            except Exception as error:
                errors.append(own.again(error))


def test_who_would_deadlock_may_try_again(bare: Bare) -> None:
    """Two transactions that take two rows in opposite order: on SQLite the second waits from its start."""
    with bare.transaction():
        bare.many("INSERT INTO lamp (id, watts)", [("a", 0), ("b", 0)])
    errors: list[bool] = []
    meet = threading.Barrier(2)
    threads = [threading.Thread(target=light, args=(bare, names, meet, errors)) for names in ("ab", "ba")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert all(errors)
    assert lamps(bare) == [("a", 2), ("b", 2)]


def test_a_hasty_one_does_not_wait_for_another_writer(bare: Bare) -> None:
    with Bare(bare.url) as other:
        other.hasten(True)
        with bare.transaction():
            bare.run("INSERT INTO lamp (id) VALUES (?)", ("a",))
            failed = caught(other)
        assert [other.again(error) for error in failed] == [True] * len(failed)
        other.hasten(False)
        other.checkpoint()
    assert len(failed) == {"sqlite": 1, "postgresql": 0}[bare.dialect]


def caught(bare: Bare, *, twice: bool = False) -> list[Exception]:
    """Lights a lamp, or the same twice; returns what was raised by the transaction."""
    try:
        with bare.transaction():
            for _ in range(1 + twice):
                bare.run("INSERT INTO lamp (id) VALUES (?)", ("b",))
    except Exception as error:
        return [error]
    return []


@pytest.mark.parametrize("url", ["", "mysql://x/y", "postgres://x/y", "file.db"])
def test_only_databases_that_are_known_are_opened(url: str) -> None:
    with pytest.raises(ConfigError):
        Bare(url)
