"""A journal that was changed or cut is detected, and what was done to it is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from mercato.core.clock import HandClock
from mercato.kit import Policy
from mercato.kit.acts import START, hashed
from mercato.kit.errors import Tampered
from mercato.kit.ledger import Ledger
from mercato.kit.model import canonical, digest
from mercato.kit.replay import derive, replay
from mercato.kit.tables import acts, books, entries, reserves
from mercato.kit.testing import ACCOUNT, NOON, SMALL_PAYMENTS
from mercato.store import Store, Transaction
from tests.kit.test_ledger import reserved, settled


@pytest.fixture
def ledger(sqlite: Store, clock: HandClock) -> Ledger:
    """A ledger on SQLite: what is checked here is the journal, not the database."""
    made = Ledger(sqlite, clock)
    made.open("agent", Policy.parse(SMALL_PAYMENTS), "operator")
    return made


Tamper = Callable[[Transaction], object]


def rewrite(tx: Transaction) -> object:
    """Changes an amount in an entry."""
    query = sa.update(entries).where(entries.c.seq == 5)
    return tx.execute(query.values(body=sa.func.replace(entries.c.body, "3000000", "1000000")))


def cut(tx: Transaction) -> object:
    """Cuts the end, and moves the book's head back to what is left."""
    last = tx.execute(sa.select(entries.c.seq, entries.c.hash).order_by(entries.c.seq.desc()).offset(2)).first()
    assert last is not None
    tx.execute(sa.delete(entries).where(entries.c.seq > last.seq))
    return tx.execute(sa.update(books).values(seq=last.seq, head=last.hash))


def swap(tx: Transaction) -> object:
    """Exchanges the text of two entries."""
    for low, high in ((3, 900), (4, 3), (900, 4)):
        tx.execute(sa.update(entries).where(entries.c.seq == low).values(seq=high))
    return None


TAMPERINGS: list[tuple[Tamper, str]] = [
    (rewrite, "entry 5 of 'agent' does not have the hash"),
    (swap, "entry 3 of 'agent' does not have the hash"),
    (cut, "act .* is 'done', its journal says 'signed'"),
    (lambda tx: tx.execute(sa.delete(entries).where(entries.c.seq == 4)), "entry 4 of 'agent' is missing"),
    (lambda tx: tx.execute(sa.delete(entries).where(entries.c.seq > 9)), "number of entries of 'agent' is 10"),
    (lambda tx: tx.execute(sa.delete(entries)), "number of entries of 'agent' is 10"),
    (lambda tx: tx.execute(sa.update(reserves).values(units=1)), "reserve .* is 1, its journal says 3000000"),
    (lambda tx: tx.execute(sa.delete(reserves)), "reserve .* is None"),
    (lambda tx: tx.execute(sa.update(acts).values(state="over")), "act .* is 'over'"),
    (lambda tx: tx.execute(sa.update(books).values(frozen=True)), "kill switch"),
    (lambda tx: tx.execute(sa.update(books).values(policy_hash=START)), "policy of 'agent'"),
]


@pytest.mark.parametrize(("tamper", "said"), TAMPERINGS)
def test_what_was_done_to_the_books_is_named(ledger: Ledger, tamper: Tamper, said: str) -> None:
    settled(ledger, reserved(ledger, 3), 3)
    assert replay(ledger.store, "agent").seq == 10
    with ledger.store.transaction() as tx:
        tamper(tx)

    with pytest.raises(Tampered, match=said):
        replay(ledger.store, "agent")


def test_whoever_rewrites_everything_is_caught_by_a_head_that_was_kept_elsewhere(ledger: Ledger) -> None:
    settled(ledger, reserved(ledger, 3), 3)
    kept = ledger.book("agent").head
    reserved(ledger, 1)

    assert replay(ledger.store, "agent", expect=kept).seq > 10
    with pytest.raises(Tampered, match="is not in the journal"):
        replay(ledger.store, "agent", expect="f" * 64)


def test_the_journal_alone_tells_everything(ledger: Ledger) -> None:
    settled(ledger, reserved(ledger, 3), 3)
    found = derive(ledger.journal("agent"))

    assert (found.seq, found.head) == (10, ledger.book("agent").head)
    assert {account for account, _ in found.balances} == {ACCOUNT}


@pytest.mark.parametrize("name", ["agent", 'say "no"', "Ünïcode\u2028\\"])
def test_an_entry_is_hashed_as_the_canonical_json_of_all_of_it(name: str) -> None:
    body = {"b": [1, None], "a": name}
    whole = {
        "book": name, "seq": 7, "at": NOON.isoformat(), "act": name, "arrow": "signed", "body": body, "after": START,
    }  # fmt: skip

    assert hashed(name, 7, NOON, name, "signed", canonical(body), START) == digest(whole)
