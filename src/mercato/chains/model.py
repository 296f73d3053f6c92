"""Values of a chain: calls, receipts, logs and blocks. Amounts are whole wei, times are whole seconds of chain time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import ClassVar, NewType, Protocol, TypeVar

from mercato.core import chain as names
from mercato.core.events import Event

Address = NewType("Address", str)
"""0x and 40 lower-case hexadecimal digits."""
Hash = NewType("Hash", str)
"""0x and 64 lower-case hexadecimal digits."""

ZERO = Address("0x" + "0" * 40)

_Place = TypeVar("_Place", contravariant=True)
_Name = TypeVar("_Name")
_Fate = TypeVar("_Fate", covariant=True)


@dataclass(frozen=True, slots=True)
class Call:
    """A message to a contract, or with `to` None the creation of one. `value` is wei; `gas` None lets it be found.

    `code` runs at `to` instead of what stands there, in `Chain.simulate` alone: it may log and ask, and keeps nothing.
    """

    sender: Address
    to: Address | None
    data: bytes = b""
    value: int = 0
    gas: int | None = None
    code: bytes = b""


@dataclass(frozen=True, slots=True)
class Log:
    """One event as a contract wrote it, with its place on the chain. `index` counts within the block."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes
    block: int
    block_hash: Hash
    transaction: Hash
    index: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a transaction. `reason` is the contract's own text where it reverted and the chain tells it."""

    transaction: Hash
    block: int
    block_hash: Hash
    index: int
    sender: Address
    to: Address | None
    created: Address | None
    succeeded: bool
    gas_used: int
    logs: tuple[Log, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call would do: its output, logs and gas; `reason` and no output where it would revert."""

    succeeded: bool
    output: bytes
    gas_used: int
    logs: tuple[Log, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A block's head: `time` in seconds since 1970, `base_fee` in wei per gas."""

    number: int
    hash: Hash
    parent: Hash
    time: int
    transactions: tuple[Hash, ...]
    gas_used: int
    base_fee: int


@dataclass(frozen=True, slots=True)
class Fees:
    """What gas costs, in wei: the next block's base fee, and the median tip in each recent block, oldest first.

    `tips` holds nothing where the chain asks for none.
    """

    base: int
    tips: tuple[int, ...] = ()

    @property
    def tip(self) -> int:
        """Returns the median of the recent tips, the higher one of two; 0 where there are none."""
        return sorted(self.tips)[len(self.tips) // 2] if self.tips else 0


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Logs of the blocks `first` to `last`, both included; of any address and topic where none is named.

    `topics` holds one set of accepted values per place; an empty set accepts any.
    """

    first: int
    last: int
    addresses: frozenset[Address] = frozenset()
    topics: tuple[frozenset[bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Watch:
    """Logs to keep in the store, from the block `first` on: of any address and topic where none is named.

    `topics` reads as in LogQuery. One watch for each contract is the rule: a changed one is read again from its start.
    """

    name: str
    first: int = 0
    addresses: frozenset[Address] = frozenset()
    topics: tuple[frozenset[bytes], ...] = ()

    def takes(self, log: Log) -> bool:
        """Returns whether a log is one of those that this asks for."""
        if self.addresses and log.address not in self.addresses:
            return False
        places = zip_longest(self.topics, log.topics)
        return all(not wanted or found in wanted for wanted, found in places)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlocksIndexed(Event):
    """Logs of the blocks `first` to `last` are in the store now; not told of blocks without any."""

    room: ClassVar[str] = "chains"
    chain: str
    first: int
    last: int
    logs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BlocksReorged(Event):
    """The chain took back its blocks above `kept`; their logs are gone from the store, and are read anew."""

    room: ClassVar[str] = "chains"
    chain: str
    kept: int
    logs: int


class Signer(Protocol):
    """Signs for one account; where its key lives is its own affair."""

    @property
    def address(self) -> Address:
        """The account that it signs for."""

    def transaction(self, fields: dict[str, object]) -> bytes:
        """Returns a transaction signed and serialised (EIP-2718), its fields named as in JSON-RPC."""

    def digest(self, digest: bytes) -> bytes:
        """Returns the 65-byte signature (r, s, v with v 27 or 28) of a 32-byte digest."""


class Network(Protocol[_Place, _Name, _Fate]):
    """What a chain of any kind does: EVM chains are `Chain`, Solana's `solana.model.Cluster`.

    An account is at a place, a transaction has a name, and a fate once it is in a block. Amounts are whole base
    units of the chain's own coin. Every error is of `chains.errors`.
    """

    @property
    def name(self) -> names.Chain:
        """The chain's CAIP-2 name."""

    def send_raw(self, signed: bytes) -> _Name:
        """Sends a transaction that was signed elsewhere. BadCall where it can never be included."""

    def receipt(self, transaction: _Name) -> _Fate | None:
        """Returns what became of a transaction; None where it is not in a block yet."""

    def wait(self, transaction: _Name, seconds: int = 60) -> _Fate:
        """Returns the receipt once there is one, of a failed transaction too; Unreachable after `seconds`."""

    def balance(self, address: _Place) -> int:
        """Returns the account's base units of the chain's own coin."""

    def time(self) -> int:
        """Returns the newest block's time in seconds since 1970."""


class Chain(Network[Address, Hash, Receipt], Protocol):
    """An EVM chain: the embedded one, a local node, or any JSON-RPC endpoint."""

    def send(self, call: Call) -> Hash:
        """Sends a transaction for an account that this adapter may sign for (the embedded chain takes any).

        Raises UnknownSigner; Reverted where the chain refuses it before it is included.
        """

    def call(self, call: Call, at: int | None = None) -> bytes:
        """Returns what a call gives back on the state after block `at` (None: the newest). Raises Reverted."""

    def simulate(self, calls: Sequence[Call]) -> tuple[Outcome, ...]:
        """Returns what the calls would do one after another on the newest state; nothing is kept, nothing raised."""

    def logs(self, query: LogQuery) -> tuple[Log, ...]:
        """Returns the logs in the order in which they were written."""

    def nonce(self, address: Address) -> int:
        """Returns the number of the account's next transaction."""

    def code(self, address: Address) -> bytes:
        """Returns the contract's code; nothing for a plain account."""

    def block(self, number: int | None = None) -> Block:
        """Returns a block; None asks for the newest. NotFound where there is none."""

    def storage(self, address: Address, slot: int) -> int:
        """Returns one 32-byte word of a contract's storage as a number."""

    def fees(self, blocks: int = 20) -> Fees:
        """Returns what gas costs, by the newest blocks."""


class Controls(Protocol):
    """What only a chain of one's own allows: money from nowhere, time by hand, and going back."""

    def fund(self, address: Address, wei: int) -> None:
        """Sets an account's balance."""

    def mine(self, blocks: int = 1, *, seconds: int = 1) -> None:
        """Makes blocks; the first lies `seconds` after the newest, each other one second later."""

    def snapshot(self) -> int:
        """Returns a mark to come back to. Marks are reverted newest first."""

    def revert(self, mark: int) -> None:
        """Goes back to a mark and forgets it; StaleSnapshot unless it is the newest one."""
