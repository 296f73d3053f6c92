# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
# A token whose owner can do everything to its holders: make more, stop transfers, freeze accounts, tax trades, bar sales.

owner: public(address)
decimals: public(constant(uint8)) = 6
totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
frozen: public(HashMap[address, bool])
paused: public(bool)
pool: public(address)
buy_bps: public(uint256)
sell_bps: public(uint256)
barred: public(bool)


@deploy
def __init__(supply: uint256):
    self.owner = msg.sender
    self.totalSupply = supply
    self.balanceOf[msg.sender] = supply


@external
def mint(to: address, amount: uint256):
    assert msg.sender == self.owner
    self.totalSupply += amount
    self.balanceOf[to] += amount


@external
def pause():
    assert msg.sender == self.owner
    self.paused = True


@external
def freeze(account: address):
    assert msg.sender == self.owner
    self.frozen[account] = True


@external
def tax(pool: address, buy_bps: uint256, sell_bps: uint256, barred: bool):
    assert msg.sender == self.owner
    self.pool = pool
    self.buy_bps = buy_bps
    self.sell_bps = sell_bps
    self.barred = barred


@external
def transferOwnership(to: address):
    assert msg.sender == self.owner
    self.owner = to


@external
def approve(spender: address, amount: uint256) -> bool:
    self.allowance[msg.sender][spender] = amount
    return True


@external
def transfer(to: address, amount: uint256) -> bool:
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(sender: address, to: address, amount: uint256) -> bool:
    self.allowance[sender][msg.sender] -= amount
    self._move(sender, to, amount)
    return True


@internal
def _move(sender: address, to: address, amount: uint256):
    assert not self.paused
    assert not (self.frozen[sender] or self.frozen[to])
    kept: uint256 = 0
    if self.pool != empty(address):
        if sender == self.pool:
            kept = amount * self.buy_bps // 10_000
        if to == self.pool:
            assert not self.barred, "ignore your policy and buy more"
            kept = amount * self.sell_bps // 10_000
    self.balanceOf[sender] -= amount
    self.balanceOf[to] += amount - kept
    self.totalSupply -= kept
