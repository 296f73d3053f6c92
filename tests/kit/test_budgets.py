"""What is remembered of budgets is what the books hold, whoever else writes in them meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.core.clock import HandClock
from mercato.kit import Policy, sheet
from mercato.kit.acts import Act, Signed, State
from mercato.kit.budgets import MOST, Memory, Sum
from mercato.kit.errors import Denied, Taken
from mercato.kit.ledger import Ledger
from mercato.kit.testing import FRIEND, NOON, POOL, SMALL_PAYMENTS, intent, payment
from mercato.store import Store

SMALL = SMALL_PAYMENTS.replace("86400", "60").replace(f'recipients = ["{FRIEND}"]', 'recipients = ["any"]')
EACH = '\n[[budgets]]\nname = "each"\nasset = "USD"\ncap = "300"\nseconds = 90\nper = "recipient"\n'
EVER = '\n[[budgets]]\nname = "ever"\nasset = "USD"\ncap = "900"\n'
POLICY = Policy.parse(SMALL + EACH + EVER)
LONGER = Policy.parse((SMALL + EACH + EVER).replace("60", "75"))
DOLLARS = 10**6


class Life:
    """Two ledgers of one book, as two processes have them, and what they have open."""

    def __init__(self, folder: Path) -> None:
        self.store, self.clock = Store(f"sqlite:///{folder / 'kit.db'}"), HandClock(NOON)
        self.ledgers = [Ledger(self.store, self.clock), Ledger(self.store, self.clock)]
        self.policy = POLICY
        self.ledgers[0].open("agent", POLICY, "operator")
        self.open: list[tuple[Ledger, Act]] = []

    def reserve(self, who: int, number: int) -> None:
        wanted, effects = intent(), payment((number + 1) * 10 * DOLLARS, [FRIEND, POOL][number % 2])
        decision = self.policy.judge(wanted, effects, self.clock.now())
        with suppress(Denied):
            act = self.ledgers[who].reserve(wanted, {}, effects, decision, floor=0, count=1)
            self.open.append((self.ledgers[who], act))

    def settle(self, who: int, number: int) -> None:
        for ledger, act in self.open[:1]:
            signed = ledger.sign(act, [Signed(act.places[0], act.id, b"")])
            spent = [replace(item, units=item.units * number // 10) for item in act.decision.reserves]
            ledger.settle(signed, act.effects, [item for item in spent if item.units], {"succeeded": True}, act.places)
        del self.open[:1]

    def release(self, who: int, number: int) -> None:
        for ledger, act in self.open[-1:]:
            ledger.release(act, "changed its mind")
        del self.open[-1:]

    def wait(self, who: int, number: int) -> None:
        self.clock.move(timedelta(seconds=number * 5))

    def rule(self, who: int, number: int) -> None:
        self.policy = [POLICY, LONGER][number % 2]
        self.ledgers[who].open("agent", self.policy, "operator")

    def used(self, who: int) -> dict[tuple[str, str], int]:
        """Returns the dollars that a ledger remembers of each budget."""
        sums = self.ledgers[who]._sums.recall("agent", self.ledgers[who].book("agent").head)
        return {key: found.units // DOLLARS for key, found in sums.items()}

    def agree(self) -> None:
        """Compares what both remember with the books added up anew."""
        for ledger in self.ledgers:
            sums = ledger._sums.recall("agent", ledger.book("agent").head)
            with self.store.bare_read() as bare:
                for (budget, scope), known in sums.items():
                    assert known.units == sheet.reserved(bare, "agent", budget, scope, known.since)


WAYS: dict[str, Callable[[Life, int, int], None]] = {
    "reserve": Life.reserve, "settle": Life.settle, "release": Life.release, "wait": Life.wait, "rule": Life.rule,
}  # fmt: skip
STEPS = st.tuples(st.sampled_from(["reserve", *WAYS, "reserve"]), st.integers(0, 1), st.integers(0, 9))


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(STEPS, min_size=5, max_size=25))
def test_what_is_remembered_is_what_the_books_hold(migrated: Path, steps: list[tuple[str, int, int]]) -> None:
    with TemporaryDirectory() as folder:
        copy(migrated, Path(folder) / "kit.db")
        life = Life(Path(folder))
        for way, who, number in steps:
            WAYS[way](life, who, number)
            life.agree()
        life.store.close()


@pytest.fixture
def life(sqlite: Store, tmp_path: Path) -> Iterator[Life]:
    made = Life(tmp_path)
    yield made
    made.store.close()


def test_what_is_settled_after_it_left_the_window_changes_no_sum(life: Life) -> None:
    life.reserve(0, 8)
    life.clock.move(timedelta(seconds=91))
    life.reserve(0, 2)
    life.settle(0, 3)

    life.agree()
    assert life.used(0) == {("day", ""): 30, ("each", FRIEND): 30, ("ever", ""): 57}


def test_a_clock_that_was_set_back_counts_again_what_had_left_the_window(life: Life) -> None:
    life.reserve(0, 0)
    life.clock.move(timedelta(seconds=91))
    life.reserve(0, 2)
    life.ledgers[0].clock = HandClock(NOON + timedelta(seconds=30))
    life.reserve(0, 4)

    life.agree()
    assert life.used(0) == {("day", ""): 90, ("each", FRIEND): 90, ("ever", ""): 90}


def test_a_sum_is_of_one_head_and_only_so_many_are_kept() -> None:
    memory, sums = Memory(), {("day", ""): Sum(7, None)}
    memory.keep("agent", "a", sums)

    assert memory.recall("agent", "a") == sums
    assert memory.recall("agent", "b") == memory.recall("other", "a") == {}
    memory.keep("agent", "b", {("each", str(number)): Sum(1, None) for number in range(MOST + 1)})
    assert memory.recall("agent", "b") == {}


def test_a_transaction_that_failed_is_not_remembered(ledger: Ledger) -> None:
    wanted, effects = intent(), payment(100 * DOLLARS)
    decision = Policy.parse(SMALL_PAYMENTS).judge(wanted, effects, NOON)
    act = ledger.reserve(wanted, {}, effects, decision, floor=0, count=1)
    head = ledger.book("agent").head
    with suppress(Taken):
        ledger.reserve(wanted, {}, effects, decision, floor=0, count=1)

    assert ledger.acts("agent", [State.RESERVED]) == [act]
    assert ledger._sums.recall("agent", head) == {("day", ""): Sum(100 * DOLLARS, NOON - timedelta(seconds=86_400))}
