# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
# SPDX-License-Identifier: Apache-2.0
"""
@title The end of a bidding window
@notice A large bid in the last ten minutes extends the window by ten minutes, by two hours in all at most; an outage
        of the chain's sequencer extends it once. By timestamp, never by block number.
@dev Outage rule: where a feed is named (`latestRoundData`, answer 0 for up) and says that service came back less than
     GRACE before the end or after it, or is down, the end moves to GRACE after that moment. It is asked only once the
     end has passed. A feed that fails is ignored: it can delay an auction by GRACE, and never block it.
"""

# constants

EXTENSION: constant(uint256) = 600  # seconds: the last ones, in which a large bid extends, and by how much
LARGE_BPS: constant(uint256) = 100  # of all demand so far
LONGEST: constant(uint256) = 7_200  # seconds, all soft closes together
GRACE: constant(uint256) = 3_600  # seconds of bidding after an outage
BPS: constant(uint256) = 10_000


# events

event Extended:
    end: uint256


# state

resumed: bool  # whether an outage has extended the window


# internal functions

@internal
def _soft_close(end: uint256, closes: uint256, amount: uint256, total: uint256) -> uint256:
    """Returns the end after a bid of `amount` on top of `total`."""
    if end - block.timestamp > EXTENSION or amount * BPS <= total * LARGE_BPS:
        return end
    later: uint256 = max(end, min(end + EXTENSION, closes + LONGEST))
    if later != end:
        log Extended(end=later)
    return later


@internal
@view
def _after_outage(end: uint256, uptime: address) -> uint256:
    """Returns the end, moved where it has passed and the sequencer was away shortly before it or until later."""
    if uptime == empty(address) or block.timestamp < end or self.resumed:
        return end
    success: bool = False
    said: Bytes[160] = b""
    success, said = raw_call(
        uptime, method_id("latestRoundData()"), max_outsize=160, gas=100_000, is_static_call=True,
        revert_on_failure=False
    )
    if not success or len(said) != 160:
        return end
    back: uint256 = block.timestamp
    if extract32(said, 32, output_type=uint256) == 0:
        back = min(back, extract32(said, 64, output_type=uint256))
    return max(end, back + GRACE)


@internal
def _resume(end: uint256):
    """Notes that an outage has moved the end."""
    self.resumed = True
    log Extended(end=end)
