# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
# Makes and opens pools for tests, as a graduator does, but with any reserves.

interface Pool:
    def prepare(token: address, creator: address): nonpayable
    def open(salt: bytes32, tokens: uint256, quote: uint256): nonpayable

event Made:
    pool: address


@external
def make(code: address, salt: bytes32, token: address, creator: address):
    pool: address = create_minimal_proxy_to(code, salt=salt)
    extcall Pool(pool).prepare(token, creator)
    log Made(pool=pool)


@external
def open(pool: address, salt: bytes32, tokens: uint256, quote: uint256):
    extcall Pool(pool).open(salt, tokens, quote)
