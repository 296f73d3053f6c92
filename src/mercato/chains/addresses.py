"""Addresses of an EVM chain: where they come from and how they are written. Keccak-256 is at home here too."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from mercato.chains.errors import BadCall
from mercato.chains.model import Address

if TYPE_CHECKING:
    from collections.abc import Callable

_WRITTEN = re.compile(r"0[xX][0-9a-fA-F]{40}")


def keccak(data: bytes) -> bytes:
    """Returns the 32-byte Keccak-256 of some bytes (the Ethereum one, not SHA3-256)."""
    return _hasher()(data)


def address(text: str) -> Address:
    """Returns an address in lower case; BadCall where the text is none, or its mixed case is a wrong checksum (EIP-55).

    Text that is all lower or all upper case carries no checksum.
    """
    if not isinstance(text, str) or not _WRITTEN.fullmatch(text):
        raise BadCall(f"address was {text!r}", hint="expected 0x and 40 hexadecimal digits")
    digits, lower = text[2:], Address("0x" + text[2:].lower())
    if digits not in {digits.lower(), digits.upper()} and checksum(lower)[2:] != digits:
        raise BadCall(f"address was {text!r}, its checksum is wrong", hint=f"was {checksum(lower)} meant?")
    return lower


def checksum(address: Address) -> str:
    """Returns an address with the mixed case that lets people notice a mistyped digit (EIP-55)."""
    digits = address[2:]
    marks = keccak(digits.encode()).hex()
    return "0x" + "".join(d.upper() if int(mark, 16) >= 8 else d for d, mark in zip(digits, marks, strict=False))


def create_address(sender: Address, nonce: int) -> Address:
    """Returns where a contract comes to lie that `sender` creates with its transaction or CREATE number `nonce`."""
    number = nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
    # RLP by hand: a nonce has at most 8 bytes, so the list is always shorter than 56 bytes.
    item = number if len(number) == 1 and number[0] < 0x80 else bytes([0x80 + len(number)]) + number
    body = b"\x94" + bytes.fromhex(sender[2:]) + item
    return Address("0x" + keccak(bytes([0xC0 + len(body)]) + body)[12:].hex())


def create2_address(factory: Address, salt: bytes, init_code: bytes) -> Address:
    """Returns where `factory` puts a contract by CREATE2 (EIP-1014); `salt` has 32 bytes."""
    if len(salt) != 32:
        raise BadCall(f"salt was {salt!r}, of {len(salt)} bytes", hint="expected 32 bytes")
    return Address("0x" + keccak(b"\xff" + bytes.fromhex(factory[2:]) + salt + keccak(init_code))[12:].hex())


@cache
def _hasher() -> Callable[[bytes], bytes]:
    from eth_hash.auto import keccak as hasher  # loaded when first needed: doors import this module

    return hasher
