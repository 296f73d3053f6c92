# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
# A vault of ERC-4626 that keeps one share for one unit of its asset.

from ethereum.ercs import IERC20

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    value: uint256

asset: public(address)
balanceOf: public(HashMap[address, uint256])


@deploy
def __init__(asset: address):
    self.asset = asset


@external
def deposit(assets: uint256, receiver: address) -> uint256:
    assert extcall IERC20(self.asset).transferFrom(msg.sender, self, assets)
    self.balanceOf[receiver] += assets
    log Transfer(sender=empty(address), receiver=receiver, value=assets)
    return assets


@external
def withdraw(assets: uint256, receiver: address, owner: address) -> uint256:
    assert owner == msg.sender
    self._give(assets, receiver)
    return assets


@external
def redeem(shares: uint256, receiver: address, owner: address) -> uint256:
    assert owner == msg.sender
    self._give(shares, receiver)
    return shares


@internal
def _give(assets: uint256, receiver: address):
    self.balanceOf[msg.sender] -= assets
    log Transfer(sender=msg.sender, receiver=empty(address), value=assets)
    assert extcall IERC20(self.asset).transfer(receiver, assets)
