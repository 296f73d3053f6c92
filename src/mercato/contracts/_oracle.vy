# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title Time-weighted prices of one pool
@notice A running sum of price times seconds, and a ring of observations of it that are at least five minutes apart.
        A price counts for as long as it lasted, so one that comes and goes within a second counts for nothing.
        Prices are below 2^128 and times below 2^32, so that sums fit 192 bits.
"""

PERIOD: constant(uint256) = 300  # seconds at least between two observations
SEEN: constant(uint256) = 512  # observations kept: 42 hours of a busy pool, more of a quiet one
M192: constant(uint256) = 2**192 - 1
M32: constant(uint256) = 2**32 - 1

_sum: uint256  # sum of price * seconds | time of the last observation << 192 | number of observations << 224
_seen: uint256[512]  # sum of price * seconds | its time << 192


@internal
def _observe(price: uint256, since: uint256):
    """
    @dev Adds a price that held from `since` until now, and keeps an observation if the last one is old enough.
    """
    if block.timestamp == since:
        return
    word: uint256 = self._sum
    total: uint256 = (word & M192) + price * (block.timestamp - since)
    last: uint256 = (word >> 192) & M32
    count: uint256 = word >> 224
    if block.timestamp - last >= PERIOD:
        last = block.timestamp
        count += 1
        self._seen[count % SEEN] = total | (last << 192)
    self._sum = total | (last << 192) | (count << 224)


@internal
@view
def _cumulative(price: uint256, since: uint256) -> uint256:
    """
    @dev Returns the sum up to now, for a price that has held from `since` on.
    """
    return (self._sum & M192) + price * (block.timestamp - since)


@internal
@view
def _average(window: uint256, opened: uint256, total: uint256) -> (uint256, uint256):
    """
    @dev Returns the average price over at least `window` seconds, and over how many, given the sum up to now.
    """
    assert 0 < window and window <= block.timestamp - opened, "pool: window before the opening"
    first: uint256 = self._before(block.timestamp - window, opened)
    span: uint256 = block.timestamp - (first >> 192)
    return (total - (first & M192)) // span, span


@internal
@view
def _before(time: uint256, opened: uint256) -> uint256:
    """
    @dev Returns the newest observation made at `time` or before; the opening itself, with sum 0, is the first one.
    """
    high: uint256 = self._sum >> 224
    low: uint256 = 0
    found: uint256 = opened << 192
    if high >= SEEN:
        low = high - SEEN + 1
        found = self._seen[low % SEEN]
        assert found >> 192 <= time, "pool: window too long"
    for _: uint256 in range(10):  # halving 512 places takes nine steps
        if low == high:
            break
        middle: uint256 = (low + high + 1) // 2
        seen: uint256 = self._seen[middle % SEEN]
        if seen >> 192 <= time:
            low = middle
            found = seen
        else:
            high = middle - 1
    return found
