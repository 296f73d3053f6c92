# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
# SPDX-License-Identifier: Apache-2.0
"""
@title The books of a fungible token (ERC-20)
@notice Balances, allowances and supply; the contracts that use it decide who may move what.
@dev Invariant: the supply is the sum of all balances, so no balance can overflow.
"""

# events

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    value: uint256

event Approval:
    owner: indexed(address)
    spender: indexed(address)
    value: uint256


# state

balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
totalSupply: public(uint256)


# external functions

@external
def approve(spender: address, amount: uint256) -> bool:
    """
    @notice Lets `spender` move up to `amount` base units of the caller's; the maximum never runs down.
    """
    self._approve(msg.sender, spender, amount)
    return True


# internal functions

@internal
def _approve(owner: address, spender: address, amount: uint256):
    self.allowance[owner][spender] = amount
    log Approval(owner=owner, spender=spender, value=amount)


@internal
def _spend(owner: address, spender: address, amount: uint256):
    left: uint256 = self.allowance[owner][spender]
    if left != max_value(uint256):
        assert left >= amount, "erc20: allowance too small"
        self.allowance[owner][spender] = unsafe_sub(left, amount)


@internal
def _move(sender: address, receiver: address, amount: uint256):
    held: uint256 = self.balanceOf[sender]
    assert held >= amount, "erc20: balance too small"
    assert receiver not in [empty(address), self], "erc20: receiver cannot hold tokens"
    self.balanceOf[sender] = unsafe_sub(held, amount)
    # The sum of all balances is the supply, which fits.
    self.balanceOf[receiver] = unsafe_add(self.balanceOf[receiver], amount)
    log Transfer(sender=sender, receiver=receiver, value=amount)


@internal
def _mint(receiver: address, amount: uint256):
    assert receiver not in [empty(address), self], "erc20: receiver cannot hold tokens"
    self.totalSupply += amount
    self.balanceOf[receiver] = unsafe_add(self.balanceOf[receiver], amount)
    log Transfer(sender=empty(address), receiver=receiver, value=amount)


@internal
def _burn(owner: address, amount: uint256):
    held: uint256 = self.balanceOf[owner]
    assert held >= amount, "erc20: balance too small"
    self.balanceOf[owner] = unsafe_sub(held, amount)
    self.totalSupply = unsafe_sub(self.totalSupply, amount)
    log Transfer(sender=owner, receiver=empty(address), value=amount)
