# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
# SPDX-License-Identifier: Apache-2.0
"""
@title Level clearing auction
@notice Sells an agent's tokens at one price for everybody, computed from the set of bids on a grid of price levels.
        When a bid arrives inside the window changes nothing, and settling costs the same however many bids there are.
@dev `mercato.launch.clearing` is the executable specification; the numbers (1) to (6) are its formulas. Quote is the
     token that bids are paid in, in its base units; prices are Q96, quote per token times 2**96.
     Invariants, each with a test of its name:
     - I1 tokens out <= sold <= sale;
     - I2 charges + refunds = escrow, charges >= raised, the dust is at most one wei per pro-rata bid;
     - I3 FAILED refunds every escrow whole, and nobody is charged above theirs;
     - I4 nobody pays above their level;
     - I5 order and time of bids inside the window change nothing;
     - I6 splitting a bid at one level never gains tokens nor lowers the charge;
     - I7 one more bid lowers the price by rounding at most;
     - I10 everybody pays the same price;
     - I11 the gas of `clear` is bounded, the order of claims is irrelevant, no account can block another.
"""

import _escrow
import _levels
import _terms
import _window

initializes: _levels
initializes: _window


# interfaces

interface AgentToken:
    def go_live(): nonpayable
    def burn(amount: uint256): nonpayable

interface Gate:
    def admit(bidder: address, credential: Bytes[1025]) -> uint256: nonpayable

interface Graduator:
    def graduate(
        token: address, quote: address, lp_quote: uint256, lp_tokens: uint256, raised: uint256
    ) -> address: nonpayable


# constants

RETAIL: constant(uint256) = 2**16 - 1  # the level of bids that take whatever price comes out
PATIENCE: constant(uint256) = 7 * 86_400  # seconds that a graduation may be retried
STARVING: constant(uint256) = 86_400  # seconds after which a graduation may fail for want of gas
LOW_112: constant(uint256) = 2**112 - 1

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


# events

event BidPlaced:
    bidder: indexed(address)
    level: uint256
    amount: uint256

event BidImproved:
    bidder: indexed(address)
    from_level: uint256
    to_level: uint256
    amount: uint256

event BidCancelled:
    bidder: indexed(address)
    level: uint256
    amount: uint256

event Cleared:
    k: uint256
    raised: uint256
    sold: uint256

event Pending:
    raised: uint256

event Graduated:
    pool: indexed(address)
    quote: uint256
    tokens: uint256

event Failed:
    total: uint256

event Claimed:
    bidder: indexed(address)
    level: uint256
    tokens: uint256
    charge: uint256
    refund: uint256

event Aborted:
    pass


# state

bids: public(HashMap[address, HashMap[uint256, uint256]])  # bidder -> level -> escrow
book: uint256  # all escrow (112 bits), retail escrow (112), end of the window (32)
outcome: uint256  # state once decided (8 bits), k (24), raised (112), sold (112); 0 while undecided
margin: uint256  # r_mid (112), d_mid (112), time of clearing (32)
retail_raised: uint256


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


# bidding

@external
@nonreentrant
def bid(level: uint256, amount: uint256):
    """
    @notice Places `amount` of quote at `level`, or adds it to the caller's bid there; needs an allowance.
    """
    assert level < LEVELS, "auction: level out of range"
    self._enter(msg.sender, level, amount)
    _escrow._pull(QUOTE, msg.sender, amount)


@external
@nonreentrant
def bid_with_permit(level: uint256, amount: uint256, deadline: uint256, v: uint8, r: bytes32, s: bytes32):
    """
    @notice `bid` with an allowance that the caller signed (ERC-2612).
    """
    assert level < LEVELS, "auction: level out of range"
    self._enter(msg.sender, level, amount)
    _escrow._permit(QUOTE, msg.sender, amount, deadline, v, r, s)
    _escrow._pull(QUOTE, msg.sender, amount)


@external
@nonreentrant
def bid_with_authorization(
    bidder: address, level: uint256, amount: uint256, valid_after: uint256, valid_before: uint256, salt: bytes32,
    v: uint8, r: bytes32, s: bytes32
):
    """
    @notice Places a bid that `bidder` signed as a transfer to this contract (ERC-3009); anyone may bring it, since
            the signed nonce is `authorization_nonce(bidder, level, salt)`.
    """
    assert level < LEVELS, "auction: level out of range"
    self._enter(bidder, level, amount)
    nonce: bytes32 = self._nonce(bidder, level, salt)
    _escrow._receive(QUOTE, bidder, amount, valid_after, valid_before, nonce, v, r, s)


