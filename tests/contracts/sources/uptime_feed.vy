# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
# Says whether a sequencer is up (0) or down (1) and since when, as uptime feeds do; or fails, while it is told to.

answer: int256
since: uint256
failing: bool


@external
def set(answer: int256, since: uint256, failing: bool):
    self.answer = answer
    self.since = since
    self.failing = failing


@external
@view
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    assert not self.failing, "feed: told to fail"
    return 1, self.answer, self.since, block.timestamp, 1
