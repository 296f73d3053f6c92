"""Transactions: instructions become a message (version 0), signers sign it, and bytes become a transaction again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from mercato.chains.errors import BadCall
from mercato.chains.solana import base58
from mercato.chains.solana.model import Address, Blockhash, Instruction, Meta, Signature, Signer

if TYPE_CHECKING:
    from solders.message import Message, MessageV0, MessageV1
    from solders.pubkey import Pubkey
    from solders.transaction import VersionedTransaction

    VersionedMessage = Message | MessageV0 | MessageV1

MOST = 1232  # bytes of a transaction: what fits into one packet of IPv6's least size
UNSIGNED = bytes(64)
SEED = 32  # bytes of the seed of an address at most
Tables = Mapping[Address, Sequence[Address]]


def compile_message(
    payer: Address, instructions: Sequence[Instruction], blockhash: Blockhash, tables: Tables | None = None
) -> bytes:
    """Returns the serialised message of instructions that `payer` pays for.

    `tables` are lookup tables with their addresses, to name accounts in one byte each. BadCall where it cannot be one.
    """
    from solders.address_lookup_table_account import AddressLookupTableAccount
    from solders.hash import Hash
    from solders.instruction import AccountMeta
    from solders.instruction import Instruction as Compiled
    from solders.message import MessageV0, to_bytes_versioned

    compiled = [
        Compiled(
            pubkey(one.program), one.data, [AccountMeta(pubkey(a.address), a.signer, a.writable) for a in one.accounts]
        )
        for one in instructions
    ]
    found = [
        AddressLookupTableAccount(pubkey(table), [pubkey(each) for each in addresses])
        for table, addresses in (tables or {}).items()
    ]
    try:
        message = MessageV0.try_compile(pubkey(payer), compiled, found, Hash.from_string(blockhash))
    except Exception as error:  # solders has a class of its own for every fault
        raise BadCall(f"instructions do not fit into a message: {error}", hint="too many accounts?") from None
    return to_bytes_versioned(message)


def sign(message: bytes, signers: Iterable[Signer]) -> bytes:
    """Returns a serialised transaction; BadCall where a signature that its message needs is missing, or it is too long.

    Signers that the message does not need are refused too: they point to a mistake.
    """
    by_address = {signer.address: signer for signer in signers}
    needed = signers_of(message)
    if missing := [address for address in needed if address not in by_address]:
        raise BadCall(f"signers missing were {missing!r}", hint="each account that must sign needs its key")
    if extra := sorted(set(by_address) - set(needed)):
        raise BadCall(f"signers not needed were {extra!r}", hint=f"the message wants {', '.join(needed)}")
    return assemble(message, [by_address[address].message(message) for address in needed])


def assemble(message: bytes, signatures: Sequence[bytes] | None = None) -> bytes:
    """Returns a transaction of a message and its signatures; without them one that can only be simulated."""
    given = [UNSIGNED] * len(signers_of(message)) if signatures is None else signatures
    whole = bytes([len(given)]) + b"".join(given) + message  # counts below 128 are one byte (compact-u16)
    if len(whole) > MOST:
        raise BadCall(
            f"transaction was {len(whole)} bytes", hint=f"at most {MOST}; use fewer accounts, or lookup tables"
        )
    return whole


def signers_of(message: bytes) -> list[Address]:
    """Returns the accounts that must sign a serialised message, the one that pays first; BadCall where it is none."""
    return [meta.address for meta in accounts_of(message) if meta.signer]


def accounts_of(message: bytes) -> list[Meta]:
    """Returns the accounts that a serialised message names itself, the one that pays first; BadCall where it is none.

    Those of lookup tables are not among them. One that may change may also be left as it is.
    """
    from solders.message import from_bytes_versioned

    try:
        return own_accounts(from_bytes_versioned(message))
    except Exception as error:  # solders has a class of its own for every fault
        raise BadCall(f"message was {message[:32].hex()}…: {error}", hint="expected a serialised one") from None


def all_accounts_of(message: bytes, tables: Tables | None = None) -> list[Meta]:
    """Returns every account that a message names, those that it takes from lookup tables last.

    BadCall where one of its tables is not among `tables`, or is too short.
    """
    from solders.message import from_bytes_versioned

    loaded = []
    for lookup in getattr(from_bytes_versioned(message), "address_table_lookups", ()):
        listed = (tables or {}).get(Address(str(lookup.account_key)), ())
        for places, writable in ((lookup.writable_indexes, True), (lookup.readonly_indexes, False)):
            if any(place >= len(listed) for place in bytes(places)):
                raise BadCall(f"lookup table was {lookup.account_key}", hint="it is not known, or too short")
            loaded += [Meta(listed[place], writable=writable) for place in bytes(places)]
    return accounts_of(message) + loaded


def own_accounts(message: VersionedMessage) -> list[Meta]:
    """Returns the accounts that a message names itself: signers first, and of either kind those that may change."""
    header, keys = message.header, message.account_keys
    signed = header.num_required_signatures
    ends = (signed - header.num_readonly_signed_accounts, len(keys) - header.num_readonly_unsigned_accounts)
    return [
        Meta(Address(str(key)), place < signed, place < ends[0] or signed <= place < ends[1])
        for place, key in enumerate(keys)
    ]


def decode(transaction: bytes) -> VersionedTransaction:
    """Returns a transaction of its bytes; BadCall where they are none, or more, or contradict themselves."""
    from solders.transaction import VersionedTransaction

    if len(transaction) > MOST:
        raise BadCall(f"transaction was {len(transaction)} bytes", hint=f"at most {MOST}")
    try:
        found = VersionedTransaction.from_bytes(transaction)
        found.sanitize()
    except Exception as error:  # solders has a class of its own for every fault
        raise BadCall(f"transaction was {transaction[:32].hex()}…: {error}", hint="expected a serialised one") from None
    if bytes(found) != transaction:
        raise BadCall(f"transaction was {len(transaction)} bytes, with some to spare", hint="send it alone")
    return found


def checked(transaction: bytes) -> bytes:
    """Returns a transaction as it is; BadCall where a signature is not its account's, as from a signer elsewhere."""
    found = decode(transaction)
    wrong = [str(key) for key, good in zip(found.message.account_keys, found.verify_with_results(), strict=False)
             if not good]  # fmt: skip
    if wrong:
        raise BadCall(f"signature was not of {wrong[0]}", hint="does its signer hold another key?")
    return transaction


