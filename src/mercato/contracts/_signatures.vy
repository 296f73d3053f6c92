# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
# SPDX-License-Identifier: Apache-2.0
"""
@title Typed signatures of plain accounts (EIP-712)
@notice The domain of one contract, and who signed a struct within it.
@dev The domain is computed at each use, so a signature for one chain is void on its fork.
"""

# constants

DOMAIN_TYPE: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
# Half of the curve's order: of the two signatures that verify, only the one with the lower `s` counts.
HALF_ORDER: constant(uint256) = 57896044618658097711785492504343953926418782139537452191302581570759080747168


# immutables

NAME_HASH: immutable(bytes32)
VERSION_HASH: immutable(bytes32)


# construction

@deploy
def __init__(name: String[64], version: String[8]):
    NAME_HASH = keccak256(name)
    VERSION_HASH = keccak256(version)


# external functions

@external
@view
def DOMAIN_SEPARATOR() -> bytes32:
    """
    @notice Returns the hash that binds signatures to this contract on this chain.
    """
    return self._domain()


# internal functions

@internal
@view
def _domain() -> bytes32:
    return keccak256(abi_encode(DOMAIN_TYPE, NAME_HASH, VERSION_HASH, chain.id, self))


@internal
@view
def _signed_by(signer: address, message: bytes32, v: uint8, r: bytes32, s: bytes32) -> bool:
    if signer == empty(address) or convert(s, uint256) > HALF_ORDER or (v != 27 and v != 28):
        return False
    return ecrecover(keccak256(concat(b"\x19\x01", self._domain(), message)), v, r, s) == signer
