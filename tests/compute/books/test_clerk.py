"""A clerk that lost its lease, its connection or its process: what it held is released once, and it goes on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mercato.compute.books.replay import replay
from mercato.compute.books.turn import Release, Settle
from mercato.compute.model import Receipt, Usage
from mercato.compute.service import Compute
from mercato.core.errors import InvalidInput
from mercato.store.bare import Bare
from mercato.store.errors import Lost
from tests.compute.books.counter import DOLLAR, SIGNER, Counter
from tests.postgres import Cluster

LEASE = timedelta(seconds=30)


def test_what_a_dead_worker_left_is_released_when_its_lease_is_over_and_once(counter: Counter) -> None:
    dead, living = counter.clerk(lease=LEASE), counter.clerk(lease=LEASE)
    dead.open()
    living.open()
    dead.book([counter.hold(), counter.hold()])
    assert living.abandon() == 0
    counter.later(seconds=31)
    other = Compute(counter.url, counter.clock, SIGNER)
    assert other.recover() == 2
    assert (other.recover(), living.abandon()) == (0, 0)
    assert counter.balance() == (DOLLAR, 0)
    assert replay(counter.till.bare).faults == []
    for clerk in (dead, living):
        clerk.close()


def test_a_worker_that_was_only_asleep_loses_what_it_held_and_begins_a_new_lane(counter: Counter) -> None:
    asleep, other = counter.clerk(lease=LEASE), counter.clerk(lease=LEASE)
    asleep.open()
    old, hold = asleep.lane, counter.hold()
    asleep.book([hold])
    counter.later(seconds=31)
    other.open()
    assert other.abandon() == 1
    answers = asleep.book([Settle(hold.request, counter.served()), counter.hold(2_000)])
    assert [type(answer) for answer in answers] == [Lost, type(None)]
    assert asleep.lane != old
    assert counter.balance() == (DOLLAR - 2_000, 2_000)
    assert replay(counter.till.bare).faults == []
    for clerk in (asleep, other):
        clerk.close()


def test_a_lease_that_is_renewed_by_work_keeps_its_requests(counter: Counter) -> None:
    clerk, other = counter.clerk(lease=LEASE), counter.clerk(lease=LEASE)
    clerk.open()
    first = counter.hold()
    clerk.book([first])
    for _ in range(3):
        counter.later(seconds=20)
        clerk.book([counter.hold(1)])
    other.open()
    assert other.abandon() == 0
    assert isinstance(clerk.book([Settle(first.request, counter.served())])[0], Receipt)
    for each in (clerk, other):
        each.close()


def test_a_commit_whose_answer_did_not_come_is_not_booked_twice(counter: Counter) -> None:
    clerk = counter.clerk()
    clerk.open()
    hold = counter.hold()
    for _ in range(2):
        assert clerk.book([hold]) == [None]
    settle = Settle(hold.request, counter.served())
    assert clerk.book([settle]) == clerk.book([settle])
    (late,) = clerk.book([Release(hold.request, "late")])
    assert isinstance(late, Lost)
    assert counter.balance() == (DOLLAR - 350, 0)
    clerk.close()


def test_a_clerk_that_forgot_where_its_lane_ends_learns_it(counter: Counter) -> None:
    clerk = counter.clerk()
    clerk.open()
    begun = clerk.seq, clerk.head
    assert clerk.book([counter.hold()]) == [None]
    clerk.seq, clerk.head = begun
    assert clerk.book([counter.hold()]) == [None]
    assert clerk.seq == 2
    assert replay(counter.till.bare).faults == []
    clerk.close()


def test_a_clerk_outlives_its_connection(postgres: Cluster) -> None:
    with postgres.database() as url, Counter(url) as other:
        clerk = other.clerk()
        clerk.open()
        (pid,) = clerk.bare.run("SELECT pg_backend_pid()")[0]
        with Bare(url) as admin:
            admin.run("SELECT pg_terminate_backend(?)", (pid,))
        assert clerk.book([other.hold()]) == [None]
        assert other.balance() == (DOLLAR - 1_000, 1_000)
        clerk.close()


def test_a_limit_below_nought_is_refused(counter: Counter) -> None:
    clerk = counter.clerk()
    clerk.open()
    (answer,) = clerk.book([counter.hold(-1)])
    assert isinstance(answer, InvalidInput)
    clerk.close()


@pytest.mark.parametrize("fee", [0, 250, 10_000])
def test_the_gateways_fee_is_part_of_what_is_charged(sqlite: str, fee: int) -> None:
    with Counter(sqlite) as counter:
        clerk = counter.clerk(fee_bps=fee)
        clerk.open()
        hold = counter.hold()
        clerk.book([hold])
        (receipt,) = clerk.book([Settle(hold.request, counter.served())])
        assert isinstance(receipt, Receipt)
        assert (receipt.charged, receipt.earned) == (350, 350 * (10_000 - fee) // 10_000)
        assert counter.till.balances().get("gateway", 0) == receipt.charged - receipt.earned
        clerk.close()


def test_a_part_of_a_micro_dollar_is_paid_by_the_user_and_earned_by_nobody_but_the_gateway(sqlite: str) -> None:
    few = Usage(prompt=10, completion=3)  # 3.8 micro-dollars
    with Counter(sqlite) as counter:
        clerk = counter.clerk()
        clerk.open()
        hold = counter.hold()
        clerk.book([hold])
        (receipt,) = clerk.book([Settle(hold.request, counter.served(claimed=few, counted=few))])
        clerk.close()
        assert isinstance(receipt, Receipt)
        assert (receipt.charged, receipt.earned) == (4, 3)
        assert counter.till.balances()["gateway"] == 1