def signature_of(transaction: bytes) -> Signature:
    """Returns the name of a transaction: its first signature."""
    return Signature(base58.encode(transaction[1:65]))


def pubkey(address: Address) -> Pubkey:
    """Returns an address as solders has it; BadCall where it is none."""
    from solders.pubkey import Pubkey

    try:
        return Pubkey.from_string(address)
    except ValueError:
        raise BadCall(f"address was {address!r:.80}", hint="expected 32 bytes in base 58") from None


def derived(program: Address, *seeds: bytes) -> Address:
    """Returns the address that a program has for some seeds, for which there is no key (PDA)."""
    return derivation(program, *seeds)[0]


def derivation(program: Address, *seeds: bytes) -> tuple[Address, int]:
    """Returns the address that a program has for some seeds, and the byte that was added so that it has no key."""
    from solders.pubkey import Pubkey

    found, bump = Pubkey.find_program_address(list(seeds), pubkey(program))
    return Address(str(found)), bump


def seeded(base: Address, seed: str, owner: Address) -> Address:
    """Returns the address of an account that `base` makes with a seed for a program; BadCall for one too long."""
    from solders.pubkey import Pubkey

    if len(seed.encode()) > SEED:
        raise BadCall(f"seed was {seed!r:.80}", hint=f"at most {SEED} bytes")
    return Address(str(Pubkey.create_with_seed(pubkey(base), seed, pubkey(owner))))


def octets(address: Address) -> bytes:
    """Returns the 32 bytes of an address; BadCall where it is none."""
    return bytes(pubkey(address))
