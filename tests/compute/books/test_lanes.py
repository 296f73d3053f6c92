"""Lanes count their open requests, so that what dead workers left is found without an index that each would write."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from alembic import command

from mercato.compute.books import sheet
from mercato.compute.books.replay import replay
from mercato.compute.books.turn import Release, Settle
from mercato.compute.gauges import Books
from mercato.compute.model import Receipt
from mercato.store import Store, migrate
from mercato.store.bare import Bare
from mercato.store.history import config
from tests.compute.books.counter import DOLLAR, SIGNER, Counter

LEASE = timedelta(seconds=30)


def opened(bare: Bare) -> list[int]:
    """Returns how many requests of each lane are open, as it counts itself."""
    return sorted(row[0] for row in bare.run("SELECT open FROM compute_lane WHERE open <> 0"))


def gauged(counter: Counter) -> float:
    books = Books(counter.url, counter.clock, money=False)
    (sample,) = next(one for one in books.collect() if one.name == "mercato_compute_requests_open").samples
    return sample.value


def test_what_several_dead_workers_left_is_released_and_nothing_else(counter: Counter) -> None:
    dead, living = [counter.clerk(lease=LEASE) for _ in range(3)], counter.clerk(lease=LEASE)
    for number, clerk in enumerate(dead, 1):
        clerk.open()
        holds = [counter.hold(10) for _ in range(number + 1)]
        assert clerk.book(holds) == [None] * len(holds)
        assert isinstance(clerk.book([Settle(holds[0].request, counter.served())])[0], Receipt)
        clerk.bare.close()
    assert (opened(counter.till.bare), gauged(counter)) == ([1, 2, 3], 6.0)

    counter.later(seconds=31)
    living.open()
    mine = counter.hold(7)
    assert living.book([mine]) == [None]
    with counter.till.bare.read():
        assert sheet.abandoned(counter.till.bare, 4) == []  # their lanes are not closed yet
    assert living.abandon() == 6
    assert (opened(counter.till.bare), gauged(counter), living.abandon()) == ([1], 1.0, 0)
    assert counter.balance()[1] == 7
    assert replay(counter.till.bare, SIGNER.public).faults == []
    living.close()


def test_what_another_worker_ends_is_counted_in_the_lane_that_reserved_it(counter: Counter) -> None:
    first, other = counter.clerk(), counter.clerk()
    first.open()
    other.open()
    holds = [counter.hold() for _ in range(3)]
    first.book(holds)
    assert opened(counter.till.bare) == [3]
    other.book([Release(holds[0].request, "elsewhere"), counter.hold(), counter.hold()])
    first.book([Release(holds[1].request, "here")])
    assert opened(counter.till.bare) == [1, 2]
    assert replay(counter.till.bare).faults == []
    assert counter.balance() == (DOLLAR - 3_000, 3_000)
    for clerk in (first, other):
        clerk.close()


def test_a_database_of_before_has_its_open_requests_counted(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    store = Store(url)
    with store.transaction() as tx:
        command.upgrade(config(tx), "0011")
        tx.execute(
            sa.text("INSERT INTO compute_lane (lane, seq, head, closed) VALUES ('a', 2, '', 1), ('b', 0, '', 0)")
        )
        for name, state in (("1", "open"), ("2", "done"), ("3", "open")):
            tx.execute(
                sa.text("""INSERT INTO compute_request (id, key, account, need, idem, lane, at_us, bound, slot, state,
                    attempts) VALUES (:name, 'k', 'ann', 'n', '', 'a', 0, 1, 0, :state, '[]')"""),
                {"name": name, "state": state},
            )
    migrate(store)
    store.close()
    with Bare(url) as bare:
        assert bare.run("SELECT lane, open FROM compute_lane ORDER BY lane") == [("a", 2), ("b", 0)]
        assert sheet.abandoned(bare, 16) == ["3", "1"]