@external
@nonreentrant
def bid_retail(amount: uint256, credential: Bytes[1025]):
    """
    @notice Places `amount` of quote that takes the clearing price; the gate admits the caller and caps the sum.
    """
    assert PARAMS.gate != empty(address), "auction: no retail tranche"
    cap: uint256 = extcall Gate(PARAMS.gate).admit(msg.sender, credential)
    self._enter(msg.sender, RETAIL, amount)
    assert self.bids[msg.sender][RETAIL] <= cap, "auction: above the cap of one identity"
    _escrow._pull(QUOTE, msg.sender, amount)


@external
@nonreentrant
def improve(from_level: uint256, to_level: uint256, amount: uint256):
    """
    @notice Moves `amount` of the caller's escrow to a higher level; possible until the window ends.
    """
    assert from_level < to_level and to_level < LEVELS, "auction: level out of range"
    book: uint256 = self.book
    end: uint256 = _window._soft_close(self._open(book), CLOSES, amount, book & LOW_112)
    if end != book >> 224:
        self.book = self._with_end(book, end)
    self._leave(msg.sender, from_level, amount)
    self._fill(msg.sender, to_level, amount)
    _levels._change(from_level, amount, False)
    _levels._change(to_level, amount, True)
    log BidImproved(bidder=msg.sender, from_level=from_level, to_level=to_level, amount=amount)


@external
@nonreentrant
def cancel(level: uint256, amount: uint256):
    """
    @notice Takes `amount` of the caller's escrow back; possible until the lock, then bids are firm.
    """
    assert OPENS <= block.timestamp and block.timestamp < LOCKS, "auction: bids are firm"
    self._leave(msg.sender, level, amount)
    if level == RETAIL:
        self.book -= amount | amount << 112
    else:
        _levels._change(level, amount, False)
        self.book -= amount
    log BidCancelled(bidder=msg.sender, level=level, amount=amount)
    _escrow._pay(QUOTE, msg.sender, amount)


# settlement

@external
@nonreentrant
def clear():
    """
    @notice Settles the auction after its window, and graduates it in the same transaction; anyone may call. Where
            graduation fails the raise stays here (CLEARED_PENDING), but for too little gas, which is refused for a
            day. After an outage it moves the end instead, once.
    """
    assert self.outcome == 0, "auction: already settled"
    book: uint256 = self.book
    end: uint256 = _window._after_outage(book >> 224, PARAMS.uptime)
    if block.timestamp < end:
        assert end != book >> 224, "auction: window is open"
        _window._resume(end)
        self.book = self._with_end(book, end)
        return
    result: _levels.Result = _levels._clear(
        self._grid(), PARAMS.sale, PARAMS.retail_cap, (book >> 112) & LOW_112
    )
    if result.sold == 0 or result.raised < PARAMS.raise_min:  # (4)
        self._fail(book & LOW_112)
        return
    self.outcome = CLEARED_PENDING | result.k << 8 | result.raised << 32 | result.sold << 144
    self.margin = result.r_mid | result.d_mid << 112 | block.timestamp << 224
    if result.r_nc > 0:
        self.retail_raised = result.r_nc
    log Cleared(k=result.k, raised=result.raised, sold=result.sold)
    gas: uint256 = msg.gas
    if not raw_call(self, method_id("hand_over()"), revert_on_failure=False):
        # Nodes estimate the least gas that clears at all. Running out of it leaves a few 64ths, so that is refused; a
        # graduation that burns whatever it gets is not, after a day.
        assert msg.gas > gas // 8 or block.timestamp >= end + STARVING, "auction: too little gas to graduate"
        log Pending(raised=result.raised)


@external
@nonreentrant
def graduate():
    """
    @notice Tries a graduation that failed once more; anyone may call.
    """
    assert self.outcome & 255 == CLEARED_PENDING, "auction: nothing to graduate"
    raw_call(self, method_id("hand_over()"))


