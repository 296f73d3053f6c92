# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Where contracts will be
@notice The addresses of minimal proxies (EIP-1167) made with CREATE2, and of what a contract makes with CREATE.
"""

LOADER: constant(Bytes[19]) = x"602d3d8160093d39f3363d3d373d3d3d363d73"
FORWARDER: constant(Bytes[15]) = x"5af43d82803e903d91602b57fd5bf3"


@internal
@pure
def _clone_of(target: address, maker: address, salt: bytes32) -> address:
    """
    @dev Returns where `maker` puts the minimal proxy of `target` that it makes with `salt` (EIP-1014).
    """
    code: bytes32 = keccak256(concat(LOADER, convert(target, bytes20), FORWARDER))
    return self._last20(keccak256(concat(b"\xff", convert(maker, bytes20), salt, code)))


@internal
@pure
def _created(maker: address, nonce: uint256) -> address:
    """
    @dev Returns where `maker` puts the contract that it makes with CREATE at `nonce`, which is 1 to 127 (RLP).
    """
    return self._last20(keccak256(concat(x"d694", convert(maker, bytes20), convert(convert(nonce, uint8), bytes1))))


@internal
@pure
def _last20(digest: bytes32) -> address:
    return convert(convert(digest, uint256) & convert(max_value(uint160), uint256), address)
