"""The exact engine: py-evm with Cancun rules, the yardstick for gas and the fallback where pyrevm has no wheel.

Each transaction opens the state anew from its root, so accounts and slots are cold and storage has its original value,
as on a real chain; marks are just earlier roots.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mercato.chains.errors import BadCall
from mercato.chains.evm.depth import deep
from mercato.chains.evm.engine import COINBASE, GAS_LIMIT, INVALID, OUT_OF_GAS, Engine, Head, Message, Result, Written
from mercato.chains.model import Address

INIT_CODE_LIMIT = 49_152  # bytes, EIP-3860


@dataclass
class _Sent:
    """A transaction with the attributes that py-evm reads; its sender is taken at its word."""

    sender: bytes
    to: bytes
    data: bytes
    value: int
    gas: int
    gas_price: int
    access_list: tuple[tuple[bytes, tuple[int, ...]], ...]
    type_id: int = 2
    max_fee_per_gas: int = field(init=False)
    max_priority_fee_per_gas: int = field(init=False)

    def __post_init__(self) -> None:
        self.max_fee_per_gas = self.max_priority_fee_per_gas = self.gas_price

    @property
    def intrinsic_gas(self) -> int:
        """Returns the gas taken before the first instruction (yellow paper, formula 64, with EIP-2028 and 2930)."""
        zeros = self.data.count(0)
        accesses = sum(2_400 + 1_900 * len(slots) for _, slots in self.access_list)
        return 21_000 + 4 * zeros + 16 * (len(self.data) - zeros) + accesses + (32_000 if not self.to else 0)


class PyEvm(Engine):
    """py-evm with Cancun rules."""

    exact = True

    def __init__(self, chain_id: int) -> None:
        with deep():  # what the import does to the limit is undone on the way out
            from eth.constants import BLANK_ROOT_HASH
            from eth.db.atomic import AtomicDB
            from eth.vm.execution_context import ExecutionContext
            from eth.vm.forks.cancun.state import CancunState

        self._chain_id, self._db = chain_id, AtomicDB()
        self._root: bytes = BLANK_ROOT_HASH
        self._context: Any = ExecutionContext
        self._rules: Any = CancunState
        self._roots: list[bytes] = []

    def run(self, message: Message, head: Head) -> Result:
        """Runs a transaction, counts the sender's nonce up and takes the fee; BadCall where it cannot be paid."""
        if self.code(message.sender):
            raise BadCall(f"sender was {message.sender}, a contract", hint="only plain accounts send (EIP-3607)")
        return self._execute(message, head)

    def peek(self, message: Message, head: Head) -> Result:
        """Runs a message that costs no fee, of any account; its changes stay until `back`. BadCall as above."""
        return self._execute(message, head)

    def mark(self) -> None:
        """Remembers the state; marks nest."""
        self._roots.append(self._root)

    def back(self) -> None:
        """Returns to the newest mark and forgets it."""
        self._root = self._roots.pop()

    def keep(self) -> None:
        """Forgets the newest mark, and keeps what was done since."""
        self._roots.pop()

    def balance(self, address: Address) -> int:
        """Returns an account's wei."""
        return int(self._state().get_balance(_octets(address)))

    def nonce(self, address: Address) -> int:
        """Returns how many transactions an account has made, or contracts a contract."""
        return int(self._state().get_nonce(_octets(address)))

    def code(self, address: Address) -> bytes:
        """Returns a contract's code."""
        return bytes(self._state().get_code(_octets(address)))

    def storage(self, address: Address, slot: int) -> int:
        """Returns one word of a contract's storage."""
        return int(self._state().get_storage(_octets(address), slot))

    def set_balance(self, address: Address, wei: int) -> None:
        """Sets an account's wei."""
        state = self._state()
        state.set_balance(_octets(address), wei)
        self._persist(state)

    def _execute(self, message: Message, head: Head) -> Result:
        accesses = tuple((_octets(who), slots) for who, slots in message.accesses)
        to = _octets(message.to) if message.to else b""
        sent = _Sent(
            _octets(message.sender), to, message.data, message.value, message.gas, message.price, accesses
        )  # fmt: skip
        state = self._state(head)
        _check(sent, state.get_balance(sent.sender))
        state.lock_changes()
        executor = state.get_transaction_executor()
        # The executor's own check is left out: it wants a signature, and a nonce that was looked at above.
        built = executor.build_evm_message(sent)
        with deep():
            done = executor.finalize_computation(sent, executor.build_computation(built, sent))
            result = _result(sent, built, done, executor)
        state.clear_transient_storage()
        self._persist(state)
        return result

    def _state(self, head: Head | None = None) -> Any:
        head = head or Head(0, 0, bytes(32))
        context = self._context(
            coinbase=_octets(COINBASE), timestamp=head.time, block_number=head.number, difficulty=0,
            mix_hash=head.randomness, gas_limit=GAS_LIMIT, prev_hashes=head.parents, chain_id=self._chain_id,
            base_fee_per_gas=0, excess_blob_gas=0,
        )  # fmt: skip
        return self._rules(self._db, context, self._root)

    def _persist(self, state: Any) -> None:
        state.persist()
        self._root = state.state_root


def _check(sent: _Sent, balance: int) -> None:
    if sent.gas < sent.intrinsic_gas:
        raise BadCall(f"gas was {sent.gas}", hint=f"the transaction itself takes {sent.intrinsic_gas}")
    if not sent.to and len(sent.data) > INIT_CODE_LIMIT:
        raise BadCall(f"creating code was {len(sent.data)} bytes long", hint=f"at most {INIT_CODE_LIMIT} (EIP-3860)")
    if balance < sent.value + sent.gas * sent.gas_price:
        raise BadCall(
            f"balance of 0x{sent.sender.hex()} was {balance} wei",
            hint=f"value and gas may take {sent.value + sent.gas * sent.gas_price} wei",
        )


def _result(sent: _Sent, built: Any, done: Any, executor: Any) -> Result:
    spent = sent.gas - done.get_gas_remaining()
    gas = spent - executor.calculate_gas_refund(done, spent)
    if done.is_error:
        return Result(False, bytes(done.output), gas, (), None, _halt(done.error))
    logs = tuple(
        Written(_address(who), tuple(topic.to_bytes(32, "big") for topic in topics), bytes(data))
        for who, topics, data in done.get_log_entries()
    )
    created = None if sent.to else _address(built.storage_address)
    return Result(True, b"" if created else bytes(done.output), gas, logs, created)


def _halt(error: Exception) -> str:
    from eth.exceptions import InvalidInstruction, OutOfGas, Revert

    if isinstance(error, Revert):
        return ""
    if isinstance(error, OutOfGas):
        return OUT_OF_GAS
    return INVALID if isinstance(error, InvalidInstruction) else f"stopped by the EVM: {type(error).__name__}"


def _octets(address: Address) -> bytes:
    return bytes.fromhex(address[2:])


def _address(octets: bytes) -> Address:
    return Address("0x" + octets.hex())
