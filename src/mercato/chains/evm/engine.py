"""What the embedded chain asks of an EVM: run messages on a state, and go back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from mercato.chains.model import Address

GAS_LIMIT = 30_000_000
COINBASE = Address("0x" + "c0" * 20)
OUT_OF_GAS, INVALID = "out of gas", "invalid opcode"


@dataclass(frozen=True, slots=True)
class Head:
    """The block in which a message runs; `time` in seconds since 1970. Its base fee is 0."""

    number: int
    time: int
    randomness: bytes
    parents: Iterable[bytes] = ()  # hashes of the blocks before it, the newest first


@dataclass(frozen=True, slots=True)
class Message:
    """A transaction as the EVM sees it. `price` is wei per gas, for the block's maker."""

    sender: Address
    to: Address | None
    data: bytes
    value: int
    gas: int
    price: int = 0
    accesses: tuple[tuple[Address, tuple[int, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """A log before it has a place on the chain."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """What a message did. `halt` names why the EVM stopped it, "" where the contract itself reverted or succeeded."""

    succeeded: bool
    output: bytes
    gas_used: int
    logs: tuple[Written, ...]
    created: Address | None
    halt: str = ""


class Engine(Protocol):
    """An EVM of Cancun rules with its own state. Not safe for threads: the chain above holds a lock."""

    @property
    def exact(self) -> bool:
        """Whether `gas_used` is what a real node would count."""

    def run(self, message: Message, head: Head) -> Result:
        """Runs a transaction, counts the sender's nonce up and takes the fee; BadCall where it cannot be paid."""

    def peek(self, message: Message, head: Head) -> Result:
        """Runs a message that costs no fee, of any account; its changes stay until `back`. BadCall as above."""

    def mark(self) -> None:
        """Remembers the state; marks nest."""

    def back(self) -> None:
        """Returns to the newest mark and forgets it."""

    def keep(self) -> None:
        """Forgets the newest mark, and keeps what was done since."""

    def balance(self, address: Address) -> int:
        """Returns an account's wei."""

    def nonce(self, address: Address) -> int:
        """Returns how many transactions an account has made, or contracts a contract."""

    def code(self, address: Address) -> bytes:
        """Returns a contract's code."""

    def storage(self, address: Address, slot: int) -> int:
        """Returns one word of a contract's storage."""

    def set_balance(self, address: Address, wei: int) -> None:
        """Sets an account's wei."""
