"""Address lookup tables: what lies in them, and the instructions of the program that keeps them.

A message names an account of a table in one byte instead of 32, so more accounts fit into a transaction. Layouts are
those of `solana-address-lookup-table-interface` (`state.rs`, `instruction.rs`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mercato.chains.solana import base58
from mercato.chains.solana.messages import derivation, octets
from mercato.chains.solana.model import SYSTEM, Account, Address, Instruction, Meta

LOOKUP = Address("AddressLookupTab1e1111111111111111111111111")
HEAD = 56  # bytes before the addresses
MOST = 256  # addresses of one table
AT_ONCE = 20  # addresses that fit into one transaction that adds them
NEVER = 2**64 - 1


@dataclass(frozen=True, slots=True)
class LookupTable:
    """A table's addresses, who may change it (None: nobody ever), and the slot of its end (None: no end)."""

    authority: Address | None
    ended: int | None
    addresses: tuple[Address, ...]


def lookup_table(account: Account | None) -> LookupTable | None:
    """Returns the table that an account is; None where it is none."""
    data = account.data if account else b""
    if account is None or account.owner != LOOKUP or len(data) < HEAD or int.from_bytes(data[:4], "little") != 1:
        return None
    ended = int.from_bytes(data[4:12], "little")
    listed = tuple(Address(base58.encode(data[at : at + 32])) for at in range(HEAD, len(data) - 31, 32))
    holder = Address(base58.encode(data[22:54])) if data[21] else None
    return LookupTable(holder, None if ended == NEVER else ended, listed)


def create_table(authority: Address, payer: Address, slot: int) -> tuple[Address, Instruction]:
    """Returns where a table will lie, and the instruction that makes it (CreateLookupTable, 0).

    `slot` is one of the last 512 that had a block; the address follows from it.
    """
    place, bump = derivation(LOOKUP, octets(authority), slot.to_bytes(8, "little"))
    accounts = (Meta(place, writable=True), Meta(authority, signer=True), Meta(payer, True, True), Meta(SYSTEM))
    return place, Instruction(LOOKUP, accounts, bytes(4) + slot.to_bytes(8, "little") + bytes([bump]))


def extend_table(table: Address, authority: Address, payer: Address, added: Sequence[Address]) -> Instruction:
    """Adds addresses, which can be used from the next block on (ExtendLookupTable, 2)."""
    accounts = (Meta(table, writable=True), Meta(authority, signer=True), Meta(payer, True, True), Meta(SYSTEM))
    listed = len(added).to_bytes(8, "little") + b"".join(octets(item) for item in added)
    return Instruction(LOOKUP, accounts, (2).to_bytes(4, "little") + listed)


def end_table(table: Address, authority: Address) -> Instruction:
    """Ends a table; it can be closed 513 slots later (DeactivateLookupTable, 3)."""
    return Instruction(LOOKUP, (Meta(table, writable=True), Meta(authority, signer=True)), (3).to_bytes(4, "little"))


def close_table(table: Address, authority: Address, target: Address) -> Instruction:
    """Closes a table that ended long enough ago, and pays its lamports to `target` (CloseLookupTable, 4)."""
    accounts = (Meta(table, writable=True), Meta(authority, signer=True), Meta(target, writable=True))
    return Instruction(LOOKUP, accounts, (4).to_bytes(4, "little"))
