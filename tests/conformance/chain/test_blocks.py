"""Blocks, logs, time, simulation and going back, as every chain has them."""

from __future__ import annotations

import pytest

from mercato.chains import Address, Call, Chain, Controls, Deployed, Hash, Interface, LogQuery, Reverted
from mercato.chains.errors import StaleSnapshot
from mercato.chains.testing import ACCOUNTS, ETHER
from mercato.core.errors import NotFound
from tests.conformance.chain.conftest import Rig
from tests.conformance.chain.probe import code, compiled, probe

ANN, BOB, CAM = ACCOUNTS[:3]


def test_each_block_names_the_one_before(chain: Chain) -> None:
    contract = probe(chain)
    receipt = contract.send("add", 1, sender=ANN)

    blocks = [chain.block(number) for number in range(3)]

    assert [block.number for block in blocks] == [0, 1, 2]
    assert [block.parent for block in blocks[1:]] == [block.hash for block in blocks[:2]]
    assert chain.block() == blocks[2]
    assert (blocks[2].hash, blocks[2].transactions) == (receipt.block_hash, (receipt.transaction,))
    assert blocks[2].gas_used == receipt.gas_used
    with pytest.raises(NotFound):
        chain.block(3)


def test_what_was_never_sent_has_no_receipt(chain: Chain) -> None:
    assert chain.receipt(Hash("0x" + "ab" * 32)) is None


def test_the_name_is_that_of_caip_2(chain: Chain) -> None:
    assert str(chain.name) == "eip155:31337"


def test_logs_are_found_by_address_topic_and_range(chain: Chain) -> None:
    one, two = probe(chain), probe(chain)
    for number in (1, 2, 1):
        one.send("add", number, sender=BOB)
        two.send("add", number, sender=CAM)
    last = chain.block().number
    topic = one.interface.topic("Noted")
    first_number, person = (1).to_bytes(32, "big"), bytes(12) + bytes.fromhex(CAM[2:])

    def found(**query: object) -> list[tuple[int, str]]:
        asked = {"first": 0, "last": last, **query}
        return [(log.block, log.address) for log in chain.logs(LogQuery(**asked))]  # type: ignore[arg-type]  # fields by name

    everything = [(3, one.address), (4, two.address), (5, one.address), (6, two.address), (7, one.address),
                  (8, two.address)]  # fmt: skip
    assert found() == everything
    assert found(addresses=frozenset([one.address])) == everything[::2]
    assert found(first=5, last=6) == everything[2:4]
    assert found(topics=(frozenset([topic]), frozenset([person]))) == everything[1::2]
    assert found(topics=(frozenset(), frozenset(), frozenset([first_number]))) == everything[:2] + everything[4:]
    assert found(topics=(frozenset([first_number]),)) == []
    assert found(topics=(frozenset(),) * 4) == everything
    assert found(first=5, last=4) == []


def test_logs_of_one_transaction_are_counted_in_its_block(chain: Chain) -> None:
    contract = probe(chain)

    receipt = contract.send("fill", 10, 3, sender=ANN)

    assert [log.index for log in receipt.logs] == [0, 1, 2]
    assert [event.values["number"] for event in contract.events(receipt)] == [10, 11, 12]
    assert chain.logs(LogQuery(receipt.block, receipt.block)) == receipt.logs


def test_a_simulation_sees_its_own_calls_and_keeps_nothing(chain: Chain) -> None:
    contract = probe(chain, 5)
    before = chain.block(), chain.nonce(BOB)

    first, second, third = chain.simulate([contract.call("add", number, sender=BOB) for number in (3, 100, 4)])

    assert contract.interface.decode("count", first.output) == 8
    assert (second.succeeded, second.reason, second.output, second.logs) == (False, "probe: too much", b"", ())
    assert contract.interface.decode("count", third.output) == 12
    assert [event.values["number"] for log in first.logs if (event := contract.interface.event(log))] == [3]
    assert first.gas_used > 21_000
    assert (chain.block(), chain.nonce(BOB)) == before
    assert contract.read("count") == 5


def test_a_simulation_runs_code_at_an_address_and_forgets_it(chain: Chain) -> None:
    nobody = Address("0x" + "9e" * 20)
    tells = b"\x73" + bytes.fromhex(BOB[2:]) + b"\x31\x60\x00\x52\x60\x20\x60\x00\xa0"  # logs Bob's balance
    before = chain.balance(BOB)

    first, paid, second = chain.simulate([
        Call(CAM, nobody, code=tells), Call(CAM, BOB, value=7), Call(CAM, nobody, code=tells)
    ])  # fmt: skip

    assert paid.succeeded
    assert [int.from_bytes(log.data, "big") for one in (first, second) for log in one.logs] == [before, before + 7]
    assert (chain.code(nobody), chain.balance(BOB)) == (b"", before)


def test_a_word_of_storage_and_the_price_of_gas_can_be_asked(chain: Chain) -> None:
    contract = probe(chain, 5)
    fees = chain.fees(5)

    assert chain.storage(contract.address, 0) == contract.read("count") == 5
    assert abs(fees.base - chain.block().base_fee) * 8 <= chain.block().base_fee
    assert fees.tip in {0, *fees.tips}


