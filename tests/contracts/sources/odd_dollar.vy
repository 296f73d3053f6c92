# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
# A quote token that misbehaves as it is told to: keeps a fee, rebases, bars accounts, says no, calls back.

balances: HashMap[address, uint256]
allowance: public(HashMap[address, HashMap[address, uint256]])
barred: public(HashMap[address, bool])
fee_bps: public(uint256)
scale_bps: public(uint256)
refusing: public(bool)
target: address
message: Bytes[1024]
tried: public(uint256)
reentered: public(uint256)


@deploy
def __init__():
    self.scale_bps = 10_000


@external
def set_fee(fee_bps: uint256):
    self.fee_bps = fee_bps


@external
def rebase(scale_bps: uint256):
    self.scale_bps = scale_bps


@external
def bar(account: address, barred: bool):
    self.barred[account] = barred


@external
def set_refusing(refusing: bool):
    self.refusing = refusing


@external
def call_back(target: address, message: Bytes[1024]):
    self.target = target
    self.message = message


@external
def faucet(to: address, amount: uint256):
    self.balances[to] += amount


@external
def approve(spender: address, amount: uint256) -> bool:
    self.allowance[msg.sender][spender] = amount
    return True


@external
@view
def balanceOf(owner: address) -> uint256:
    return self.balances[owner] * self.scale_bps // 10_000


@external
def transfer(to: address, amount: uint256) -> bool:
    return self._move(msg.sender, to, amount)


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    self.allowance[owner][msg.sender] -= amount
    return self._move(owner, to, amount)


@internal
def _move(owner: address, to: address, amount: uint256) -> bool:
    assert not self.barred[owner] and not self.barred[to], "dollar: barred"
    if self.target != empty(address):
        self.tried += 1
        if raw_call(self.target, self.message, revert_on_failure=False):
            self.reentered += 1
    if self.refusing:
        return False
    units: uint256 = amount * 10_000 // self.scale_bps
    self.balances[owner] -= units
    self.balances[to] += units - units * self.fee_bps // 10_000
    return True
