"""Transactions commit whole or not at all, and readers see one moment."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from mercato.core.errors import Conflict, InvalidInput
from mercato.store import Store, Transaction
from mercato.store.tables import schedule

NOON = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)


def write(store: Store, name: str, due: datetime = NOON) -> None:
    with store.transaction() as tx:
        tx.execute(sa.insert(schedule).values(name=name, due=due))


def fail_after_writing(tx: Transaction) -> None:
    tx.execute(sa.insert(schedule).values(name="a", due=NOON))
    raise ZeroDivisionError


def names(store: Store) -> list[str]:
    with store.read() as session:
        return list(session.execute(sa.select(schedule.c.name).order_by(schedule.c.name)).scalars())


def test_a_block_that_raises_changes_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction() as tx:
        fail_after_writing(tx)

    assert names(store) == []


def test_a_block_that_ends_is_seen_by_everyone(store: Store) -> None:
    write(store, "a")

    assert names(store) == ["a"]


def test_a_transaction_inside_another_is_refused_and_the_outer_one_goes_on(store: Store) -> None:
    with store.transaction() as tx:
        tx.execute(sa.insert(schedule).values(name="outer", due=NOON))
        with pytest.raises(Conflict, match="inside another"), store.transaction():
            raise AssertionError("unreachable")

    write(store, "later")
    assert names(store) == ["later", "outer"]


def test_a_reader_changes_nothing(store: Store) -> None:
    with pytest.raises(DBAPIError, match=r"read-?only"), store.read() as session:
        session.execute(sa.insert(schedule).values(name="a", due=NOON))

    write(store, "b")
    assert names(store) == ["b"]


def test_a_reader_sees_the_moment_at_which_it_began(store: Store) -> None:
    with store.read() as session:
        before = session.execute(sa.select(sa.func.count()).select_from(schedule)).scalar_one()
        write(store, "a")
        after = session.execute(sa.select(sa.func.count()).select_from(schedule)).scalar_one()

    assert (before, after) == (0, 0)
    assert names(store) == ["a"]


def test_a_time_comes_back_in_utc_to_the_microsecond_whatever_its_zone_was(store: Store) -> None:
    write(store, "a", NOON.astimezone(timezone(timedelta(hours=-5))))

    with store.read() as session:
        found = session.execute(sa.select(schedule.c.due)).scalar_one()

    assert (found, found.tzinfo) == (NOON, UTC)


def test_times_sort_as_moments_whatever_their_zone(store: Store) -> None:
    write(store, "late", NOON.astimezone(timezone(timedelta(hours=-11))) + timedelta(seconds=1))
    write(store, "early", NOON.astimezone(timezone(timedelta(hours=11))))

    with store.read() as session:
        ordered = list(session.execute(sa.select(schedule.c.name).order_by(schedule.c.due)).scalars())
        upto = list(session.execute(sa.select(schedule.c.name).where(schedule.c.due <= NOON)).scalars())

    assert (ordered, upto) == (["early", "late"], ["early"])


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(sa.exc.StatementError) as caught:
        write(store, "a", datetime(2026, 3, 2))  # noqa: DTZ001 - a bare moment is what is refused

    assert isinstance(caught.value.orig, InvalidInput)
    assert names(store) == []