@pytest.mark.parametrize("rig", ["pyrevm", "py-evm"], indirect=True)  # Anvil's eth_simulateV1 takes no creation
def test_a_simulation_counts_nonces_as_the_chain_will(chain: Chain) -> None:
    creation = Call(CAM, None, code() + bytes(32))
    probe(chain)

    paid, created = chain.simulate([Call(CAM, BOB, value=1), creation])

    assert paid.succeeded
    assert created.succeeded


def test_time_moves_as_it_is_told(chain: Chain, controls: Controls) -> None:
    contract = probe(chain)
    before = chain.block()

    controls.mine(3, seconds=3_600)

    newest = chain.block()
    assert (newest.number, newest.time) == (before.number + 3, before.time + 3_602)
    assert chain.block(before.number + 1).time == before.time + 3_600
    assert chain.time() == contract.read("around")[1] == newest.time


def test_money_comes_from_nowhere(chain: Chain, controls: Controls) -> None:
    contract = probe(chain)

    controls.fund(BOB, 7)
    controls.fund(contract.address, 5 * ETHER)

    assert (chain.balance(BOB), chain.balance(contract.address)) == (7, 5 * ETHER)
    assert chain.code(contract.address) == code("bytecode_runtime")


def test_going_back_undoes_everything(chain: Chain, controls: Controls) -> None:
    contract = probe(chain, 5)
    contract.send("add", 1, sender=BOB)
    kept = chain.block(), chain.balance(ANN), chain.nonce(ANN), chain.nonce(BOB)

    mark = controls.snapshot()
    lost = contract.send("add", 2, sender=BOB)
    chain.wait(chain.send(Call(ANN, CAM, value=ETHER)))
    other = probe(chain, sender=CAM)
    controls.fund(ANN, 1)
    controls.mine(seconds=100)
    controls.revert(mark)

    assert (chain.block(), chain.balance(ANN), chain.nonce(ANN), chain.nonce(BOB)) == kept
    assert (contract.read("count"), chain.nonce(CAM), chain.balance(CAM)) == (6, 0, 10_000 * ETHER)
    assert (chain.receipt(lost.transaction), chain.code(other.address)) == (None, b"")
    assert len(chain.logs(LogQuery(0, 100))) == 1


def test_marks_nest_and_only_the_newest_leads_back(chain: Chain, controls: Controls) -> None:
    contract = probe(chain)
    outer = controls.snapshot()
    contract.send("add", 1, sender=BOB)
    inner = controls.snapshot()
    contract.send("add", 2, sender=BOB)

    with pytest.raises(StaleSnapshot, match="newest"):
        controls.revert(outer)
    assert contract.read("count") == 3
    controls.revert(inner)
    assert contract.read("count") == 1
    with pytest.raises(StaleSnapshot):
        controls.revert(inner)
    controls.revert(outer)
    assert (contract.read("count"), chain.nonce(BOB)) == (0, 0)
    with pytest.raises(StaleSnapshot):
        controls.revert(outer)


def test_another_history_has_other_hashes(chain: Chain, controls: Controls) -> None:
    contract = probe(chain)
    mark = controls.snapshot()
    old = contract.send("add", 1, sender=BOB)
    controls.revert(mark)

    new = contract.send("add", 2, sender=BOB)

    assert (old.block, old.logs[0].index) == (new.block, new.logs[0].index)
    assert old.block_hash != new.block_hash
    assert [log.block_hash for log in chain.logs(LogQuery(0, 9))] == [new.block_hash]
    assert contract.read("count") == 2


def test_a_block_takes_many_transactions(waiting: Rig) -> None:
    chain, controls = waiting.chain, waiting.controls
    hashes = [chain.send(Call(ANN, None, code() + bytes(32), gas=1_500_000))]
    controls.mine()
    created = chain.wait(hashes[0]).created
    assert created
    contract = Deployed(chain, Interface(compiled()["abi"]), created)

    for sender, number in ((ANN, 1), (BOB, 2), (ANN, 100), (CAM, 4)):
        data = contract.interface.encode("add", number)
        hashes.append(chain.send(Call(sender, created, data, gas=100_000)))
    assert [chain.receipt(hash) for hash in hashes[1:]] == [None] * 4
    assert (chain.nonce(ANN), contract.read("count")) == (3, 0)
    controls.mine(seconds=60)

    receipts = [chain.wait(hash) for hash in hashes[1:]]
    assert chain.block().transactions == tuple(hashes[1:])
    assert [receipt.index for receipt in receipts] == [0, 1, 2, 3]
    assert [receipt.succeeded for receipt in receipts] == [True, True, False, True]
    assert [log.index for log in chain.logs(LogQuery(0, 9))] == [0, 1, 2]
    assert (contract.read("count"), chain.block().gas_used) == (7, sum(one.gas_used for one in receipts))


def test_reads_of_the_past_answer_from_the_past(chain: Chain) -> None:
    contract = probe(chain)
    numbers = [contract.send("add", 1, sender=BOB).block for _ in range(3)]

    assert [contract.read("count", at=number) for number in numbers] == [1, 2, 3]
    with pytest.raises(Reverted):
        contract.read("refuse", at=numbers[0])
