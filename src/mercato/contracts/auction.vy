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


# modules

import _escrow
import _levels
import _register
import _terms
import _window

initializes: _levels
initializes: _window
initializes: _register[_levels := _levels, _window := _window]


# exports

# when and under which terms
exports: (_register.state, _register.due, _register.end, _register.params, _register.allotment, _register.price)
# what was bid
exports: (
    _register.bids, _register.total, _register.demand, _register.demands, _register.retail_demand,
    _register.authorization_nonce,
)
# how it came out
exports: _register.result


# constants

PATIENCE: constant(uint256) = 7 * 86_400  # seconds that a graduation may be retried
STARVING: constant(uint256) = 86_400  # seconds after which a graduation may fail for want of gas


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


# construction

@deploy
def __init__(params: _terms.Params):
    _register.__init__(params)


# bidding

@external
@nonreentrant
def bid(level: uint256, amount: uint256):
    """
    @notice Places `amount` of quote at `level`, or adds it to the caller's bid there; needs an allowance.
    @param level The most that the bid pays, 0 to levels - 1
    @param amount Quote base units
    """
    assert level < _register.LEVELS, "auction: level out of range"
    self._enter(msg.sender, level, amount)
    _escrow._pull(_register.QUOTE, msg.sender, amount)


@external
@nonreentrant
def bid_with_permit(level: uint256, amount: uint256, deadline: uint256, v: uint8, r: bytes32, s: bytes32):
    """
    @notice `bid` with an allowance that the caller signed (ERC-2612).
    @param level The most that the bid pays
    @param amount Quote base units
    """
    assert level < _register.LEVELS, "auction: level out of range"
    self._enter(msg.sender, level, amount)
    _escrow._permit(_register.QUOTE, msg.sender, amount, deadline, v, r, s)
    _escrow._pull(_register.QUOTE, msg.sender, amount)


@external
@nonreentrant
def bid_with_authorization(
    bidder: address, level: uint256, amount: uint256, valid_after: uint256, valid_before: uint256, salt: bytes32,
    v: uint8, r: bytes32, s: bytes32
):
    """
    @notice Places a bid that `bidder` signed as a transfer to this contract (ERC-3009); anyone may bring it, since
            the signed nonce is `authorization_nonce(bidder, level, salt)`.
    @param bidder Who signed
    @param level The most that the bid pays
    @param amount Quote base units
    @param salt Any 32 bytes that this bidder has not used for this level
    """
    assert level < _register.LEVELS, "auction: level out of range"
    self._enter(bidder, level, amount)
    nonce: bytes32 = _register._nonce(bidder, level, salt)
    _escrow._receive(_register.QUOTE, bidder, amount, valid_after, valid_before, nonce, v, r, s)


@external
@nonreentrant
def bid_retail(amount: uint256, credential: Bytes[1025]):
    """
    @notice Places `amount` of quote that takes the clearing price; the gate admits the caller and caps the sum.
    @param amount Quote base units
    @param credential What the gate asks for
    """
    assert _register.PARAMS.gate != empty(address), "auction: no retail tranche"
    cap: uint256 = extcall Gate(_register.PARAMS.gate).admit(msg.sender, credential)
    self._enter(msg.sender, _register.RETAIL, amount)
    assert _register.bids[msg.sender][_register.RETAIL] <= cap, "auction: above the cap of one identity"
    _escrow._pull(_register.QUOTE, msg.sender, amount)


@external
@nonreentrant
def improve(from_level: uint256, to_level: uint256, amount: uint256):
    """
    @notice Moves `amount` of the caller's escrow to a higher level; possible until the window ends.
    @param from_level Where the escrow is
    @param to_level A higher level
    @param amount Quote base units
    """
    assert from_level < to_level and to_level < _register.LEVELS, "auction: level out of range"
    book: uint256 = _register.book
    end: uint256 = _window._soft_close(_register._open(book), _register.CLOSES, amount, book & _register.LOW_112)
    if end != book >> 224:
        _register.book = _register._with_end(book, end)
    _register._leave(msg.sender, from_level, amount)
    _register._fill(msg.sender, to_level, amount)
    _levels._change(from_level, amount, False)
    _levels._change(to_level, amount, True)
    log BidImproved(bidder=msg.sender, from_level=from_level, to_level=to_level, amount=amount)


@external
@nonreentrant
def cancel(level: uint256, amount: uint256):
    """
    @notice Takes `amount` of the caller's escrow back; possible until the lock, then bids are firm.
    @param level Where the escrow is; 65535 for retail
    @param amount Quote base units
    """
    assert _register.OPENS <= block.timestamp and block.timestamp < _register.LOCKS, "auction: bids are firm"
    _register._leave(msg.sender, level, amount)
    if level == _register.RETAIL:
        _register.book -= amount | amount << 112
    else:
        _levels._change(level, amount, False)
        _register.book -= amount
    log BidCancelled(bidder=msg.sender, level=level, amount=amount)
    _escrow._pay(_register.QUOTE, msg.sender, amount)


# settlement

