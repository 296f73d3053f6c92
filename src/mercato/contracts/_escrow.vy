# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
# SPDX-License-Identifier: Apache-2.0
"""
@title Money in and out of a contract
@notice Takes tokens in by allowance or signature and pays them out; a token that returns false, or delivers another
        amount than it was asked for, is refused. Tokens that return nothing are accepted.
"""

# interfaces

from ethereum.ercs import IERC20

interface Authorizations:
    def receiveWithAuthorization(
        owner: address, to: address, amount: uint256, valid_after: uint256, valid_before: uint256, nonce: bytes32,
        v: uint8, r: bytes32, s: bytes32
    ): nonpayable


# internal functions

@internal
def _pull(token: address, owner: address, amount: uint256):
    """Takes money in by allowance; a token that delivers another amount is refused."""
    before: uint256 = staticcall IERC20(token).balanceOf(self)
    assert extcall IERC20(token).transferFrom(owner, self, amount, default_return_value=True), "escrow: money refused"
    assert staticcall IERC20(token).balanceOf(self) == before + amount, "escrow: money arrived short"


@internal
def _pay(token: address, to: address, amount: uint256):
    if amount > 0:
        assert extcall IERC20(token).transfer(to, amount, default_return_value=True), "escrow: payment refused"


@internal
def _permit(token: address, owner: address, amount: uint256, deadline: uint256, v: uint8, r: bytes32, s: bytes32):
    """Sets an allowance that the owner signed. Whoever brings the same permit first only did our work: no failure."""
    data: Bytes[228] = abi_encode(
        owner, self, amount, deadline, v, r, s,
        method_id=method_id("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)")
    )
    done: bool = raw_call(token, data, revert_on_failure=False)


@internal
def _receive(
    token: address, owner: address, amount: uint256, valid_after: uint256, valid_before: uint256, nonce: bytes32,
    v: uint8, r: bytes32, s: bytes32
):
    """Takes a transfer that the owner signed to this contract (ERC-3009)."""
    before: uint256 = staticcall IERC20(token).balanceOf(self)
    extcall Authorizations(token).receiveWithAuthorization(
        owner, self, amount, valid_after, valid_before, nonce, v, r, s
    )
    assert staticcall IERC20(token).balanceOf(self) == before + amount, "escrow: money arrived short"
