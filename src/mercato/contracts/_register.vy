# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
# SPDX-License-Identifier: Apache-2.0
"""
@title What an auction remembers, and what it says of itself
@notice Terms, bids, the packed books, and every view of them.
@dev Invariants:
     - `book` holds the sum of all bids, and of the retail ones;
     - once `outcome` is set, no bid enters or moves.
"""

# modules

import _levels
import _terms
import _window

uses: _levels
uses: _window


# constants

RETAIL: constant(uint256) = 2**16 - 1  # the level of bids that take whatever price comes out
LOW_112: constant(uint256) = 2**112 - 1
LOW_16: constant(uint256) = 2**16 - 1

SCHEDULED: constant(uint256) = 0
OPEN: constant(uint256) = 1
LOCKED: constant(uint256) = 2
EXTENDED: constant(uint256) = 3
CLEARED_PENDING: constant(uint256) = 4
LIVE: constant(uint256) = 5
FAILED: constant(uint256) = 6
ABORTED: constant(uint256) = 7


# immutables

PARAMS: immutable(_terms.Params)
TOKEN: immutable(address)
QUOTE: immutable(address)
LEVELS: immutable(uint256)
MIN_BID: immutable(uint256)
OPENS: immutable(uint256)
LOCKS: immutable(uint256)
CLOSES: immutable(uint256)


# state

bids: public(HashMap[address, HashMap[uint256, uint256]])  # bidder -> level -> escrow
book: uint256  # all escrow (112 bits), retail escrow (112), end of the window (32)
outcome: uint256  # state once decided (8 bits), k (16), whether k fills in part (8), raised (112), sold (112); or 0
spent: uint256  # r_mid (112), r_nc (112), time of clearing (32)


# construction

@deploy
def __init__(params: _terms.Params):
    _terms._check(params)
    PARAMS = params
    TOKEN = params.token
    QUOTE = params.quote
    LEVELS = params.levels
    MIN_BID = params.min_bid
    OPENS = params.opens
    LOCKS = params.locks
    CLOSES = params.closes
    self.book = params.closes << 224


# external functions

@external
@view
def state() -> uint256:
    """
    @notice Returns 0 SCHEDULED, 1 OPEN, 2 LOCKED, 3 EXTENDED, 4 CLEARED_PENDING, 5 LIVE, 6 FAILED or 7 ABORTED.
            After its window an auction stays LOCKED or EXTENDED until someone clears it.
    """
    if self.outcome != 0:
        return self.outcome & 255
    if block.timestamp < OPENS:
        return SCHEDULED
    if block.timestamp < LOCKS:
        return OPEN
    return EXTENDED if block.timestamp >= CLOSES and self._end() > CLOSES else LOCKED


@external
@view
def due() -> bool:
    """
    @notice Returns whether the window is over and `clear` would settle.
    """
    return self.outcome == 0 and block.timestamp >= self._end()


@external
@view
def end() -> uint256:
    """
    @notice Returns when the window ends, in seconds since 1970, as far as is known now; 0 once aborted.
    """
    return self._end()


@external
@view
def total() -> uint256:
    """
    @notice Returns all escrow of bids, retail included, in quote base units.
    """
    return self.book & LOW_112


@external
@view
def retail_demand() -> uint256:
    """
    @notice Returns the escrow of retail bids.
    """
    return (self.book >> 112) & LOW_112


@external
@view
def demand(level: uint256) -> uint256:
    """
    @notice Returns the escrow of competitive bids at one level.
    """
    assert level < LEVELS, "auction: level out of range"
    return _levels._demand(level)


@external
@view
def demands() -> uint256[256]:
    """
    @notice Returns the escrow of competitive bids at every level; nothing above the last one.
    """
    return _levels._demands()


@external
@view
def price(level: uint256) -> uint256:
    """
    @notice Returns the price of a level, Q96.
    """
    assert level < LEVELS, "auction: level out of range"
    return _levels._price(self._grid(), level)


