"""The plain connection: it sees what the store sees, commits whole or not at all, and knows what may be tried again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from mercato.core.clock import HandClock
from mercato.core.errors import ConfigError, Conflict
from mercato.store import Store, emit, outbox
from mercato.store.bare import KEPT, Bare, Lender, aware
from mercato.store.tables import schedule
from tests.conformance.store.samples import LampLit

MOMENT = datetime(2026, 3, 2, 12, 0, 0, 120, tzinfo=UTC)


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


def due(store: Store) -> dict[str, datetime]:
    with store.read() as session:
        rows = session.execute(sa.select(schedule)).mappings()
        return {row["name"]: row["due"] for row in rows}


def put(bare: Bare, name: str, at: datetime = MOMENT) -> None:
    bare.run("INSERT INTO store_schedule (name, due) VALUES (?, ?)", (name, bare.moment(at)))


def test_what_a_store_lends_writes_moments_as_the_store_does(store: Store) -> None:
    with store.bare() as bare:
        put(bare, "a", MOMENT.astimezone(timezone(timedelta(hours=-5))))
    with store.bare_read() as bare:
        ((found,),) = bare.run("SELECT due FROM store_schedule WHERE due >= ?", (bare.moment(MOMENT),))

    assert due(store) == {"a": MOMENT}
    assert (aware(found), aware(found).tzinfo) == (MOMENT, UTC)


def test_what_a_store_lends_commits_whole_or_not_at_all_and_once_at_a_time(store: Store) -> None:
    def fail(bare: Bare) -> None:
        put(bare, "a")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), store.bare() as bare:
        fail(bare)
    with store.bare() as bare:
        put(bare, "b")
        with pytest.raises(Conflict, match="inside another"), store.transaction():
            pass
        with pytest.raises(Conflict, match="inside another"), store.bare():
            pass

    assert set(due(store)) == {"b"}


def test_a_lent_reader_changes_nothing(store: Store) -> None:
    with pytest.raises(Exception, match=r"read-?only"), store.bare_read() as bare:
        put(bare, "a")

    assert due(store) == {}


def test_an_event_that_is_written_without_sqlalchemy_leaves_as_any_and_wakes_who_waits(
    store: Store, clock: HandClock
) -> None:
    event, rung = LampLit(time=clock.now(), lamp="hall"), store.wake.count
    with store.bare() as bare:
        emit(bare)
        emit(bare, event)
    with store.transaction() as tx:
        outbox.relay(tx, {}, clock.now())
    with store.read() as session:
        (found,) = outbox.after(session, 0)

    assert store.wake.count > rung
    assert (found.id, found.name, found.time, found.body) == (event.id, event.name, event.time, {"lamp": "hall"})


def test_a_lent_connection_that_its_server_ended_is_made_anew(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mercato.store.bare.IDLE_SECONDS", -1.0)
    end = {"sqlite": "SELECT 1", "postgresql": "SELECT pg_terminate_backend(pg_backend_pid())"}[store.dialect]
    with suppress(Exception), store.bare() as bare:  # PostgreSQL says that it ends it
        bare.run(end)
    with store.bare() as bare:
        put(bare, "a")
    backend = {"sqlite": "SELECT 0", "postgresql": "SELECT pg_backend_pid()"}[store.dialect]
    with store.bare() as bare:
        ((kept,),) = bare.run(backend)
    with store.read() as session:
        session.connection.exec_driver_sql(end.replace("pg_backend_pid()", str(kept)))

    with store.bare() as bare:
        put(bare, "b")
    assert set(due(store)) == {"a", "b"}


def test_an_urgent_writer_begins_as_soon_as_the_one_before_it_ends(store: Store) -> None:
    begun, order = threading.Event(), []

    def freeze() -> None:
        begun.set()
        with store.bare(urgent=True) as bare:
            put(bare, "urgent")
        order.append("urgent")

    with Bare(store.url.render_as_string(hide_password=False)) as other:
        waiting = threading.Thread(target=freeze)
        with other.transaction():
            put(other, "before")
            waiting.start()
            begun.wait(10)
            order.append("before")
        waiting.join(30)

    assert sorted(due(store)) == ["before", "urgent"]
    assert order[0] == "before"


def test_only_so_many_connections_are_kept_for_the_next_one(store: Store) -> None:
    lender = Lender(store.url.render_as_string(hide_password=False))
    with ExitStack() as lent:
        for _ in range(KEPT + 2):
            lent.enter_context(lender.lent()).run("SELECT 1")

    assert len(lender._idle) == KEPT
    lender.close()
    assert lender._idle == []
