# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
# A collection of ERC-721 as far as transfers and approvals go.

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    item: indexed(uint256)

event Approval:
    owner: indexed(address)
    approved: indexed(address)
    item: indexed(uint256)

event ApprovalForAll:
    owner: indexed(address)
    operator: indexed(address)
    approved: bool

owners: HashMap[uint256, address]


@external
@view
def ownerOf(item: uint256) -> address:
    assert self.owners[item] != empty(address)
    return self.owners[item]


@external
def mint(to: address, item: uint256):
    self.owners[item] = to
    log Transfer(sender=empty(address), receiver=to, item=item)


@external
def safeTransferFrom(sender: address, to: address, item: uint256):
    assert self.owners[item] == sender
    assert sender == msg.sender
    self.owners[item] = to
    log Transfer(sender=sender, receiver=to, item=item)


@external
def approve(to: address, item: uint256):
    log Approval(owner=msg.sender, approved=to, item=item)


@external
def setApprovalForAll(operator: address, approved: bool):
    log ApprovalForAll(owner=msg.sender, operator=operator, approved=approved)
