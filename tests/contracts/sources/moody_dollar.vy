# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
# A dollar for tests that does what issuers can do: block accounts, take a fee, return false, call back on the way.

balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
blocked: public(HashMap[address, bool])
fee_bps: public(uint256)
lies: public(bool)
target: address
receiver: address
data: Bytes[512]
tried: public(bool)
called_back: public(bool)


@external
def faucet(to: address, amount: uint256):
    self.balanceOf[to] += amount


@external
def block_account(account: address, blocked: bool):
    self.blocked[account] = blocked


@external
def take(fee_bps: uint256):
    self.fee_bps = fee_bps


@external
def lie(lies: bool):
    self.lies = lies


@external
def call_back(target: address, data: Bytes[512]):
    """
    The next transfer calls this first; whether it went through is kept.
    """
    self.target = target
    self.data = data


@external
def call_back_at(target: address, data: Bytes[512], receiver: address):
    """
    The next transfer to one account calls this first.
    """
    self.target = target
    self.data = data
    self.receiver = receiver


@external
def approve(spender: address, amount: uint256) -> bool:
    self.allowance[msg.sender][spender] = amount
    return True


@external
def transfer(to: address, amount: uint256) -> bool:
    return self._move(msg.sender, to, amount)


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    self.allowance[owner][msg.sender] -= amount
    return self._move(owner, to, amount)


@internal
def _move(owner: address, to: address, amount: uint256) -> bool:
    if self.lies:
        return False
    assert not self.blocked[owner] and not self.blocked[to], "dollar: blocked"
    if self.target != empty(address) and (self.receiver == empty(address) or self.receiver == to):
        target: address = self.target
        self.target = empty(address)
        self.tried = True
        self.called_back = raw_call(target, self.data, revert_on_failure=False)
    self.balanceOf[owner] -= amount
    self.balanceOf[to] += amount - amount * self.fee_bps // 10_000
    return True
