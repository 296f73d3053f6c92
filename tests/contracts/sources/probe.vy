# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Probe
@notice What the conformance suite asks every chain: state, events, refusals, transient storage, creation and context.
"""

event Noted:
    who: indexed(address)
    number: indexed(uint256)
    words: String[64]

count: public(uint256)
slots: HashMap[uint256, uint256]
seen: transient(uint256)


@deploy
@payable
def __init__(start: uint256):
    self.count = start


@external
@payable
def __default__():
    pass


@external
def add(number: uint256, words: String[64] = "added") -> uint256:
    assert number < 100, "probe: too much"
    self.count += number
    log Noted(who=msg.sender, number=number, words=words)
    return self.count


@external
def fill(first: uint256, many: uint256):
    for place: uint256 in range(many, bound=64):
        self.slots[first + place] = first + place + 1
        log Noted(who=self, number=first + place, words="filled")


@external
def clear(first: uint256, many: uint256):
    for place: uint256 in range(many, bound=64):
        self.slots[first + place] = 0


@external
def refuse():
    raise


@external
def refuse_with(data: Bytes[128]):
    raw_revert(data)


@external
def halt():
    raise UNREACHABLE


@external
def touch() -> uint256:
    self.seen += 1
    self._touch()
    return self.seen


@internal
def _touch():
    self.seen += 1


@external
def pay(to: address, wei_amount: uint256):
    send(to, wei_amount)


@external
def spawn(salt: bytes32) -> (address, address):
    plain: address = create_minimal_proxy_to(self)
    salted: address = create_minimal_proxy_to(self, salt=salt)
    return plain, salted


@external
@view
def around() -> (uint256, uint256, uint256, uint256, address):
    return block.number, block.timestamp, chain.id, block.basefee, tx.origin
