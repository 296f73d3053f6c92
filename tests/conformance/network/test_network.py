"""What EVM chains and Solana clusters have in common, they do alike."""

from __future__ import annotations

import pytest

from mercato.chains.errors import BadAnswer, BadCall, Reverted, StaleSnapshot, Unreachable
from mercato.core.chain import Account, Chain
from tests.conformance.network.conftest import Rig

AMOUNT = 10**9 + 7
REFUSED = (BadCall, BadAnswer, Reverted)


def test_it_has_a_name_and_accounts_that_others_know(rig: Rig) -> None:
    name = rig.network.name

    assert Chain.parse(str(name)) == name
    assert str(Account(name, rig.rich)) == f"{name}:{rig.rich}"


def test_a_signed_payment_arrives_whole_and_its_sender_pays_for_it(rig: Rig) -> None:
    rich, other = (rig.network.balance(at) for at in (rig.rich, rig.other))

    receipt = rig.network.wait(rig.network.send_raw(rig.pay(AMOUNT)))

    assert receipt.succeeded
    assert rig.network.balance(rig.other) == other + AMOUNT
    assert rig.network.balance(rig.rich) <= rich - AMOUNT


def test_a_receipt_is_the_same_whenever_it_is_asked_for(rig: Rig) -> None:
    name = rig.network.send_raw(rig.pay(AMOUNT))

    assert rig.network.wait(name) == rig.network.receipt(name)
    assert rig.network.receipt(rig.unknown) is None


def test_the_same_bytes_are_taken_once(rig: Rig) -> None:
    before, raw = rig.network.balance(rig.other), rig.pay(AMOUNT)
    rig.network.wait(rig.network.send_raw(raw))

    with pytest.raises(REFUSED):
        rig.network.send_raw(raw)
    assert rig.network.balance(rig.other) == before + AMOUNT


def test_what_cannot_be_paid_is_refused(rig: Rig) -> None:
    with pytest.raises(REFUSED):
        rig.network.send_raw(rig.pay(rig.network.balance(rig.rich) + 1))


def test_bytes_that_are_no_transaction_are_refused(rig: Rig) -> None:
    for raw in (b"", bytes(64), rig.pay(1)[:-1]):
        with pytest.raises(REFUSED):
            rig.network.send_raw(raw)


def test_a_transaction_waits_for_its_block(waiting: Rig) -> None:
    before = waiting.network.balance(waiting.other)
    name = waiting.network.send_raw(waiting.pay(AMOUNT))

    assert waiting.network.receipt(name) is None
    with pytest.raises(Unreachable):
        waiting.network.wait(name, seconds=0)
    waiting.ground.mine()
    assert waiting.network.wait(name).succeeded
    assert waiting.network.balance(waiting.other) == before + AMOUNT


def test_money_comes_from_nowhere_where_the_chain_is_ones_own(rig: Rig) -> None:
    rig.ground.fund(rig.other, 5 * AMOUNT)

    assert rig.network.balance(rig.other) == 5 * AMOUNT


def test_time_passes_by_hand(rig: Rig) -> None:
    before = rig.network.time()

    rig.ground.mine(3, seconds=100)

    assert rig.network.time() == before + 102


def test_going_back_undoes_balances_and_receipts(rig: Rig) -> None:
    before, raw = rig.network.balance(rig.other), rig.pay(AMOUNT)
    mark = rig.ground.snapshot()
    name = rig.network.send_raw(raw)
    rig.network.wait(name)

    rig.ground.revert(mark)

    assert rig.network.balance(rig.other) == before
    assert rig.network.receipt(name) is None
    assert rig.network.wait(rig.network.send_raw(raw)).succeeded


def test_marks_are_reverted_newest_first(rig: Rig) -> None:
    outer = rig.ground.snapshot()
    inner = rig.ground.snapshot()

    rig.ground.revert(inner)
    rig.ground.revert(outer)
    with pytest.raises(StaleSnapshot):
        rig.ground.revert(inner)
