"""Signed transactions, as every node takes them and refuses them."""

from __future__ import annotations

from typing import Any

import pytest

from mercato.chains import Chain, Controls
from mercato.chains.errors import BadAnswer, BadCall
from mercato.chains.signing import Key
from mercato.chains.testing import ACCOUNTS, ETHER, KEYS
from tests.conformance.chain.probe import probe

ANN, BOB, CAM = ACCOUNTS[:3]
KEY = Key(KEYS[1])
GWEI = 10**9
KINDS: dict[str, dict[str, Any]] = {
    "type 0": {"gasPrice": GWEI},
    "type 1": {"gasPrice": GWEI, "accessList": [(ANN, [1, 2])]},
    "type 2": {"maxFeePerGas": 3 * GWEI, "maxPriorityFeePerGas": GWEI, "accessList": []},
}


def transfer(**change: Any) -> bytes:
    fields = {"chainId": 31337, "nonce": 0, "gas": 60_000, "to": CAM, "value": ETHER, "maxFeePerGas": GWEI}
    return KEY.transaction({**fields, **change})


@pytest.mark.parametrize("kind", KINDS)
def test_every_type_is_taken_and_pays_what_it_offers(chain: Chain, kind: str) -> None:
    fields = {"chainId": 31337, "nonce": 0, "gas": 60_000, "to": CAM, "value": ETHER, **KINDS[kind]}

    receipt = chain.wait(chain.send_raw(KEY.transaction(fields)))

    assert (receipt.succeeded, receipt.sender, receipt.to) == (True, BOB, CAM)
    assert chain.balance(CAM) == 10_001 * ETHER
    assert chain.balance(BOB) == 9_999 * ETHER - receipt.gas_used * GWEI
    assert chain.nonce(BOB) == 1


def test_a_signed_creation_lies_where_sender_and_nonce_say(chain: Chain) -> None:
    receipt = chain.wait(chain.send_raw(transfer(to=None, value=0, data="0x6001600c60003960016000f300")))

    assert receipt.created
    assert chain.code(receipt.created) == b"\0"


def test_a_signed_failure_pays_for_its_gas(chain: Chain) -> None:
    contract = probe(chain)
    data = contract.interface.encode("add", 100)

    receipt = chain.wait(chain.send_raw(transfer(to=contract.address, value=0, data=data, maxPriorityFeePerGas=GWEI)))

    assert (receipt.succeeded, receipt.reason) == (False, "probe: too much")
    assert chain.balance(BOB) == 10_000 * ETHER - receipt.gas_used * GWEI


WRONG: dict[str, dict[str, Any]] = {
    "another chain": {"chainId": 1},
    "a rich fee": {"maxFeePerGas": ETHER},
    "a rich value": {"value": 10_001 * ETHER},
    "no gas": {"gas": 20_000},
    "a tip above the fee": {"maxPriorityFeePerGas": 2 * GWEI},
}


@pytest.mark.parametrize("way", WRONG)
def test_what_cannot_be_right_is_refused_before_a_block(chain: Chain, way: str) -> None:
    before = chain.block()

    with pytest.raises((BadCall, BadAnswer)):
        chain.send_raw(transfer(**WRONG[way]))

    assert (chain.block(), chain.nonce(BOB)) == (before, 0)


def test_a_transaction_is_taken_once(chain: Chain) -> None:
    chain.wait(chain.send_raw(transfer()))

    with pytest.raises((BadCall, BadAnswer)):
        chain.send_raw(transfer())
    with pytest.raises((BadCall, BadAnswer)):
        chain.send_raw(transfer(value=1))
    assert chain.balance(CAM) == 10_001 * ETHER


def test_after_going_back_the_same_bytes_are_good_again(chain: Chain, controls: Controls) -> None:
    mark = controls.snapshot()
    first = chain.wait(chain.send_raw(transfer()))
    controls.revert(mark)

    second = chain.wait(chain.send_raw(transfer()))

    assert first.transaction == second.transaction
    assert (chain.nonce(BOB), chain.balance(CAM)) == (1, 10_001 * ETHER)


def test_bytes_that_are_no_transaction_are_refused(chain: Chain) -> None:
    for raw in (b"", b"\x00" * 40, transfer()[:-1], b"\x02" + transfer()[2:]):
        with pytest.raises((BadCall, BadAnswer)):
            chain.send_raw(raw)
    assert chain.block().number == 0
