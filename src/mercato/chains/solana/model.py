"""Values of a Solana cluster. Amounts are whole lamports, 10**9 of which are a SOL; times are seconds since 1970."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NewType, Protocol

from mercato.chains.model import Network

Address = NewType("Address", str)
"""32 bytes in base 58: an account's name, and often an ed25519 public key."""
Signature = NewType("Signature", str)
"""64 bytes in base 58: a transaction's first signature, which is its name."""
Blockhash = NewType("Blockhash", str)
"""32 bytes in base 58: a block's name. One that is recent makes a transaction valid for a while."""

SOL = 10**9
PRICED = 128  # addresses whose prices one question may ask for
SYSTEM = Address("11111111111111111111111111111111")
TOKEN = Address("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022 = Address("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
ASSOCIATED = Address("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
MEMO = Address("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")


@dataclass(frozen=True, slots=True)
class Meta:
    """An account that an instruction names, whether it must sign, and whether it may change."""

    address: Address
    signer: bool = False
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Instruction:
    """What one program is asked to do."""

    program: Address
    accounts: tuple[Meta, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Account:
    """What lies at an address: its lamports, the program that owns it, and that program's data."""

    lamports: int
    owner: Address
    data: bytes = field(default=b"", repr=False)
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """What a token account that a transaction named held of a token, in base units, and whose it was."""

    account: Address
    mint: Address
    owner: Address
    units: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a transaction that is in a block.

    `reason` is in words where it failed, `error` the same as JSON, as nodes give it. `accounts` are those that it
    named, its own before those of lookup tables, each with its lamports before and after. `held` and `holds` are the
    tokens in them before and after.
    """

    signature: Signature
    slot: int
    time: int
    succeeded: bool
    fee: int
    units: int
    logs: tuple[str, ...]
    accounts: tuple[Address, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    reason: str = ""
    error: object = None
    held: tuple[Held, ...] = ()
    holds: tuple[Held, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a transaction would do. `accounts` are those asked for, as they would be after it; None where none is.

    `fee` is in lamports; None where the node does not tell.
    """

    succeeded: bool
    units: int
    logs: tuple[str, ...]
    returned: bytes = b""
    accounts: tuple[Account | None, ...] = ()
    reason: str = ""
    error: object = None
    fee: int | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A block's head. Slots without a block were skipped, so `height` counts blocks and `slot` counts time."""

    slot: int
    height: int
    hash: Blockhash
    parent_slot: int
    parent: Blockhash
    time: int
    transactions: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class Lifetime:
    """A recent blockhash, and the last block height at which a transaction that names it may still be included."""

    blockhash: Blockhash
    last_height: int


class Signer(Protocol):
    """Signs for one account; where its key lives is its own affair."""

    @property
    def address(self) -> Address:
        """The account that it signs for."""

    def message(self, message: bytes) -> bytes:
        """Returns the 64-byte ed25519 signature of a serialised message."""


class Cluster(Network[Address, Signature, Receipt], Protocol):
    """A Solana chain: the embedded one, or any behind JSON-RPC. Every error is of `chains.errors`.

    Besides what every network does, and instead of what only an EVM does (calls, logs by topic, nonces, code): state
    is accounts, a transaction names all that it touches, and stays valid for 150 blocks.
    """

    def simulate(self, transaction: bytes, accounts: Sequence[Address] = (), *, after: Sequence[bytes] = ()) -> Outcome:
        """Returns what a serialised transaction would do on the newest state; its signatures are not looked at.

        Nothing is kept, and nothing is raised for a transaction that would fail. BadCall where it is none. It is tried
        `after` others ran; BadAnswer where the cluster tries each alone, as nodes do.
        """

    def accounts(self, addresses: Sequence[Address]) -> tuple[Account | None, ...]:
        """Returns what lies at each address on one state; None where nothing does."""

    def owned(self, program: Address, size: int | None = None) -> dict[Address, Account]:
        """Returns the accounts that a program owns, of `size` bytes of data where one is given."""

    def lifetime(self) -> Lifetime:
        """Returns the newest blockhash, and for how long it can be used."""

    def height(self, *, final: bool = False) -> int:
        """Returns the number of blocks below the newest one, or below the newest that can never be taken back."""

    def block(self, slot: int | None = None) -> Block:
        """Returns a block; None asks for the newest. NotFound where the slot was skipped or has not come."""

    def fee(self, message: bytes) -> int:
        """Returns the lamports that sending a serialised message costs. BadCall where its blockhash is too old."""

    def rent(self, size: int) -> int:
        """Returns the lamports that an account with so many bytes of data must hold."""

    def priorities(self, addresses: Sequence[Address] = ()) -> tuple[int, ...]:
        """Returns the least price of each recent block, in micro-lamports per unit, for a transaction that writes to
        all of `addresses`; 0 where it took anybody. BadCall for more than 128."""

    def history(self, address: Address, limit: int = 100) -> tuple[Signature, ...]:
        """Returns the newest transactions that named an address, newest first."""


class Controls(Protocol):
    """What only a cluster of one's own allows: money from nowhere, time by hand, and going back."""

    def fund(self, address: Address, lamports: int) -> None:
        """Sets an account's lamports."""

    def put(self, address: Address, account: Account) -> None:
        """Sets an account, whatever its owner would say."""

    def mine(self, blocks: int = 1, *, seconds: int = 1) -> None:
        """Makes blocks; the first lies `seconds` after the newest, each other one second later."""

    def warp(self, slot: int, *, seconds: int = 1) -> None:
        """Makes one block at a later slot; those between are skipped. BadCall unless it is later."""

    def snapshot(self) -> int:
        """Returns a mark to come back to. Marks are reverted newest first."""

    def revert(self, mark: int) -> None:
        """Goes back to a mark and forgets it; StaleSnapshot unless it is the newest one."""