@external
@view
def params() -> _terms.Params:
    """
    @notice Returns what the auction was created with.
    """
    return PARAMS


@external
@view
def allotment() -> uint256:
    """
    @notice Returns the tokens that the auction must hold: the sale and the liquidity reserve.
    """
    return _terms._allotment(PARAMS)


@external
@view
def result() -> _levels.Result:
    """
    @notice Returns how the auction cleared; all 0 before, and where it failed.
    """
    outcome: uint256 = self.outcome
    if outcome >> 8 == 0:
        return empty(_levels.Result)
    k: uint256 = (outcome >> 8) & LOW_16
    return _levels.Result(
        k=k, raised=(outcome >> 32) & LOW_112, sold=outcome >> 144,
        r_mid=self.spent & LOW_112, d_mid=_levels._demand(k) if (outcome >> 24) & 255 == 1 else 0,
        r_nc=(self.spent >> 112) & LOW_112, a_nc=(self.book >> 112) & LOW_112
    )


@external
@view
def authorization_nonce(bidder: address, level: uint256, salt: bytes32) -> bytes32:
    """
    @notice Returns the ERC-3009 nonce that binds a signed transfer to a bid at one level of this auction.
    """
    return self._nonce(bidder, level, salt)


# internal functions

@internal
def _fill(bidder: address, level: uint256, amount: uint256):
    escrow: uint256 = self.bids[bidder][level] + amount
    assert amount > 0 and escrow >= MIN_BID, "auction: bid too small"
    self.bids[bidder][level] = escrow


@internal
def _leave(bidder: address, level: uint256, amount: uint256):
    escrow: uint256 = self.bids[bidder][level]
    assert 0 < amount and amount <= escrow, "auction: more than was bid"
    escrow = unsafe_sub(escrow, amount)
    assert escrow == 0 or escrow >= MIN_BID, "auction: rest too small"
    self.bids[bidder][level] = escrow


@internal
def _open(book: uint256) -> uint256:
    """Returns the end of the window that is open now; an outage may have opened it again."""
    assert OPENS <= block.timestamp, "auction: not open yet"
    end: uint256 = book >> 224
    if block.timestamp < end:
        return end
    assert self.outcome == 0, "auction: already settled"
    end = _window._after_outage(end, PARAMS.uptime)
    assert block.timestamp < end, "auction: window is over"
    _window._resume(end)
    return end


@internal
@view
def _end() -> uint256:
    end: uint256 = self.book >> 224
    return end if self.outcome != 0 else _window._after_outage(end, PARAMS.uptime)


@internal
@pure
def _with_end(book: uint256, end: uint256) -> uint256:
    return (book & (2**224 - 1)) | end << 224


@internal
@view
def _grid() -> _levels.Grid:
    return _levels.Grid(floor_q96=PARAMS.floor_q96, step_bps=PARAMS.step_bps, levels=LEVELS)


@internal
@view
def _settle(escrow: uint256, level: uint256, outcome: uint256) -> (uint256, uint256):
    """Returns what a bid is charged and the tokens that it gets (5)."""
    k: uint256 = (outcome >> 8) & LOW_16
    part: uint256 = 0
    whole: uint256 = 0
    if level == RETAIL:
        part = (self.spent >> 112) & LOW_112
        whole = (self.book >> 112) & LOW_112
    elif level < k:
        return 0, 0
    elif level == k and (outcome >> 24) & 255 == 1:
        part = self.spent & LOW_112
        whole = _levels._demand(k)
    charge: uint256 = escrow
    paid: uint256 = escrow
    if whole > 0:
        paid = escrow * part // whole
        charge = (escrow * part + whole - 1) // whole
    return charge, paid * (outcome >> 144) // ((outcome >> 32) & LOW_112)


@internal
@view
def _nonce(bidder: address, level: uint256, salt: bytes32) -> bytes32:
    return keccak256(abi_encode(self, bidder, level, salt))
