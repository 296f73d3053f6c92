"""What lets a bidder into the retail tranche: a place on a Merkle allow-list, or an attester's signature.

The contract is `identity_gate.vy`. A leaf is keccak256(keccak256(abi.encode(bidder))), and pairs are hashed sorted, as
OpenZeppelin's Merkle trees do, so their tools make the same lists.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mercato.chains import Address, Chain, keccak
from mercato.core.errors import InvalidInput, NotFound

LISTED, ATTESTED = b"\x00", b"\x01"
NOBODY = bytes(32)  # the root of no list
_DOMAIN = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_ATTESTATION = keccak(b"Attestation(address auction,address bidder,bytes32 identity,uint256 deadline)")


@dataclass(frozen=True, slots=True)
class AllowList:
    """A Merkle tree over bidders: its rows of hashes, leaves first, the root last."""

    rows: tuple[tuple[bytes, ...], ...]

    @classmethod
    def of(cls, bidders: Iterable[Address]) -> AllowList:
        """Returns the list of these bidders, in no particular order; InvalidInput where there are none."""
        row = tuple(sorted({_leaf(bidder) for bidder in bidders}))
        if not row:
            raise InvalidInput("allow-list was empty", hint="name at least one bidder, or use an attester")
        rows = [row]
        while len(row) > 1:
            row = tuple(_pair(*row[place : place + 2]) for place in range(0, len(row), 2))
            rows.append(row)
        return cls(tuple(rows))

    @property
    def root(self) -> bytes:
        """The 32 bytes that the gate is created with."""
        return self.rows[-1][0]

    def credential(self, bidder: Address) -> bytes:
        """Returns what proves that a bidder is on the list; NotFound for anyone else."""
        leaf = _leaf(bidder)
        if leaf not in self.rows[0]:
            raise NotFound(f"bidder was {bidder!r}, who is not on the allow-list")
        place, path = self.rows[0].index(leaf), []
        for row in self.rows[:-1]:
            if (beside := place ^ 1) < len(row):
                path.append(row[beside])
            place //= 2
        return LISTED + b"".join(path)


def attestation(
    chain: Chain, gate: Address, auction: Address, bidder: Address, identity: bytes, deadline: int
) -> bytes:
    """Returns the digest (EIP-712) that the gate's attester signs: an identity, 32 bytes, stands for this bidder.

    `deadline` is in seconds since 1970.
    """
    named = keccak(b"Mercato Identity Gate") + keccak(b"1")
    domain = keccak(_DOMAIN + named + _word(int(chain.name.reference)) + _word(int(gate, 16)))
    said = keccak(_ATTESTATION + _word(int(auction, 16)) + _word(int(bidder, 16)) + identity + _word(deadline))
    return keccak(b"\x19\x01" + domain + said)


def attested(identity: bytes, deadline: int, signature: bytes) -> bytes:
    """Returns the credential made of an attester's 65-byte signature."""
    return ATTESTED + identity + _word(deadline) + signature


def _leaf(bidder: Address) -> bytes:
    return keccak(keccak(_word(int(bidder, 16))))


def _pair(left: bytes, right: bytes | None = None) -> bytes:
    """Returns the hash above two; one that is alone moves up as it is."""
    return left if right is None else keccak(min(left, right) + max(left, right))


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")
