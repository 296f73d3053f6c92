"""What the room does later, by a real worker: it clears up after the dead, nets, releases and forgets, at any time."""

from __future__ import annotations

from mercato.compute import audits
from mercato.compute.books import epochs
from mercato.compute.books.epochs import Pay
from mercato.compute.books.turn import Settle
from mercato.compute.jobs import SCHEDULES, SUBSCRIPTIONS, handlers
from mercato.compute.model import Receipt
from mercato.compute.office.service import Office
from mercato.compute.service import Compute
from mercato.store import Store, Worker
from tests.compute.books.counter import ACME, DOLLAR, SIGNER, Counter


def office(counter: Counter) -> Office:
    """Returns what the application opens on the books."""
    return Office(Compute(counter.url, counter.clock, SIGNER))


def test_every_schedule_has_a_handler(counter: Counter) -> None:
    known = handlers(office(counter))
    assert {schedule.kind for schedule in SCHEDULES} == set(known)


def test_a_worker_keeps_the_books_in_order(counter: Counter) -> None:
    store = Store(counter.url)
    worker = Worker(
        store, handlers(office(counter)), subscriptions=SUBSCRIPTIONS, schedules=SCHEDULES, clock=counter.clock
    )
    worker.prepare()
    dead, hold = counter.clerk(), counter.hold(idem="question 1")
    dead.open()
    dead.book([hold, counter.hold(2_000)])
    served = counter.served(audit=True, evidence=b"asked and answered", answer=b"{}", kind="application/json")
    (receipt,) = dead.book([Settle(hold.request, served)])
    assert isinstance(receipt, Receipt)
    dead.bare.close()

    counter.later(hours=1)
    worker.drain()
    assert counter.balance() == (DOLLAR - 350, 0)
    assert [one.state for one in epochs.settlements(counter.till.bare)] == [Pay.HELD]
    counter.later(days=8)
    worker.drain()
    worker.drain()
    assert [one.state for one in epochs.settlements(counter.till.bare)] == [Pay.DUE]
    assert counter.till.balances()[f"provider:{ACME}:due"] == 350
    assert counter.till.bare.run("SELECT COUNT(*) FROM compute_answer") == [(0,)]
    counter.later(days=30)
    worker.drain()
    (audit,) = audits.latest(counter.till.bare)
    assert (audit.verdict, audits.take(counter.till.bare, counter.clock.now())) == ("", [])
    assert counter.till.bare.run("SELECT COUNT(*) FROM compute_audit WHERE evidence IS NOT NULL") == [(0,)]
    store.close()