@external
@nonreentrant
def clear():
    """
    @notice Settles the auction after its window, and graduates it in the same transaction; anyone may call. Where
            graduation fails the raise stays here (CLEARED_PENDING), but for too little gas, which is refused for a
            day. After an outage it moves the end instead, once.
    """
    assert _register.outcome == 0, "auction: already settled"
    book: uint256 = _register.book
    end: uint256 = _window._after_outage(book >> 224, _register.PARAMS.uptime)
    if block.timestamp < end:
        assert end != book >> 224, "auction: window is open"
        _window._resume(end)
        _register.book = _register._with_end(book, end)
        return
    result: _levels.Result = _levels._clear(
        _register._grid(), _register.PARAMS.sale, _register.PARAMS.retail_cap, (book >> 112) & _register.LOW_112
    )
    if result.sold == 0 or result.raised < _register.PARAMS.raise_min:  # (4)
        self._fail(book & _register.LOW_112)
        return
    in_part: uint256 = 1 if result.d_mid > 0 else 0
    _register.outcome = (
        _register.CLEARED_PENDING | result.k << 8 | in_part << 24 | result.raised << 32 | result.sold << 144
    )
    _register.spent = result.r_mid | result.r_nc << 112 | block.timestamp << 224
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
    assert _register.outcome & 255 == _register.CLEARED_PENDING, "auction: nothing to graduate"
    raw_call(self, method_id("hand_over()"))


@external
def hand_over():
    """
    @notice The graduation itself, undone as a whole where any part fails; only this contract can call it.
    """
    assert msg.sender == self, "auction: only itself"
    outcome: uint256 = _register.outcome
    raised: uint256 = (outcome >> 32) & _register.LOW_112
    sold: uint256 = outcome >> 144
    lp_quote: uint256 = raised * _register.PARAMS.lp_bps // 10_000  # (6)
    lp_tokens: uint256 = lp_quote * sold // raised
    _register.outcome = outcome ^ _register.CLEARED_PENDING ^ _register.LIVE
    extcall AgentToken(_register.TOKEN).go_live()
    _escrow._pay(_register.QUOTE, _register.PARAMS.graduator, raised)
    _escrow._pay(_register.TOKEN, _register.PARAMS.graduator, lp_tokens)
    pool: address = extcall Graduator(_register.PARAMS.graduator).graduate(
        _register.TOKEN, _register.QUOTE, lp_quote, lp_tokens, raised
    )
    assert pool != empty(address), "auction: no pool"
    rest: uint256 = _terms._allotment(_register.PARAMS) - sold - lp_tokens
    if rest > 0:
        extcall AgentToken(_register.TOKEN).burn(rest)
    log Graduated(pool=pool, quote=lp_quote, tokens=lp_tokens)


@external
@nonreentrant
def expire():
    """
    @notice Fails an auction whose graduation did not succeed for seven days, so that refunds open; anyone may call.
    """
    assert _register.outcome & 255 == _register.CLEARED_PENDING, "auction: nothing to expire"
    assert block.timestamp >= (_register.spent >> 224) + PATIENCE, "auction: graduation may still be retried"
    self._fail(_register.book & _register.LOW_112)


@external
@nonreentrant
def abort():
    """
    @notice Calls the auction off before its window opens; only the curator can.
    """
    assert msg.sender == _register.PARAMS.curator, "auction: only the curator"
    assert _register.outcome == 0 and block.timestamp < _register.OPENS, "auction: too late to abort"
    _register.outcome = _register.ABORTED
    _register.book = 0
    log Aborted()


@external
@nonreentrant
def claim(bidder: address, level: uint256):
    """
    @notice Pays a bid's tokens and its refund to its bidder; anyone may call.
    @param bidder Whose bid
    @param level Where it stands; 65535 for retail
    """
    escrow: uint256 = _register.bids[bidder][level]
    assert escrow > 0, "auction: nothing to claim"
    outcome: uint256 = _register.outcome
    charge: uint256 = 0
    tokens: uint256 = 0
    if outcome & 255 == _register.LIVE:
        charge, tokens = _register._settle(escrow, level, outcome)
    else:
        assert outcome & 255 == _register.FAILED, "auction: not decided yet"
    _register.bids[bidder][level] = 0
    log Claimed(bidder=bidder, level=level, tokens=tokens, charge=charge, refund=escrow - charge)
    _escrow._pay(_register.TOKEN, bidder, tokens)
    _escrow._pay(_register.QUOTE, bidder, escrow - charge)


# internal functions

@internal
def _enter(bidder: address, level: uint256, amount: uint256):
    """Writes a bid into all books, and extends the window where it must."""
    assert amount <= _register.LOW_112, "auction: amount out of range"
    book: uint256 = _register.book
    total: uint256 = book & _register.LOW_112
    assert total + amount <= _register.LOW_112, "auction: too much demand"
    end: uint256 = _window._soft_close(_register._open(book), _register.CLOSES, amount, total)
    _register._fill(bidder, level, amount)
    if level == _register.RETAIL:
        book += amount << 112
    else:
        _levels._change(level, amount, True)
    _register.book = _register._with_end(book + amount, end)
    log BidPlaced(bidder=bidder, level=level, amount=amount)


@internal
def _fail(total: uint256):
    _register.outcome = _register.FAILED
    log Failed(total=total)
