# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
# A registry of names of ENS and its resolver in one.

addresses: HashMap[bytes32, address]


@external
def put(node: bytes32, owner: address):
    self.addresses[node] = owner


@external
@view
def resolver(node: bytes32) -> address:
    return self


@external
@view
def addr(node: bytes32) -> address:
    return self.addresses[node]
