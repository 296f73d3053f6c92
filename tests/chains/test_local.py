"""What only the embedded chain has: threads, an own clock, many blocks, and a way to look back at all of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mercato.chains import Call, Deployed, LogQuery
from mercato.chains.errors import BadCall, Unreachable
from mercato.chains.evm.engine import COINBASE
from mercato.chains.evm.local import MARKS, START, LocalChain, open_engine
from mercato.chains.evm.sealing import BASE_FEE
from mercato.chains.model import ZERO, Address
from mercato.chains.signing import Key
from mercato.chains.testing import ACCOUNTS, ETHER, KEYS, local
from mercato.core.errors import Conflict, NotFound
from tests.conformance.chain.probe import probe

ANN, BOB, CAM = ACCOUNTS[:3]


def test_many_threads_send_and_nothing_is_lost() -> None:
    chain = local()
    contract = probe(chain)

    def bump(place: int) -> int:
        receipt = contract.send("add", 1, sender=ACCOUNTS[place % 10])
        assert contract.read("count") >= 1
        return receipt.block

    with ThreadPoolExecutor(8) as pool:
        blocks = list(pool.map(bump, range(200)))

    assert sorted(blocks) == list(range(2, 202))
    assert contract.read("count") == 200
    assert sum(chain.nonce(account) for account in ACCOUNTS) == 201


def test_two_chains_with_the_same_history_are_the_same_to_the_last_hash() -> None:
    def history(chain: LocalChain) -> list[str]:
        contract = probe(chain)
        contract.send("add", 3, sender=BOB)
        chain.mine(2, seconds=50)
        return [chain.block(number).hash for number in range(chain.block().number + 1)]

    assert history(local()) == history(local())
    assert history(local()) != history(local(start=START + 1))


def test_a_clock_gives_blocks_their_time_and_leaps_are_kept() -> None:
    now = [1_800_000_000.0]
    chain = LocalChain(start=1_700_000_000, clock=lambda: now[0])
    chain.fund(ANN, ETHER)

    def next_time() -> int:
        chain.send(Call(ANN, BOB, value=1))
        return chain.time()

    assert (next_time(), next_time()) == (1_800_000_000, 1_800_000_000)
    now[0] += 10.9
    assert next_time() == 1_800_000_010
    chain.mine(seconds=3_600)
    now[0] += 5
    assert next_time() == 1_800_003_615
    now[0] -= 1_000
    assert next_time() == 1_800_003_615


def test_what_waits_is_counted_found_and_dropped_where_it_cannot_be_paid() -> None:
    chain = local(automine=False)
    first = chain.send(Call(ANN, BOB, value=9_999 * ETHER))
    second = chain.send(Call(ANN, BOB, value=2 * ETHER))
    third = chain.send(Call(CAM, BOB, value=ETHER))

    assert (chain.nonce(ANN), chain.receipt(first)) == (2, None)
    assert [chain.transaction(hash) is not None for hash in (first, second, third)] == [True] * 3
    with pytest.raises(Unreachable, match="in no block"):
        chain.wait(first)
    chain.mine()

    assert chain.block().transactions == (first, third)
    assert (chain.nonce(ANN), chain.receipt(second), chain.transaction(second)) == (1, None, None)


def test_fees_go_to_whoever_makes_the_block() -> None:
    chain = local()
    fields = {"chainId": 31337, "nonce": 0, "gas": 21_000, "maxFeePerGas": 7, "maxPriorityFeePerGas": 3, "to": BOB}

    chain.send_raw(Key(KEYS[0]).transaction(fields))

    assert BASE_FEE == 0
    assert (chain.balance(COINBASE), chain.balance(ANN)) == (63_000, 10_000 * ETHER - 63_000)


def test_blocks_are_found_by_hash_too() -> None:
    chain = local()
    contract = probe(chain)

    assert chain.block(chain.block(1).hash) == chain.block(1)
    with pytest.raises(NotFound):
        chain.block(chain.block(1).hash[:-1])  # type: ignore[arg-type]  # not a hash, on purpose
    with pytest.raises(NotFound):
        chain.block(-1)
    assert chain.storage(contract.address, 0) == 0


def test_a_look_back_sees_money_given_and_chains_gone_back() -> None:
    chain = local()
    contract = probe(chain)
    chain.fund(contract.address, 5)
    for number in (1, 2, 3):
        contract.send("add", number, sender=BOB)
    assert [contract.read("count", at=number) for number in (4, 2, 3, 1)] == [6, 1, 3, 0]

    mark = chain.snapshot()
    contract.send("add", 10, sender=BOB)
    chain.mine()
    assert contract.read("count", at=5) == 16
    chain.revert(mark)
    contract.send("add", 20, sender=BOB)
    chain.mine()

    assert [contract.read("count", at=number) for number in (4, 5, 6)] == [6, 26, 26]
    with pytest.raises(NotFound):
        contract.read("count", at=7)


def test_marks_are_many_but_not_without_end() -> None:
    chain = local()
    contract = probe(chain)
    marks = []
    for _ in range(MARKS):
        marks.append(chain.snapshot())
        contract.send("add", 1, sender=ANN)
    with pytest.raises(Conflict, match=f"marks were {MARKS} already"):
        chain.snapshot()
    assert contract.read("count") == MARKS

    for mark in reversed(marks):
        chain.revert(mark)

    assert (contract.read("count"), chain.block().number, chain.nonce(ANN)) == (0, 1, 1)


def test_going_back_brings_back_what_waited() -> None:
    chain = local(automine=False)
    chain.send(Call(ANN, BOB, value=1))
    mark = chain.snapshot()
    chain.send(Call(ANN, BOB, value=2))
    chain.mine()
    assert chain.nonce(ANN) == 2

    chain.revert(mark)

    assert (chain.nonce(ANN), chain.block().number) == (1, 0)
    chain.mine()
    assert chain.balance(BOB) == 10_000 * ETHER + 1


def test_an_engine_is_one_of_two() -> None:
    with pytest.raises(BadCall, match="engine was 'geth'"):
        open_engine("geth", 1)  # type: ignore[arg-type]  # none of the two, on purpose
    assert [local("pyrevm").exact_gas, local("py-evm").exact_gas] == [False, True]


def test_a_contract_does_not_send() -> None:
    for chain in (local("pyrevm"), local("py-evm")):
        contract = probe(chain)
        with pytest.raises(BadCall):
            chain.send(Call(contract.address, BOB))
        assert chain.block().number == 1


class Wandering(RuleBasedStateMachine):
    """Both engines, driven the same way by chance, are the same chain; going back leads exactly back."""

    @initialize()
    def open(self) -> None:
        self.chains = [local("pyrevm"), local("py-evm")]
        self.contracts: list[Deployed] = [probe(chain) for chain in self.chains]
        self.marks: list[tuple[list[int], list[object]]] = []

    def seen(self) -> list[object]:
        return [
            (
                contract.read("count"), [chain.balance(one) for one in ACCOUNTS[:3]], chain.time(),
                [chain.nonce(one) for one in (*ACCOUNTS[:3], contract.address)], chain.block().number,
                [(log.block, log.index, log.topics, log.data) for log in chain.logs(LogQuery(0, 10_000))],
                chain.balance(contract.address), chain.code(contract.address),
            )
            for chain, contract in zip(self.chains, self.contracts, strict=True)
        ]  # fmt: skip

    @rule(who=st.sampled_from(ACCOUNTS[:3]), number=st.integers(0, 120), gas=st.sampled_from([None, 200_000]))
    def add(self, who: Address, number: int, gas: int | None) -> None:
        told: list[object] = []
        for chain, contract in zip(self.chains, self.contracts, strict=True):
            try:
                hash = chain.send(Call(who, contract.address, contract.interface.encode("add", number), gas=gas))
                receipt = chain.wait(hash)
                told.append((hash, receipt.succeeded, receipt.reason, len(receipt.logs)))
            except Exception as error:
                told.append((type(error), str(error)))
        assert told[0] == told[1]

    @rule(who=st.sampled_from(ACCOUNTS[:3]), to=st.sampled_from([*ACCOUNTS[:3], None]), wei=st.integers(0, ETHER))
    def pay(self, who: Address, to: Address | None, wei: int) -> None:
        for chain, contract in zip(self.chains, self.contracts, strict=True):
            chain.send(Call(who, to or contract.address, value=min(wei, chain.balance(who))))

    @rule(who=st.sampled_from(ACCOUNTS[:3]), code=st.sampled_from(["", "6001600c60003960016000f300", "60006000fd"]))
    def create(self, who: Address, code: str) -> None:
        made = [chain.wait(chain.send(Call(who, None, bytes.fromhex(code), gas=100_000))) for chain in self.chains]
        assert made[0].created == made[1].created

    @rule(who=st.sampled_from([*ACCOUNTS[:3], ZERO]), wei=st.integers(0, 2**100))
    def fund(self, who: Address, wei: int) -> None:
        for chain, contract in zip(self.chains, self.contracts, strict=True):
            chain.fund(contract.address if who == ZERO else who, max(wei, chain.balance(contract.address)))

    @rule(blocks=st.integers(1, 3), seconds=st.integers(1, 10**6))
    def mine(self, blocks: int, seconds: int) -> None:
        for chain in self.chains:
            chain.mine(blocks, seconds=seconds)

    @rule()
    def mark(self) -> None:
        self.marks.append(([chain.snapshot() for chain in self.chains], self.seen()))

    @precondition(lambda self: self.marks)
    @rule()
    def back(self) -> None:
        marks, before = self.marks.pop()
        for chain, mark in zip(self.chains, marks, strict=True):
            chain.revert(mark)
        assert self.seen() == before

    @invariant()
    def the_engines_agree(self) -> None:
        first, second = self.seen()
        assert first == second


TestWandering = Wandering.TestCase
TestWandering.settings = settings(max_examples=15, stateful_step_count=20)