@external
def hand_over():
    """
    @notice The graduation itself, undone as a whole where any part fails; only this contract can call it.
    """
    assert msg.sender == self, "auction: only itself"
    outcome: uint256 = self.outcome
    raised: uint256 = (outcome >> 32) & LOW_112
    sold: uint256 = outcome >> 144
    lp_quote: uint256 = raised * PARAMS.lp_bps // 10_000  # (6)
    lp_tokens: uint256 = lp_quote * sold // raised
    self.outcome = outcome ^ CLEARED_PENDING ^ LIVE
    extcall AgentToken(TOKEN).go_live()
    _escrow._pay(QUOTE, PARAMS.graduator, raised)
    _escrow._pay(TOKEN, PARAMS.graduator, lp_tokens)
    pool: address = extcall Graduator(PARAMS.graduator).graduate(TOKEN, QUOTE, lp_quote, lp_tokens, raised)
    assert pool != empty(address), "auction: no pool"
    rest: uint256 = _terms._allotment(PARAMS) - sold - lp_tokens
    if rest > 0:
        extcall AgentToken(TOKEN).burn(rest)
    log Graduated(pool=pool, quote=lp_quote, tokens=lp_tokens)


@external
@nonreentrant
def expire():
    """
    @notice Fails an auction whose graduation did not succeed for seven days, so that refunds open; anyone may call.
    """
    assert self.outcome & 255 == CLEARED_PENDING, "auction: nothing to expire"
    assert block.timestamp >= (self.margin >> 224) + PATIENCE, "auction: graduation may still be retried"
    self._fail(self.book & LOW_112)


@external
@nonreentrant
def abort():
    """
    @notice Calls the auction off before its window opens; only the curator can.
    """
    assert msg.sender == PARAMS.curator, "auction: only the curator"
    assert self.outcome == 0 and block.timestamp < OPENS, "auction: too late to abort"
    self.outcome = ABORTED
    self.book = 0
    log Aborted()


@external
@nonreentrant
def claim(bidder: address, level: uint256):
    """
    @notice Pays a bid's tokens and its refund to its bidder; anyone may call.
    """
    escrow: uint256 = self.bids[bidder][level]
    assert escrow > 0, "auction: nothing to claim"
    outcome: uint256 = self.outcome
    charge: uint256 = 0
    tokens: uint256 = 0
    if outcome & 255 == LIVE:
        charge, tokens = self._settle(escrow, level, outcome)
    else:
        assert outcome & 255 == FAILED, "auction: not decided yet"
    self.bids[bidder][level] = 0
    log Claimed(bidder=bidder, level=level, tokens=tokens, charge=charge, refund=escrow - charge)
    _escrow._pay(TOKEN, bidder, tokens)
    _escrow._pay(QUOTE, bidder, escrow - charge)


# views

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
    return _levels.Result(
        k=(outcome >> 8) & (2**24 - 1), raised=(outcome >> 32) & LOW_112, sold=outcome >> 144,
        r_mid=self.margin & LOW_112, d_mid=(self.margin >> 112) & LOW_112,
        r_nc=self.retail_raised, a_nc=(self.book >> 112) & LOW_112
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
def _enter(bidder: address, level: uint256, amount: uint256):
    """Writes a bid into all books, and extends the window where it must."""
    assert amount <= LOW_112, "auction: amount out of range"
    book: uint256 = self.book
    total: uint256 = book & LOW_112
    assert total + amount <= LOW_112, "auction: too much demand"
    end: uint256 = _window._soft_close(self._open(book), CLOSES, amount, total)
    self._fill(bidder, level, amount)
    if level == RETAIL:
        book += amount << 112
    else:
        _levels._change(level, amount, True)
    self.book = self._with_end(book + amount, end)
    log BidPlaced(bidder=bidder, level=level, amount=amount)


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
    k: uint256 = (outcome >> 8) & (2**24 - 1)
    part: uint256 = 0
    whole: uint256 = 0
    if level == RETAIL:
        part = self.retail_raised
        whole = (self.book >> 112) & LOW_112
    elif level < k:
        return 0, 0
    elif level == k:
        part = self.margin & LOW_112
        whole = (self.margin >> 112) & LOW_112
    charge: uint256 = escrow
    spent: uint256 = escrow
    if whole > 0:
        spent = escrow * part // whole
        charge = (escrow * part + whole - 1) // whole
    return charge, spent * (outcome >> 144) // ((outcome >> 32) & LOW_112)


@internal
def _fail(total: uint256):
    self.outcome = FAILED
    log Failed(total=total)


@internal
@view
def _nonce(bidder: address, level: uint256, salt: bytes32) -> bytes32:
    return keccak256(abi_encode(self, bidder, level, salt))
