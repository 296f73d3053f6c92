"""What a clerk remembers between its turns holds: whatever others commit meanwhile, its next turn sees."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable

import pytest

from mercato.compute.books import Clerk, keys, switch
from mercato.compute.books.replay import replay
from mercato.compute.books.turn import Ask, Release, Settle
from mercato.compute.errors import Forbidden, Short
from mercato.compute.model import Receipt
from mercato.store.bare import Bare
from tests.compute.books.counter import DOLLAR, SIGNER, Counter


@pytest.fixture
def clerk(counter: Counter) -> Clerk:
    """A clerk that has had a turn, and remembers it."""
    made = counter.clerk()
    made.open()
    hold = counter.hold()
    assert made.book([hold]) == [None]
    assert isinstance(made.book([Settle(hold.request, counter.served())])[0], Receipt)
    return made


def revoke(counter: Counter) -> None:
    keys.revoke(counter.till.bare, counter.clock, counter.key.id)


def withdraw(counter: Counter) -> None:
    counter.till.withdraw("ann", DOLLAR - 350 - 999, name="nearly all")


def spend_elsewhere(counter: Counter) -> None:
    other = counter.clerk()
    other.open()
    assert other.book([counter.hold(DOLLAR - 350 - 999)]) == [None]
    other.close()


def stop(scope: str) -> Callable[[Counter], None]:
    def turn(counter: Counter) -> None:
        switch.turn(counter.till, scope.format(counter.key.id), on=True, by="op")

    return turn


@pytest.mark.parametrize(
    ("happens", "refused"),
    [
        (revoke, Forbidden), (withdraw, Short), (spend_elsewhere, Short), (stop("platform"), Forbidden),
        (stop("account:ann"), Forbidden), (stop("key:{}"), Forbidden),
    ],
)  # fmt: skip
def test_what_others_did_meanwhile_holds_in_the_next_turn(
    counter: Counter, clerk: Clerk, happens: Callable[[Counter], None], refused: type[Exception]
) -> None:
    assert clerk.book([counter.hold(1)]) == [None]
    happens(counter)
    (answer,) = clerk.book([counter.hold(1_000)])
    assert isinstance(answer, refused)
    assert replay(counter.till.bare, SIGNER.public).faults == []
    clerk.close()


def test_money_that_another_process_paid_in_may_be_spent_at_once(sqlite: str) -> None:
    code = """import sys; from tests.compute.books.counter import Counter
Counter(sys.argv[1]).till.deposit("ann", 1_000_000, name="second")"""
    with Counter(sqlite) as counter:
        clerk = counter.clerk()
        clerk.open()
        assert clerk.book([counter.hold(DOLLAR)]) == [None]
        assert isinstance(clerk.book([counter.hold(1)])[0], Short)
        subprocess.run([sys.executable, "-c", code, sqlite], check=True)
        assert clerk.book([counter.hold(DOLLAR)]) == [None]
        clerk.close()


def test_a_request_that_another_released_is_not_settled_from_memory(counter: Counter, clerk: Clerk) -> None:
    hold = counter.hold()
    assert clerk.book([hold]) == [None]
    other = counter.clerk()
    other.open()
    assert other.book([Release(hold.request, "elsewhere")]) == [None]
    other.close()
    (answer,) = clerk.book([Settle(hold.request, counter.served())])
    assert not isinstance(answer, Receipt)
    assert counter.balance() == (DOLLAR - 350, 0)
    clerk.close()


def test_two_clerks_in_turn_spend_one_budget_to_the_micro_dollar(counter: Counter) -> None:
    key = counter.new_key("ann", ever=10_000)
    clerks = [counter.clerk(), counter.clerk()]
    for clerk in clerks:
        clerk.open()
    answers = [clerks[at % 2].book([counter.hold(1_500, key=key)])[0] for at in range(8)]
    assert [type(answer) for answer in answers] == [type(None)] * 6 + [Short, Short]
    assert replay(counter.till.bare).faults == []
    for clerk in clerks:
        clerk.close()


@pytest.mark.parametrize("table", ["compute_entry", "compute_receipt", "compute_balance", "compute_lane"])
def test_a_turn_that_was_rolled_back_is_not_remembered(sqlite: str, table: str) -> None:
    done = "UPDATE" if table in ("compute_balance", "compute_lane") else "INSERT"
    fails = f"CREATE TEMP TRIGGER fails BEFORE {done} ON {table} BEGIN SELECT RAISE(ABORT, 'disk'); END"
    with Counter(sqlite) as counter:
        clerk, hold = counter.clerk(), counter.hold()
        clerk.open()
        assert clerk.book([hold]) == [None]
        settle: list[Ask] = [Settle(hold.request, counter.served())]
        clerk.bare.run(fails)  # seen by this connection alone, so that nothing was committed by others
        assert clerk.at_once(settle) is None
        assert isinstance(clerk.book(settle)[0], sqlite3.IntegrityError)
        clerk.bare.run("DROP TRIGGER fails")
        assert isinstance(clerk.book(settle)[0], Receipt)
        assert counter.balance() == (DOLLAR - 350, 0)
        assert replay(counter.till.bare, SIGNER.public).faults == []
        clerk.close()


def test_a_version_changes_by_others_commits_and_connections_alone(sqlite: str) -> None:
    head = "INSERT INTO compute_move (name, lane, seq)"
    with Bare(sqlite) as bare, Bare(sqlite) as other:
        before = bare.version()
        bare.put(head, [("ours", "lane", 1)])
        assert bare.version() == before
        other.put(head, [("theirs", "lane", 2)])
        assert bare.version() != before
        now = bare.version()
        bare.close()
        assert bare.version() != now
