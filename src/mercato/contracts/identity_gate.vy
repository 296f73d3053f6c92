# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
# SPDX-License-Identifier: Apache-2.0
"""
@title Identity gate of the retail tranche
@notice Admits a bidder by a Merkle allow-list or by an attester's signature, and caps each identity's escrow.
@dev Invariants:
     - an attested identity stands for one bidder per auction, the first that it was used for;
     - a signature counts for one auction, one bidder and one identity, on one chain, until its deadline.
     A credential is a kind byte and what follows it:
     - 0: the Merkle path, 32 bytes a step; a leaf is keccak256(keccak256(abi.encode(bidder))), pairs are hashed sorted;
     - 1: identity (32), deadline (32), r (32), s (32), v (1).
"""

# modules

import _signatures

initializes: _signatures


# exports

exports: _signatures.DOMAIN_SEPARATOR


# constants

ATTESTATION_TYPE: constant(bytes32) = keccak256(
    "Attestation(address auction,address bidder,bytes32 identity,uint256 deadline)"
)
LONGEST: constant(uint256) = 1025  # a path of 32 steps: 2**32 bidders


# immutables

ROOT: public(immutable(bytes32))
ATTESTER: public(immutable(address))
CAP: public(immutable(uint256))


# events

event Admitted:  # an attested identity, the first time
    auction: indexed(address)
    bidder: indexed(address)
    identity: bytes32


# state

holder: public(HashMap[address, HashMap[bytes32, address]])  # auction -> identity -> the bidder that it stands for


# construction

@deploy
def __init__(root: bytes32, attester: address, cap: uint256):
    assert root != empty(bytes32) or attester != empty(address), "gate: neither list nor attester"
    assert cap > 0, "gate: cap was zero"
    ROOT = root
    ATTESTER = attester
    CAP = cap
    _signatures.__init__("Mercato Identity Gate", "1")


# external functions

@external
def admit(bidder: address, credential: Bytes[LONGEST]) -> uint256:
    """
    @notice Returns how much quote, in base units, `bidder` may hold in the retail tranche of the auction that calls.
    """
    identity: bytes32 = self._identity(msg.sender, bidder, credential)
    assert identity != empty(bytes32), "gate: bidder not admitted"
    # A leaf of the list already stands for its bidder alone.
    if slice(credential, 0, 1) == b"\x01" and self.holder[msg.sender][identity] == empty(address):
        self.holder[msg.sender][identity] = bidder
        log Admitted(auction=msg.sender, bidder=bidder, identity=identity)
    return CAP


@external
@view
def allowed(auction: address, bidder: address, credential: Bytes[LONGEST]) -> bool:
    """
    @notice Returns whether the credential would admit the bidder to that auction now.
    """
    return self._identity(auction, bidder, credential) != empty(bytes32)


# internal functions

@internal
@view
def _identity(auction: address, bidder: address, credential: Bytes[LONGEST]) -> bytes32:
    """Returns the identity behind a credential; nothing where it does not admit the bidder."""
    identity: bytes32 = empty(bytes32)
    if len(credential) == 0:
        return identity
    if slice(credential, 0, 1) == b"\x00":
        return self._listed(bidder, credential)
    if slice(credential, 0, 1) == b"\x01":
        identity = self._attested(auction, bidder, credential)
    known: address = self.holder[auction][identity]
    return identity if known == empty(address) or known == bidder else empty(bytes32)


@internal
@view
def _listed(bidder: address, credential: Bytes[LONGEST]) -> bytes32:
    if ROOT == empty(bytes32) or len(credential) % 32 != 1:
        return empty(bytes32)
    leaf: bytes32 = keccak256(keccak256(abi_encode(bidder)))
    node: bytes32 = leaf
    for i: uint256 in range(len(credential) // 32, bound=32):
        step: bytes32 = extract32(credential, 1 + 32 * i)
        if convert(node, uint256) < convert(step, uint256):
            node = keccak256(concat(node, step))
        else:
            node = keccak256(concat(step, node))
    return leaf if node == ROOT else empty(bytes32)


@internal
@view
def _attested(auction: address, bidder: address, credential: Bytes[LONGEST]) -> bytes32:
    if len(credential) != 130:
        return empty(bytes32)
    identity: bytes32 = extract32(credential, 1)
    deadline: uint256 = extract32(credential, 33, output_type=uint256)
    if block.timestamp > deadline:
        return empty(bytes32)
    message: bytes32 = keccak256(abi_encode(ATTESTATION_TYPE, auction, bidder, identity, deadline))
    v: uint8 = convert(slice(credential, 129, 1), uint8)
    signed: bool = _signatures._signed_by(ATTESTER, message, v, extract32(credential, 65), extract32(credential, 97))
    return identity if signed else empty(bytes32)
