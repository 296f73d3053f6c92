# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
# SPDX-License-Identifier: Apache-2.0
"""
@title Vesting of one holder's tokens
@notice Nothing until the cliff, then linearly. A part may be gated as well: a quarter of it opens each time the
        pool's 90-day average price reaches the next of 1.5, 2, 2.5 and 3 times the price of the auction.
        Invariants:
        - released never falls and never passes what time has vested;
        - of the gated part never more than a quarter per gate is released;
        - tokens leave to the beneficiary alone, and nobody can take them back.
        No owner, and nothing here can be changed after `begin`. A minimal proxy stands before this code.
"""

# interfaces

from ethereum.ercs import IERC20

interface Auction:
    def result() -> _levels.Result: view

interface Pool:
    def cumulative() -> uint256: view
    def opened_at() -> uint256: view


# modules

import _levels
import _payment


# constants

Q96: constant(uint256) = 2**96
BPS: constant(uint256) = 10_000
MEASURE: constant(uint256) = 90 * 86_400
GATES: constant(uint256) = 4


# events

event Released:
    amount: uint256

event Measured:
    average: uint256
    gates: uint256


# state

token: public(address)
auction: public(address)
pool: public(address)
beneficiary: public(address)
amount: public(uint256)
gated: public(uint256)
cliff: public(uint256)  # second of the cliff
duration: public(uint256)  # seconds from the cliff until all has vested
released: public(uint256)
gates: public(uint256)  # reached so far
measured: public(uint256)  # when the present 90 days began
_sum: uint256  # the pool's sum of price and time then


# construction

@deploy
def __init__():
    """
    @notice Makes the code that the proxies share; it has no tokens.
    """
    self.amount = max_value(uint256)


# external functions

@external
def begin(
    token: address,
    auction: address,
    pool: address,
    beneficiary: address,
    amount: uint256,
    gated_bps: uint256,
    cliff: uint256,
    duration: uint256,
):
    """
    @notice Says whose tokens vest and how; whoever makes the proxy calls it in the same transaction.
    @param token The agent's token
    @param auction The auction, which knows its price
    @param pool Where the pool is or will be; of no account where nothing is gated
    @param beneficiary Whoever gets the tokens
    @param amount Token wei
    @param gated_bps Part of them that waits for the price as well, in 1/10000
    @param cliff Second since 1970 before which nothing vests
    @param duration Seconds after the cliff until all has vested
    """
    assert self.amount == 0, "vesting: begun already"
    assert amount > 0 and gated_bps <= BPS and duration > 0, "vesting: bad terms"
    assert beneficiary != empty(address), "vesting: zero address"
    self.token = token
    self.auction = auction
    self.pool = pool
    self.beneficiary = beneficiary
    self.amount = amount
    self.gated = amount * gated_bps // BPS
    self.cliff = cliff
    self.duration = duration


@external
@nonreentrant
def release() -> uint256:
    """
    @notice Sends the beneficiary what is free; anyone may call.
    @return Token wei sent
    """
    free: uint256 = self._free() - self.released
    assert free > 0, "vesting: nothing is free"
    self.released += free
    log Released(amount=free)
    _payment._pay(self.token, self.beneficiary, free)
    return free


@external
def measure() -> uint256:
    """
    @notice Ends the present 90 days, or more, of price measuring, counts the gates that their average reached, and
            begins the next; anyone may call. The first 90 days begin when the pool opens.
    @return The average, in Q96
    """
    pool: address = self.pool
    assert pool.is_contract, "vesting: no pool"
    start: uint256 = self.measured
    if start == 0:
        start = staticcall Pool(pool).opened_at()
        assert start > 0, "vesting: pool is not open"
    assert block.timestamp >= start + MEASURE, "vesting: measuring less than 90 days"
    total: uint256 = staticcall Pool(pool).cumulative()
    average: uint256 = (total - self._sum) // (block.timestamp - start)
    self.gates = max(self.gates, self._reached(average))
    self._sum = total
    self.measured = block.timestamp
    log Measured(average=average, gates=self.gates)
    return average


@external
@view
def releasable() -> uint256:
    """
    @notice Returns what `release` would send now, in token wei.
    """
    return self._free() - self.released


# internal functions

@internal
@view
def _free() -> uint256:
    if block.timestamp < self.cliff:
        return 0
    age: uint256 = min(block.timestamp - self.cliff, self.duration)
    gated: uint256 = self.gated
    open: uint256 = (self.amount - gated) * age // self.duration
    return open + min(gated * age // self.duration, gated * self.gates // GATES)


@internal
@view
def _reached(average: uint256) -> uint256:
    """
    @dev Gate n opens at (2 + n) / 2 times the auction's price, raised * 2^96 / sold.
    """
    result: _levels.Result = staticcall Auction(self.auction).result()
    price: uint256 = result.raised * Q96 // result.sold
    halves: uint256 = 2 * average // price
    return min(max(halves, 2) - 2, GATES)
