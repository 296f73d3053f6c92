# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
# A graduator for tests: keeps what it is given, and fails while it is told to.

pool: public(address)
failing: public(bool)
lp_quote: public(uint256)
lp_tokens: public(uint256)
raised: public(uint256)


@external
def set_failing(failing: bool):
    self.failing = failing


@external
def graduate(token: address, quote: address, lp_quote: uint256, lp_tokens: uint256, raised: uint256) -> address:
    assert not self.failing, "graduator: told to fail"
    self.lp_quote = lp_quote
    self.lp_tokens = lp_tokens
    self.raised = raised
    self.pool = self
    return self
