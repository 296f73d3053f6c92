"""Whatever is asked of the books in whatever order and company: money is neither made nor lost, and limits hold."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.compute.books import Clerk, Served, disputes, epochs
from mercato.compute.books.ledger import cost
from mercato.compute.books.replay import Derived, replay
from mercato.compute.books.turn import Ask, Release, Settle
from mercato.compute.books.words import PAID, State
from mercato.compute.model import End, KeyId, Price, ProviderId, Receipt, Usage
from mercato.core.money import UP
from tests.compute.books.counter import DOLLAR, SIGNER, Counter
from tests.profiles import examples

counts = st.integers(0, 5_000)
usages = st.builds(lambda prompt, completion, cached: Usage(prompt, completion, min(cached, prompt)), *[counts] * 3)
prices = st.builds(Price, st.integers(0, 10**9), st.integers(0, 10**9), st.none() | st.integers(0, 10**9))
ends = st.sampled_from(End)
PROVIDERS = [ProviderId(f"prov_{name}") for name in "abc"]
#: One step: which account, how much at most, what then, what was claimed and counted, and which provider served.
steps = st.tuples(
    st.sampled_from(["ann", "bob"]), st.integers(0, DOLLAR), st.sampled_from(["settle", "release", "leave", "twice"]),
    usages, usages, prices, ends, st.sampled_from(PROVIDERS),
)  # fmt: skip
turns = st.lists(st.lists(steps, min_size=1, max_size=6), min_size=1, max_size=6)
between = st.lists(st.sampled_from(["epoch", "release", "withhold", "week", "nothing"]), min_size=6, max_size=6)


@contextmanager
def books(migrated: Path) -> Iterator[Counter]:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(migrated, Path(folder) / "books.db")
        with Counter(f"sqlite:///{folder}/books.db") as made:
            yield made


def take(clerk: Clerk, asks: list[Ask]) -> None:
    """Asks all at once, and each of them again, as a client or a worker in doubt would."""
    clerk.book(asks)
    clerk.book([ask for ask in asks if isinstance(ask, Settle | Release)])


def step(counter: Counter, what: str) -> None:
    """What happens between two turns of the clerk, mostly by jobs."""
    if what == "epoch":
        epochs.close(counter.till)
    elif what == "release":
        epochs.release(counter.till)
    elif what == "week":
        counter.later(days=8)
    elif what == "withhold":
        found = disputes.withhold(counter.till, PROVIDERS[0], "a verdict", {})
        disputes.decide(counter.till, found.id, uphold=found.amount % 2 == 0, by="op", why="")


def live(counter: Counter, drawn: list[list[tuple]], between: list[str]) -> Derived:
    keys = {"ann": counter.key, "bob": counter.new_key("bob", ever=DOLLAR // 2)}
    counter.till.deposit("bob", DOLLAR, name="second")
    clerk = counter.clerk()
    clerk.open()
    for turn, what in zip(drawn, between, strict=False):
        holds = [counter.hold(limit, key=keys[account]) for account, limit, *_ in turn]
        clerk.book(holds)
        asks: list[Ask] = []
        for hold, (_, _, way, claimed, counted, price, end, provider) in zip(holds, turn, strict=True):
            served = counter.served(
                key=hold.key, claimed=claimed, counted=counted, price=price, end=end, provider=provider
            )
            ways: dict[str, list[Ask]] = {
                "settle": [Settle(hold.request, served)], "release": [Release(hold.request, "no provider")],
                "leave": [], "twice": [Settle(hold.request, served), Release(hold.request, "after all")],
            }  # fmt: skip
            asks += ways[way]
        take(clerk, asks)
        step(counter, what)
    clerk.bare.close()
    return replay(counter.till.bare, SIGNER.public)


@settings(max_examples=examples(50))
@given(turns, between)
def test_money_is_conserved_and_the_log_agrees(migrated: Path, drawn: list[list[tuple]], between: list[str]) -> None:
    with books(migrated) as counter:
        found = live(counter, drawn, between)
        balances = counter.till.balances()

    assert found.faults == []
    assert sum(balances.values()) == 0
    assert min(micro for account, micro in balances.items() if account != "outside") >= 0
    for account in ("ann", "bob"):
        open_ = sum(it.limit for it in found.requests.values() if (it.account, it.state) == (account, State.OPEN))
        assert balances.get(f"reserved:{account}", 0) == open_
    bobs = [it for it in found.requests.values() if it.account == "bob"]
    assert sum(it.charged + (it.limit if it.state is State.OPEN else 0) for it in bobs) <= DOLLAR // 2


@given(usages, usages, prices, ends, st.integers(0, 10**7), st.integers(0, 10_000))
def test_nobody_pays_or_is_paid_for_more_than_both_counts(
    claimed: Usage, counted: Usage, price: Price, end: End, limit: int, fee: int
) -> None:
    served = Served(KeyId("key_a"), PROVIDERS[0], "toy", end, "", "", claimed, counted, price)
    charged, earned = cost(served, limit, fee)
    most = min(limit, price.of(claimed, round=UP), price.of(counted, round=UP)) if end in PAID else 0
    assert 0 <= earned <= charged <= most


class Power(Exception):
    """The power failed."""


class Failing:
    """A cursor whose connection is lost after so many statements, other than the one that undoes them."""

    def __init__(self, cursor: Any, statements: int) -> None:
        self._cursor, self._left = cursor, statements

    def execute(self, sql: str, *values: object) -> Any:
        return self._do(self._cursor.execute, sql, *values)

    def executemany(self, sql: str, *rows: object) -> Any:
        return self._do(self._cursor.executemany, sql, *rows)

    def _do(self, work: Any, sql: str, *values: object) -> Any:
        self._left -= sql != "ROLLBACK"
        if self._left < 0 and sql != "ROLLBACK":
            raise Power
        return work(sql, *values)


def cut_after(counter: Counter, settle: Settle, statements: int) -> bool:
    """Settles, and cuts the power after so many statements; returns whether the turn was over before."""
    clerk = counter.clerk()
    clerk.open()
    cursor = clerk.bare._cursor
    clerk.bare._cursor = Failing(cursor, statements)
    (answer,) = clerk.book([settle])
    clerk.bare._cursor = cursor
    clerk.close()
    return isinstance(answer, Receipt)


def test_a_turn_that_is_interrupted_anywhere_leaves_nothing_behind(sqlite: str) -> None:
    with Counter(sqlite) as counter:
        hold = counter.hold()
        first = counter.clerk()
        first.open()
        assert first.book([hold]) == [None]
        cuts = 0
        while not cut_after(counter, Settle(hold.request, counter.served()), cuts):
            assert counter.balance() == (DOLLAR - 1_000, 1_000)
            assert replay(counter.till.bare).faults == []
            cuts += 1
        assert cuts >= 8
        assert counter.balance() == (DOLLAR - 350, 0)
        first.close()
