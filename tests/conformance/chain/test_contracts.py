"""The same bytecode gives the same results, events, reasons and addresses on every chain."""

from __future__ import annotations

import pytest

from mercato.chains import Call, Chain, Interface, Reverted
from mercato.chains.abi import create2_address, create_address
from mercato.chains.errors import BadCall
from mercato.chains.testing import ACCOUNTS, ETHER
from tests.conformance.chain.probe import code, compiled, probe

ANN, BOB = ACCOUNTS[0], ACCOUNTS[1]
PROXY = "602d3d8160093d39f3363d3d373d3d3d363d73{}5af43d82803e903d91602b57fd5bf3"


def test_a_contract_lies_where_its_creator_and_nonce_say(chain: Chain) -> None:
    first, second = probe(chain), probe(chain, sender=BOB)

    assert (first.address, second.address) == (create_address(ANN, 0), create_address(BOB, 0))
    assert chain.code(first.address) == code("bytecode_runtime")
    assert (chain.nonce(ANN), chain.nonce(BOB), chain.nonce(first.address)) == (1, 1, 1)


def test_a_transaction_changes_state_and_says_so(chain: Chain) -> None:
    contract = probe(chain, 5)

    receipt = contract.send("add", 7, "seven", sender=BOB)

    (event,) = contract.events(receipt)
    assert contract.read("count") == 12
    assert (event.name, event.values) == ("Noted", {"who": BOB, "number": 7, "words": "seven"})
    assert (receipt.sender, receipt.to, receipt.created, receipt.reason) == (BOB, contract.address, None, "")
    assert (event.log.transaction, event.log.block, event.log.index) == (receipt.transaction, receipt.block, 0)


def test_a_transaction_that_would_fail_is_refused_and_leaves_no_trace(chain: Chain) -> None:
    contract = probe(chain)
    before = chain.block().number, chain.nonce(BOB)

    with pytest.raises(Reverted) as refused:
        contract.send("add", 100, sender=BOB)

    assert refused.value.reason == "probe: too much"
    assert (chain.block().number, chain.nonce(BOB)) == before


def test_a_failure_that_was_sent_anyway_is_kept_with_its_reason(chain: Chain) -> None:
    contract = probe(chain)
    call = Call(BOB, contract.address, contract.interface.encode("add", 100), gas=100_000)

    receipt = chain.wait(chain.send(call))

    assert (receipt.succeeded, receipt.reason, receipt.logs) == (False, "probe: too much", ())
    assert (chain.nonce(BOB), contract.read("count")) == (1, 0)
    assert 21_000 < receipt.gas_used < 100_000


def test_a_creation_that_fails_creates_nothing_and_still_counts(chain: Chain) -> None:
    receipt = chain.wait(chain.send(Call(BOB, None, bytes.fromhex("60006000fd"), gas=100_000)))

    assert (receipt.succeeded, receipt.created, chain.nonce(BOB)) == (False, None, 1)
    assert chain.code(create_address(BOB, 0)) == b""


KINDS = {"Error": "string", "Panic": "uint256", "Shortage": "uint256"}
ERRORS = Interface({"name": name, "inputs": [{"type": kind}], "type": "function"} for name, kind in KINDS.items())
REFUSALS = [
    (ERRORS.encode("Error", "bank: closed"), "bank: closed"),
    (ERRORS.encode("Panic", 0x11), "panic: arithmetic overflow (0x11)"),
    (ERRORS.encode("Shortage", 3), "custom error 0x" + ERRORS.encode("Shortage", 3)[:4].hex()),
    (b"", ""),
]


@pytest.mark.parametrize(("data", "reason"), REFUSALS, ids=["text", "panic", "custom", "nothing"])
def test_a_refusal_says_why_in_the_same_words(chain: Chain, data: bytes, reason: str) -> None:
    contract = probe(chain)

    with pytest.raises(Reverted) as refused:
        contract.read("refuse_with", data)

    assert (refused.value.reason, refused.value.data) == (reason, data)


def test_a_contract_refuses_without_a_word(chain: Chain) -> None:
    contract = probe(chain)

    with pytest.raises(Reverted):
        contract.send("refuse", sender=ANN)
    assert chain.nonce(ANN) == 1


def test_an_invalid_instruction_takes_all_gas(chain: Chain) -> None:
    contract = probe(chain)

    receipt = chain.wait(chain.send(Call(BOB, contract.address, contract.interface.encode("halt"), gas=50_000)))

    assert (receipt.succeeded, receipt.gas_used) == (False, 50_000)


def test_transient_storage_lasts_for_one_transaction(chain: Chain) -> None:
    contract = probe(chain)

    contract.send("touch", sender=ANN)
    contract.send("touch", sender=ANN)

    assert contract.read("touch") == 2


def test_contracts_create_contracts_where_both_formulas_say(chain: Chain) -> None:
    contract = probe(chain)
    salt = b"\x07" * 32

    plain, salted = contract.read("spawn", salt)
    contract.send("spawn", salt, sender=BOB)

    init_code = bytes.fromhex(PROXY.format(contract.address[2:]))
    assert plain == create_address(contract.address, 1)
    assert salted == create2_address(contract.address, salt, init_code)
    assert chain.code(plain) == chain.code(salted) == init_code[9:]
    assert chain.nonce(contract.address) == 3
    with pytest.raises(Reverted):
        contract.send("spawn", salt, sender=BOB)


def test_wei_moves_to_and_out_of_contracts(chain: Chain) -> None:
    contract = probe(chain)
    stranger = create_address(BOB, 99)

    chain.wait(chain.send(Call(ANN, contract.address, value=3 * ETHER)))
    contract.send("pay", stranger, ETHER, sender=BOB)

    assert (chain.balance(contract.address), chain.balance(stranger)) == (2 * ETHER, ETHER)
    assert 9_996 * ETHER < chain.balance(ANN) <= 9_997 * ETHER  # less the fee, where one is paid


def test_what_cannot_be_paid_is_refused(chain: Chain) -> None:
    with pytest.raises((BadCall, Reverted)):
        chain.send(Call(ANN, BOB, value=10_001 * ETHER, gas=21_000))

    assert chain.nonce(ANN) == 0


def test_a_contract_sees_its_block_and_chain(chain: Chain) -> None:
    contract = probe(chain)
    chain.wait(chain.send(Call(ANN, BOB, value=1)))

    number, time, chain_id, base_fee, origin = contract.read("around", sender=BOB)

    newest = chain.block()
    assert (number, time, chain_id, base_fee, origin) == (newest.number, newest.time, 31337, 0, BOB)


def test_a_call_may_come_from_a_contract(chain: Chain) -> None:
    contract = probe(chain, 5)

    assert contract.read("around", sender=contract.address)[4] == contract.address
    assert contract.read("add", 2, sender=contract.address) == 7
    with pytest.raises(Reverted, match="probe: too much"):
        contract.read("add", 100, sender=contract.address)


def test_a_call_that_fits_nothing_is_caught_before_it_is_sent(chain: Chain) -> None:
    contract = probe(chain)

    with pytest.raises(BadCall, match="arguments of 'add' was 0"):
        contract.send("add", sender=ANN)
    with pytest.raises(BadCall, match="function was 'subtract'"):
        contract.send("subtract", 1, sender=ANN)
    with pytest.raises(BadCall, match="arguments of add"):
        contract.send("add", -1, sender=ANN)
    assert compiled()["abi"] == list(contract.interface.abi)
