# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
# SPDX-License-Identifier: Apache-2.0
"""
@title Agent token
@notice The token of one agent: ERC-20, ERC-2612, ERC-3009 and burn. Its whole supply is issued once; until the
        launch makes it live, only the launch's auction can move it.
@dev Invariants:
     - issued once, by the account that created it; the supply only falls afterwards;
     - `mover` is empty before the issue, the auction until LIVE, and empty for ever after;
     - before LIVE no balance but the auction's can fall.
     No owner, no pause, no fee, no upgrade.
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

version: public(constant(String[1])) = "1"
decimals: public(constant(uint8)) = 18


# immutables

name: public(immutable(String[64]))
symbol: public(immutable(String[16]))
ISSUER: immutable(address)


# events

event Live:
    supply: uint256


# state

mover: public(address)


# construction

@deploy
def __init__(name_: String[64], symbol_: String[16]):
    assert len(name_) > 0 and len(symbol_) > 0, "token: name missing"
    name = name_
    symbol = symbol_
    ISSUER = msg.sender
    _signatures.__init__(name_, version)


# external functions

@external
def issue(mover: address, holders: DynArray[address, 16], amounts: DynArray[uint256, 16]):
    """
    @notice Makes the whole supply, base units per holder, and locks it but for `mover`, the auction; once, by the
            account that created this contract.
    """
    assert msg.sender == ISSUER, "token: only the issuer"
    assert _erc20.totalSupply == 0 and self.mover == empty(address), "token: already issued"
    assert mover != empty(address), "token: mover missing"
    assert len(holders) == len(amounts), "token: holders and amounts differ"
    self.mover = mover
    for i: uint256 in range(len(holders), bound=16):
        _erc20._mint(holders[i], amounts[i])
    assert _erc20.totalSupply > 0, "token: no supply"


@external
def go_live():
    """
    @notice Ends the lock, for ever; only the mover can.
    """
    assert msg.sender == self.mover, "token: only the mover"
    self.mover = empty(address)
    log Live(supply=_erc20.totalSupply)


@external
@view
def live() -> bool:
    """
    @notice Returns whether everyone may move their tokens.
    """
    return self.mover == empty(address) and _erc20.totalSupply > 0


@external
def burn(amount: uint256):
    """
    @notice Destroys `amount` base units of the caller's.
    """
    self._check(msg.sender)
    _erc20._burn(msg.sender, amount)


@external
def transfer(to: address, amount: uint256) -> bool:
    """
    @notice Moves `amount` base units of the caller's to `to`.
    """
    self._check(msg.sender)
    _erc20._move(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    """
    @notice Moves `amount` base units from `owner` to `to` within the caller's allowance.
    """
    self._check(owner)
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
    self._check(owner)
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
    self._check(owner)
    assert to == msg.sender, "authorization: caller is not the receiver"
    _authorizations._use(
        _authorizations.RECEIVE_TYPE, owner, to, amount, validAfter, validBefore, nonce, v, r, s
    )
    _erc20._move(owner, to, amount)


# internal functions

@internal
@view
def _check(sender: address):
    mover: address = self.mover
    assert mover == empty(address) or sender == mover, "token: locked until live"
