# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
# SPDX-License-Identifier: Apache-2.0
"""
@title Approvals and transfers by signature (ERC-2612, ERC-3009)
@notice `permit` and `cancelAuthorization` are whole; transfers are checked here and made by the token.
@dev Invariant: a permit's nonce and an authorization's nonce are used once at most.
"""

# modules

import _erc20
import _signatures

uses: _erc20
uses: _signatures


# constants

PERMIT_TYPE: constant(bytes32) = keccak256(
    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
)
TRANSFER_TYPE: constant(bytes32) = keccak256(
    "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
)
RECEIVE_TYPE: constant(bytes32) = keccak256(
    "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
)
CANCEL_TYPE: constant(bytes32) = keccak256("CancelAuthorization(address authorizer,bytes32 nonce)")


# events

event AuthorizationUsed:
    authorizer: indexed(address)
    nonce: indexed(bytes32)

event AuthorizationCanceled:
    authorizer: indexed(address)
    nonce: indexed(bytes32)


# state

nonces: public(HashMap[address, uint256])
authorizationState: public(HashMap[address, HashMap[bytes32, bool]])


# external functions

@external
def permit(owner: address, spender: address, amount: uint256, deadline: uint256, v: uint8, r: bytes32, s: bytes32):
    """
    @notice Sets an allowance that `owner` signed (ERC-2612).
    """
    assert block.timestamp <= deadline, "permit: expired"
    nonce: uint256 = self.nonces[owner]
    message: bytes32 = keccak256(abi_encode(PERMIT_TYPE, owner, spender, amount, nonce, deadline))
    assert _signatures._signed_by(owner, message, v, r, s), "permit: not signed by the owner"
    self.nonces[owner] = unsafe_add(nonce, 1)
    _erc20._approve(owner, spender, amount)


@external
def cancelAuthorization(authorizer: address, nonce: bytes32, v: uint8, r: bytes32, s: bytes32):
    """
    @notice Makes a signed transfer void before it is used (ERC-3009).
    """
    assert not self.authorizationState[authorizer][nonce], "authorization: used or cancelled"
    message: bytes32 = keccak256(abi_encode(CANCEL_TYPE, authorizer, nonce))
    assert _signatures._signed_by(authorizer, message, v, r, s), "authorization: not signed by the owner"
    self.authorizationState[authorizer][nonce] = True
    log AuthorizationCanceled(authorizer=authorizer, nonce=nonce)


# internal functions

@internal
def _use(
    kind: bytes32, owner: address, receiver: address, amount: uint256, valid_after: uint256, valid_before: uint256,
    nonce: bytes32, v: uint8, r: bytes32, s: bytes32
):
    assert block.timestamp > valid_after, "authorization: not valid yet"
    assert block.timestamp < valid_before, "authorization: expired"
    assert not self.authorizationState[owner][nonce], "authorization: used or cancelled"
    message: bytes32 = keccak256(abi_encode(kind, owner, receiver, amount, valid_after, valid_before, nonce))
    assert _signatures._signed_by(owner, message, v, r, s), "authorization: not signed by the owner"
    self.authorizationState[owner][nonce] = True
    log AuthorizationUsed(authorizer=owner, nonce=nonce)
