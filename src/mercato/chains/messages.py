"""Words that an account signed: their digest (EIP-191, version 0x45), who signed them, and contracts that sign.

An account with a key signs by secp256k1; an account that is a contract says itself whether a signature is good
(ERC-1271: `isValidSignature(bytes32,bytes)` answers 0x1626ba7e).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from coincurve import PublicKey
from eth_hash.auto import keccak

from mercato.chains.errors import BadAnswer, Reverted
from mercato.chains.model import ZERO, Address, Call, Chain
from mercato.core.errors import InvalidInput

SIGNATURE = 65
MAGIC = bytes.fromhex("1626ba7e")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_GAS = 200_000  # what a contract may spend on saying yes


def digest(text: str) -> bytes:
    """Returns the 32 bytes that a wallet's `personal_sign` signs for a text (EIP-191)."""
    message = text.encode()
    return bytes(keccak(b"\x19Ethereum Signed Message:\n" + str(len(message)).encode() + message))


def checksummed(address: str) -> str:
    """Returns an address in the mixed case that proves it was copied whole (ERC-55); InvalidInput for other text."""
    if not _ADDRESS.fullmatch(address):
        raise InvalidInput(f"address was {address!r}", hint="0x and 40 hexadecimal digits")
    digits = address[2:].lower()
    proof = keccak(digits.encode()).hex()
    return "0x" + "".join(c.upper() if int(p, 16) > 7 else c for c, p in zip(digits, proof, strict=False))


def recovered(hashed: bytes, signature: bytes) -> Address | None:
    """Returns who signed a 32-byte digest; None where the 65 bytes are the signature of nobody."""
    if len(signature) != SIGNATURE or signature[64] not in (0, 1, 27, 28):
        return None
    try:
        key = PublicKey.from_signature_and_message(signature[:64] + bytes([signature[64] % 27]), hashed, hasher=None)
    except Exception:  # coincurve raises a bare Exception for a point that is not on the curve
        return None
    return Address("0x" + keccak(key.format(compressed=False)[1:])[12:].hex())


def signed(chain: Chain, address: Address, text: str, signature: bytes) -> bool:
    """Says whether the account signed the text: by its key or, where it is a contract, by its own word (ERC-1271)."""
    hashed = digest(text)
    if recovered(hashed, signature) == address.lower():
        return True
    if not chain.code(address):
        return False
    try:
        answer = chain.call(Call(ZERO, address, _question(hashed, signature), gas=_GAS))
    except (Reverted, BadAnswer):
        return False
    return answer[:4] == MAGIC and len(answer) >= 32


def _question(hashed: bytes, signature: bytes) -> bytes:
    """Returns the call data of `isValidSignature(bytes32,bytes)`: its selector is the same four bytes."""
    padded = signature + bytes(-len(signature) % 32)
    return MAGIC + hashed + (64).to_bytes(32, "big") + len(signature).to_bytes(32, "big") + padded


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts of one chain, as whoever signs them in needs them."""

    chain: Chain

    @property
    def chain_id(self) -> int:
        """The chain's EIP-155 number."""
        return int(self.chain.name.reference)

    def checksummed(self, address: str) -> str:
        """Returns an address in its ERC-55 case; InvalidInput for another text."""
        return checksummed(address)

    def signed(self, address: str, text: str, signature: bytes) -> bool:
        """Says whether the account signed the text."""
        return signed(self.chain, Address(address), text, signature)
