# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
# A register of allowances as Permit2 keeps them, as far as approving goes.

event Approval:
    owner: indexed(address)
    token: indexed(address)
    spender: indexed(address)
    amount: uint160
    expiration: uint48

struct Allowed:
    amount: uint160
    expiration: uint48
    nonce: uint48

allowance: public(HashMap[address, HashMap[address, HashMap[address, Allowed]]])


@external
def approve(token: address, spender: address, amount: uint160, expiration: uint48):
    self.allowance[msg.sender][token][spender] = Allowed(amount=amount, expiration=expiration, nonce=0)
    log Approval(owner=msg.sender, token=token, spender=spender, amount=amount, expiration=expiration)
