# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
# SPDX-License-Identifier: Apache-2.0
"""
@title Test Dollar
@notice A dollar of no value for local chains and test networks: ERC-20, ERC-2612, ERC-3009, and a tap for everyone.
@dev Invariants: those of `_erc20` and `_authorizations`.
"""

# modules

import _authorizations
import _erc20
import _signatures

initializes: _erc20
initializes: _signatures
initializes: _authorizations[_erc20 := _erc20, _signatures := _signatures]


# exports

# ERC-20
exports: (_erc20.balanceOf, _erc20.allowance, _erc20.totalSupply, _erc20.approve)
# ERC-2612 and ERC-3009
exports: (
    _signatures.DOMAIN_SEPARATOR,
    _authorizations.nonces,
    _authorizations.permit,
    _authorizations.authorizationState,
    _authorizations.cancelAuthorization,
)


# constants

name: public(constant(String[11])) = "Test Dollar"
symbol: public(constant(String[4])) = "tUSD"
version: public(constant(String[1])) = "1"
decimals: public(constant(uint8)) = 6
MOST: constant(uint256) = 2**200  # so that nobody can make so much that there is none left to make for others


# construction

@deploy
def __init__():
    _signatures.__init__(name, version)


# external functions

@external
def faucet(to: address, amount: uint256):
    """
    @notice Makes `amount` base units for `to`, below 2**200 at once; anyone may ask.
    """
    assert amount < MOST, "faucet: too much at once"
    _erc20._mint(to, amount)


@external
def transfer(to: address, amount: uint256) -> bool:
    """
    @notice Moves `amount` base units of the caller's to `to`.
    """
    _erc20._move(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    """
    @notice Moves `amount` base units from `owner` to `to` within the caller's allowance.
    """
    _erc20._spend(owner, msg.sender, amount)
    _erc20._move(owner, to, amount)
    return True


@external
def transferWithAuthorization(
    owner: address, to: address, amount: uint256, validAfter: uint256, validBefore: uint256, nonce: bytes32,
    v: uint8, r: bytes32, s: bytes32
):
    """
    @notice Makes a transfer that `owner` signed; anyone may bring it (ERC-3009).
    """
    _authorizations._use(
        _authorizations.TRANSFER_TYPE, owner, to, amount, validAfter, validBefore, nonce, v, r, s
    )
    _erc20._move(owner, to, amount)


@external
def receiveWithAuthorization(
    owner: address, to: address, amount: uint256, validAfter: uint256, validBefore: uint256, nonce: bytes32,
    v: uint8, r: bytes32, s: bytes32
):
    """
    @notice Makes a transfer that `owner` signed; only its receiver may bring it (ERC-3009).
    """
    assert to == msg.sender, "authorization: caller is not the receiver"
    _authorizations._use(
        _authorizations.RECEIVE_TYPE, owner, to, amount, validAfter, validBefore, nonce, v, r, s
    )
    _erc20._move(owner, to, amount)
