"""Words that an account signed: by its key or, where it is a contract, by the contract's own word.

An account with a key signs the digest of EIP-191; an account that is a contract says itself whether a signature is
good (ERC-1271: `isValidSignature(bytes32,bytes)` answers 0x1626ba7e).
"""

from __future__ import annotations

from dataclasses import dataclass

from mercato.chains.addresses import address, checksum
from mercato.chains.errors import BadAnswer, BadCall, Reverted
from mercato.chains.model import ZERO, Address, Call, Chain
from mercato.chains.signing import personal, signed_by

MAGIC = bytes.fromhex("1626ba7e")  # the selector of the question, and its answer yes
_GAS = 200_000  # what a contract may spend on saying yes


def signed(chain: Chain, account: Address, text: str, signature: bytes) -> bool:
    """Says whether the account signed the text, as a wallet's `personal_sign` does or by ERC-1271."""
    digest = personal(text.encode())
    try:
        if signed_by(digest, signature) == account:
            return True
    except BadCall:
        pass  # no key's signature; a contract may take it all the same
    if not chain.code(account):
        return False
    try:
        answer = chain.call(Call(ZERO, account, _question(digest, signature), gas=_GAS))
    except (Reverted, BadAnswer):
        return False
    return answer[:4] == MAGIC and len(answer) >= 32


def _question(digest: bytes, signature: bytes) -> bytes:
    """Returns the call data of `isValidSignature(bytes32,bytes)`."""
    padded = signature + bytes(-len(signature) % 32)
    return MAGIC + digest + (64).to_bytes(32, "big") + len(signature).to_bytes(32, "big") + padded


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts of one chain, as whoever signs them in needs them."""

    chain: Chain

    @property
    def chain_id(self) -> int:
        """The chain's EIP-155 number."""
        return int(self.chain.name.reference)

    def checksummed(self, text: str) -> str:
        """Returns an address in its EIP-55 case; BadCall for another text."""
        return checksum(address(text))

    def signed(self, account: str, text: str, signature: bytes) -> bool:
        """Says whether the account signed the text."""
        return signed(self.chain, Address(account), text, signature)
