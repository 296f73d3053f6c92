"""Books are exact: reserved before it is signed, settled or given back afterwards, one act after the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from mercato.core.clock import HandClock
from mercato.core.errors import InvalidInput, NotFound
from mercato.kit import Effects, Intent, Policy
from mercato.kit.acts import Act, Arrow, Signed, State
from mercato.kit.errors import Denied, Frozen, Taken
from mercato.kit.ledger import Ledger
from mercato.kit.replay import replay
from mercato.kit.testing import ACCOUNT, DOLLAR, NOON, SMALL_PAYMENTS, intent, payment
from mercato.store import Store

POLICY = Policy.parse(SMALL_PAYMENTS)
DOLLARS = 10**6
RAW = (Signed(0, "0x" + "ab" * 32, b"raw"),)


def reserved(ledger: Ledger, dollars: int, wanted: Intent | None = None, floor: int = 0) -> Act:
    """Reserves a payment of that many dollars."""
    wanted = wanted or intent()
    effects = payment(dollars * DOLLARS)
    decision = POLICY.judge(wanted, effects, NOON)
    return ledger.reserve(wanted, {"steps": []}, effects, decision, floor=floor, count=1)


def settled(ledger: Ledger, act: Act, dollars: int) -> Act:
    """Books that the act moved that many dollars."""
    effects = payment(dollars * DOLLARS)
    spent = POLICY.judge(act.intent, effects, NOON).reserves
    return ledger.settle(ledger.sign(act, RAW), effects, spent, {"succeeded": True}, act.places)


def arrows(ledger: Ledger, act: str = "") -> list[Arrow]:
    return [entry.arrow for entry in ledger.journal("agent", act=act)]


def test_a_cap_holds_to_the_unit(ledger: Ledger) -> None:
    for _ in range(5):
        reserved(ledger, 100)

    wanted, effects = intent(), payment(1)
    with pytest.raises(Denied, match=r"budget 'day' has 0 of .* left, the act needs 1"):
        ledger.reserve(wanted, {}, effects, POLICY.judge(wanted, effects, NOON), floor=0, count=1)
    assert arrows(ledger)[-2:] == [Arrow.DECIDED, Arrow.DECIDED]


def test_what_leaves_the_window_is_free_again(ledger: Ledger, clock: HandClock) -> None:
    for _ in range(5):
        reserved(ledger, 100)
    clock.move(timedelta(seconds=86_399))
    with pytest.raises(Denied):
        reserved(ledger, 1)
    clock.move(timedelta(seconds=1))

    assert reserved(ledger, 100).state is State.RESERVED


def test_what_was_not_spent_is_free_again_from_the_moment_of_its_reserve(ledger: Ledger, clock: HandClock) -> None:
    acts = [reserved(ledger, 100) for _ in range(5)]
    settled(ledger, acts[0], 40)
    ledger.release(acts[1], "it was never signed")

    assert reserved(ledger, 100).state is State.RESERVED
    assert reserved(ledger, 60).state is State.RESERVED
    with pytest.raises(Denied, match="has 0 of"):
        reserved(ledger, 1)
    assert sum(sum(found.values()) for found in replay(ledger.store, "agent").reserves.values()) == 500 * DOLLARS


@pytest.mark.parametrize("dollars", [100, 99])  # as much as was reserved, and less
def test_what_was_spent_counts_from_its_reserve_and_not_from_its_settlement(
    ledger: Ledger, clock: HandClock, dollars: int
) -> None:
    acts = [reserved(ledger, 100) for _ in range(5)]
    clock.move(timedelta(hours=1))
    for act in acts:
        settled(ledger, act, dollars)
    clock.move(timedelta(hours=23))

    assert reserved(ledger, 100).state is State.RESERVED


def test_each_act_gets_places_of_its_own_and_freed_ones_come_first(ledger: Ledger) -> None:
    acts = [reserved(ledger, 1, floor=7) for _ in range(3)]
    ledger.release(acts[1], "gone")

    assert [act.places for act in acts] == [(7,), (8,), (9,)]
    assert reserved(ledger, 1, floor=7).places == (8,)
    assert reserved(ledger, 1, floor=12).places == (12,)
    assert reserved(ledger, 1, floor=3).places == (13,)


def test_an_act_takes_each_step_once_and_by_its_owner_only(ledger: Ledger, clock: HandClock) -> None:
    act = reserved(ledger, 1)
    other = Ledger(ledger.store, clock)

    with pytest.raises(Taken):
        other.sign(act, RAW)
    with pytest.raises(Taken):
        reserved(ledger, 1, act.intent)
    done = settled(ledger, act, 1)
    with pytest.raises(Taken):
        ledger.release(done, "again")
    assert arrows(ledger, act.id)[:8] == [
        Arrow.INTENDED, Arrow.PLANNED, Arrow.REHEARSED, Arrow.DECIDED, Arrow.RESERVED, Arrow.SIGNED, Arrow.CONFIRMED,
        Arrow.SETTLED,
    ]  # fmt: skip


def test_an_open_act_is_taken_over_once_its_lease_is_over(ledger: Ledger, clock: HandClock) -> None:
    act = ledger.sign(reserved(ledger, 1), RAW)
    other = Ledger(ledger.store, clock)

    assert other.claim("agent") == []
    clock.move(ledger.lease)
    assert [item.signed for item in other.claim("agent")] == [RAW]
    with pytest.raises(Taken):
        ledger.release(act, "too late")
    assert other.release(other.act(act.id), "it never came").state is State.OVER


def test_whoever_signs_late_holds_the_act_as_long_as_whoever_signs_at_once(ledger: Ledger, clock: HandClock) -> None:
    act = reserved(ledger, 1)
    clock.move(ledger.lease / 2)
    ledger.sign(act, RAW)
    clock.move(ledger.lease / 2)

    assert Ledger(ledger.store, clock).claim("agent") == []


def test_the_kill_switch_stops_what_is_not_signed_yet(ledger: Ledger) -> None:
    act = reserved(ledger, 1)
    ledger.freeze("agent", "operator", "something smells")

    with pytest.raises(Frozen):
        reserved(ledger, 1)
    with pytest.raises(Frozen):
        ledger.sign(act, RAW)
    ledger.freeze("agent", "operator", on=False)
    assert ledger.sign(act, RAW).state is State.SIGNED
    assert replay(ledger.store, "agent").frozen is False


def test_a_decision_under_an_older_policy_reserves_nothing(ledger: Ledger) -> None:
    ledger.open("agent", Policy.parse(SMALL_PAYMENTS.replace('"500"', '"400"')), "operator")

    with pytest.raises(Taken, match="policy changed"):
        reserved(ledger, 1)


def test_an_account_belongs_to_one_book(ledger: Ledger) -> None:
    reserved(ledger, 1)
    ledger.open("other", POLICY, "operator")

    with pytest.raises(Denied, match="belongs to the book 'agent'"):
        reserved(ledger, 1, intent(book="other"))


def test_only_its_approvers_answer_for_an_act_that_waits(ledger: Ledger) -> None:
    wanted, effects = intent(), payment(200 * DOLLARS)
    decision = POLICY.judge(wanted, effects, NOON)
    act = ledger.ask(wanted, {}, effects, decision)

    with pytest.raises(Denied, match="may approve: treasurer"):
        ledger.answer(act, "agent", yes=True)
    assert [item.id for item in ledger.waiting("agent")] == [act.id]
    assert ledger.answer(act, "treasurer", yes=True).state is State.AGREED
    assert ledger.reserve(wanted, {}, effects, decision, floor=0, count=1).state is State.RESERVED
    with pytest.raises(Taken):
        ledger.answer(act, "treasurer", yes=False)


def test_a_rejected_act_stays_rejected(ledger: Ledger) -> None:
    wanted, effects = intent(), payment(200 * DOLLARS)
    decision = POLICY.judge(wanted, effects, NOON)
    ledger.answer(ledger.ask(wanted, {}, effects, decision), "treasurer", yes=False)

    with pytest.raises(Taken):
        ledger.reserve(wanted, {}, effects, decision, floor=0, count=1)
    assert ledger.waiting("agent") == []


def test_a_denial_is_journaled_with_its_rule(ledger: Ledger) -> None:
    wanted = intent()
    decision = POLICY.judge(wanted, payment(5_000 * DOLLARS), NOON)
    ledger.refuse(wanted, {}, payment(5_000 * DOLLARS), decision)

    last = ledger.journal("agent")[-1]
    assert (last.arrow, last.body["verdict"], last.body["policy"]) == (Arrow.DECIDED, "deny", POLICY.hash)


def test_balances_follow_from_the_journal_alone(ledger: Ledger) -> None:
    for dollars in (3, 4):
        settled(ledger, reserved(ledger, dollars), dollars)
    ledger.release(reserved(ledger, 5), "nothing came of it")

    found = replay(ledger.store, "agent")

    assert found.balances == {(ACCOUNT, DOLLAR): -7 * DOLLARS}
    assert found.head == ledger.book("agent").head


def test_unknown_books_and_acts_are_named(store: Store, ledger: Ledger) -> None:
    with pytest.raises(NotFound, match="'nobody'"):
        ledger.book("nobody")
    with pytest.raises(NotFound, match="'act_x'"):
        ledger.act("act_x")
    with pytest.raises(InvalidInput, match="book was"):
        ledger.open("", POLICY, "operator")


def test_an_act_survives_the_database_whole(ledger: Ledger) -> None:
    act = ledger.sign(reserved(ledger, 1, replace(intent(note="née \u2028 'x'"), arguments={"a": [1, "2"]})), RAW)

    assert ledger.act(act.id) == act
    assert ledger.act(act.id).effects == Effects.of(act.effects.body())
