# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
# A lending pool with the four verbs of Aave v3; it keeps books by the events of two tokens that it stands for itself.

from ethereum.ercs import IERC20

lent: public(HashMap[address, uint256])
owed: public(HashMap[address, uint256])


@external
def supply(asset: address, amount: uint256, owner: address, referral: uint16):
    assert extcall IERC20(asset).transferFrom(msg.sender, self, amount)
    self.lent[owner] += amount


@external
def withdraw(asset: address, amount: uint256, to: address) -> uint256:
    self.lent[msg.sender] -= amount
    assert extcall IERC20(asset).transfer(to, amount)
    return amount


@external
def borrow(asset: address, amount: uint256, kind: uint256, referral: uint16, owner: address):
    assert kind == 2 and owner == msg.sender
    self.owed[owner] += amount
    assert extcall IERC20(asset).transfer(msg.sender, amount)


@external
def repay(asset: address, amount: uint256, kind: uint256, owner: address) -> uint256:
    assert kind == 2
    self.owed[owner] -= amount
    assert extcall IERC20(asset).transferFrom(msg.sender, self, amount)
    return amount
