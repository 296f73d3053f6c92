# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
# SPDX-License-Identifier: Apache-2.0
"""
@title Pool of one agent token and the quote token
@notice Constant product, opened by a graduator at the auction's clearing price. Its liquidity belongs to the pool
        itself and nothing can take it out, so there are no shares of it. A minimal proxy stands before this code.
        Invariants:
        - reserve_token * reserve_quote never decreases;
        - the pool holds at least its reserves and the fees that it owes, whatever is sent to it;
        - fees are taken in the quote token alone: the base fee of 1 % is split between the creator, the treasury and
          the locked liquidity, and what early trades pay above it stays in the liquidity;
        - the time-weighted price never contains a price that lasted for no time.
        Reserves are below 2^112, times below 2^32, prices quote-wei per token-wei * 2^96 and capped at 2^128 - 1.
"""

# interfaces

from ethereum.ercs import IERC20

interface Burnable:
    def burn(amount: uint256): nonpayable


# modules

import _clone
import _curve
import _oracle
import _payment

initializes: _oracle


# constants

Q96: constant(uint256) = 2**96
MAX_PRICE: constant(uint256) = 2**128 - 1
BPS: constant(uint256) = 10_000
M112: constant(uint256) = 2**112 - 1
M128: constant(uint256) = 2**128 - 1
M160: constant(uint256) = 2**160 - 1


# immutables

# Immutables lie in the code behind the proxy, so every pool of one graduator shares them without a storage read.
SELF: immutable(address)  # the code itself, by which a pool knows who made its proxy
QUOTE: immutable(address)
TREASURY: immutable(address)
CREATOR_BPS: immutable(uint256)
TREASURY_BPS: immutable(uint256)


# events

event Prepared:
    token: indexed(address)
    creator: indexed(address)

event Opened:
    token: indexed(address)
    reserve_token: uint256
    reserve_quote: uint256

event Swapped:
    trader: indexed(address)
    buy: bool
    amount_in: uint256
    amount_out: uint256
    fee: uint256
    reserve_token: uint256
    reserve_quote: uint256

event Deepened:
    giver: indexed(address)
    tokens: uint256
    quote: uint256

event Synced:
    reserve_token: uint256
    reserve_quote: uint256

event FeesClaimed:
    to: indexed(address)
    amount: uint256


# state

_asset: uint256  # token | time of opening << 160
_creator: address
_state: uint256  # reserve_token | reserve_quote << 112 | time of the last change << 224
_owed: uint256  # owed to the creator | owed to the treasury << 128


# construction

@deploy
def __init__(quote: address, treasury: address, creator_bps: uint256, treasury_bps: uint256):
    """
    @notice Makes the code that the proxies share; it can never be opened itself.
    @param quote The only quote token of these pools
    @param treasury Whoever claims the treasury's share
    @param creator_bps The creator's share of the base fee, in 1/10000
    @param treasury_bps The treasury's share of the base fee, in 1/10000
    """
    assert creator_bps + treasury_bps <= BPS, "pool: shares over the whole fee"
    assert quote != empty(address) and treasury != empty(address), "pool: zero address"
    QUOTE = quote
    TREASURY = treasury
    CREATOR_BPS = creator_bps
    TREASURY_BPS = treasury_bps
    SELF = self
    self._asset = max_value(uint256)


# external functions

@external
def prepare(token: address, creator: address):
    """
    @notice Says what the pool will trade and whose fees it will keep, long before it opens.
    @dev Whoever makes the proxy prepares it in the same transaction, so nobody else can.
    @param token The agent's token
    @param creator Whoever claims the creator's share
    """
    assert self._asset == 0, "pool: prepared already"
    assert token != QUOTE and token != empty(address) and creator != empty(address), "pool: bad token or creator"
    self._asset = convert(token, uint256)
    self._creator = creator
    log Prepared(token=token, creator=creator)


@external
def open(salt: bytes32, tokens: uint256, quote: uint256):
    """
    @notice Opens the pool with what lies in it already; more than that is a gift, see `sweep`. Only whoever made the
            proxy can, which its address proves.
    @param salt What the proxy was made with
    @param tokens The first reserve of the token
    @param quote The first reserve of the quote token
    """
    asset: uint256 = self._asset
    assert asset != 0 and asset >> 160 == 0, "pool: open already, or not prepared"
    assert _clone._clone_of(SELF, msg.sender, salt) == self, "pool: not its maker"
    assert 0 < tokens and tokens <= M112 and 0 < quote and quote <= M112, "pool: reserve out of range"
    token: address = convert(asset, address)
    self._asset = asset | (block.timestamp << 160)
    self._state = self._packed(tokens, quote)
    assert staticcall IERC20(token).balanceOf(self) >= tokens, "pool: tokens missing"
    assert staticcall IERC20(QUOTE).balanceOf(self) >= quote, "pool: quote missing"
    log Opened(token=token, reserve_token=tokens, reserve_quote=quote)


@external
@nonreentrant
def buy(quote_in: uint256, min_out: uint256, deadline: uint256, to: address) -> uint256:
    """
    @notice Sells tokens to the caller for exactly `quote_in`, which the caller approved.
    @param quote_in Quote wei to spend, fee included
    @param min_out Fewest token wei to accept
    @param deadline Last second at which this may happen
    @param to Whoever gets the tokens
    @return Token wei sent
    """
    assert block.timestamp <= deadline, "pool: too late"
    assert to != self and to != QUOTE, "pool: bad receiver"
    state: uint256 = self._state
    token: address = self._token()
    out: uint256 = 0
    fee: uint256 = 0
    out, fee = self._bought(state, quote_in)
    assert out >= min_out and out > 0, "pool: too little out"
    _oracle._observe(self._price(state), state >> 224)
    kept: uint256 = quote_in - self._share(fee, quote_in)
    tokens: uint256 = (state & M112) - out
    quote: uint256 = ((state >> 112) & M112) + kept
    self._state = self._packed(tokens, quote)
    log Swapped(
        trader=msg.sender, buy=True, amount_in=quote_in, amount_out=out, fee=fee, reserve_token=tokens, reserve_quote=quote
    )
    _payment._pull(QUOTE, msg.sender, quote_in)
    _payment._pay(token, to, out)
    return out


@external
@nonreentrant
def sell(tokens_in: uint256, min_out: uint256, deadline: uint256, to: address) -> uint256:
    """
    @notice Buys exactly `tokens_in`, which the caller approved, from the caller.
    @param tokens_in Token wei to sell
    @param min_out Fewest quote wei to accept, fee taken off
    @param deadline Last second at which this may happen
    @param to Whoever gets the quote
    @return Quote wei sent
    """
    assert block.timestamp <= deadline, "pool: too late"
    assert to != self, "pool: bad receiver"
    state: uint256 = self._state
    token: address = self._token()
    out: uint256 = 0
    fee: uint256 = 0
    out, fee = self._sold(state, tokens_in)
    assert out >= min_out and out > 0, "pool: too little out"
    _oracle._observe(self._price(state), state >> 224)
    gone: uint256 = out + self._share(fee, out + fee)
    tokens: uint256 = (state & M112) + tokens_in
    quote: uint256 = ((state >> 112) & M112) - gone
    self._state = self._packed(tokens, quote)
    log Swapped(
        trader=msg.sender, buy=False, amount_in=tokens_in, amount_out=out, fee=fee, reserve_token=tokens, reserve_quote=quote
    )
    _payment._pull(token, msg.sender, tokens_in)
    _payment._pay(QUOTE, to, out)
    return out


@external
@nonreentrant
def deepen(quote_in: uint256, max_tokens: uint256) -> uint256:
    """
    @notice Adds to the locked liquidity at the present price, for good. Nobody gets a claim on it.
    @param quote_in Quote wei to add
    @param max_tokens Most token wei to add with it
    @return Token wei added
    """
    state: uint256 = self._state
    token: address = self._token()
    tokens: uint256 = state & M112
    quote: uint256 = (state >> 112) & M112
    added: uint256 = _curve._ceil(quote_in * tokens, quote)
    assert 0 < quote_in and added <= max_tokens, "pool: too many tokens"
    _oracle._observe(self._price(state), state >> 224)
    self._state = self._packed(tokens + added, quote + quote_in)
    log Deepened(giver=msg.sender, tokens=added, quote=quote_in)
    log Synced(reserve_token=tokens + added, reserve_quote=quote + quote_in)
    _payment._pull(QUOTE, msg.sender, quote_in)
    _payment._pull(token, msg.sender, added)
    return added


@external
@nonreentrant
def sweep():
    """
    @notice Books quote sent here as owed to the treasury, up to M112 so that fees still fit; burns tokens sent here.
    """
    state: uint256 = self._state
    owed: uint256 = self._owed
    token: address = self._token()
    counted: uint256 = ((state >> 112) & M112) + (owed & M128) + (owed >> 128)
    gift: uint256 = staticcall IERC20(QUOTE).balanceOf(self) - counted
    self._owed = owed + (min(gift, M112 - min(M112, owed >> 128)) << 128)
    tokens: uint256 = staticcall IERC20(token).balanceOf(self) - (state & M112)
    if tokens > 0:
        extcall Burnable(token).burn(tokens)


@external
@nonreentrant
def claim_creator_fees() -> uint256:
    """
    @notice Sends the creator's fees to the creator; anyone may call.
    @return Quote wei sent
    """
    owed: uint256 = self._owed
    amount: uint256 = owed & M128
    self._owed = owed - amount
    log FeesClaimed(to=self._creator, amount=amount)
    _payment._pay(QUOTE, self._creator, amount)
    return amount


@external
@nonreentrant
def claim_treasury_fees() -> uint256:
    """
    @notice Sends the treasury's fees to the treasury; anyone may call.
    @return Quote wei sent
    """
    owed: uint256 = self._owed
    amount: uint256 = owed >> 128
    self._owed = owed & M128
    log FeesClaimed(to=TREASURY, amount=amount)
    _payment._pay(QUOTE, TREASURY, amount)
    return amount


@external
@view
def quote_buy(quote_in: uint256) -> (uint256, uint256):
    """
    @notice Returns the token wei that `quote_in` buys now, and the fee in quote wei.
    """
    return self._bought(self._state, quote_in)


@external
@view
def quote_sell(tokens_in: uint256) -> (uint256, uint256):
    """
    @notice Returns the quote wei that `tokens_in` sells for now, and the fee in quote wei that was taken off.
    """
    return self._sold(self._state, tokens_in)


@external
@view
def fee_ppm() -> uint256:
    """
    @notice Returns the fee of a trade now, in parts per million of its quote side.
    """
    return self._fee_ppm()


@external
@view
def price() -> uint256:
    """
    @notice Returns the price now, in Q96; for anything of worth use `consult`.
    """
    return self._price(self._state)


@external
@view
def consult(window: uint256) -> (uint256, uint256):
    """
    @notice Returns the time-weighted price over at least the last `window` seconds, in Q96, and over how many it is:
            it begins at the newest observation that is old enough.
    """
    return _oracle._average(window, self._asset >> 160, self._cumulative(self._state))


@external
@view
def cumulative() -> uint256:
    """
    @notice Returns the sum of price (Q96) times seconds since the opening, up to now.
    """
    return self._cumulative(self._state)


@external
@view
def reserves() -> (uint256, uint256):
    """
    @notice Returns the reserves of token and quote, in wei.
    """
    state: uint256 = self._state
    return state & M112, (state >> 112) & M112


@external
@view
def liquidity() -> uint256:
    """
    @notice Returns the locked liquidity, floor(sqrt(reserve_token * reserve_quote)); it never decreases.
    """
    state: uint256 = self._state
    return isqrt((state & M112) * ((state >> 112) & M112))


@external
@view
def owed() -> (uint256, uint256):
    """
    @notice Returns the fees that the creator and the treasury can claim, in quote wei.
    """
    owed: uint256 = self._owed
    return owed & M128, owed >> 128


@external
@view
def shill_bound_bps() -> uint256:
    """
    @notice Returns what somebody who trades with himself and earns the creator's share still loses per leg, in 1/10000
            of the turnover, rounded down.
    """
    return _curve.BASE_FEE * (BPS - CREATOR_BPS) // _curve.PPM


@external
@view
def token() -> address:
    """
    @notice Returns the agent's token, also before the opening.
    """
    return convert(self._asset & M160, address)


@external
@view
def quote() -> address:
    """
    @notice Returns the quote token.
    """
    return QUOTE


@external
@view
def creator() -> address:
    """
    @notice Returns whoever claims the creator's share of the fees.
    """
    return self._creator


@external
@view
def treasury() -> address:
    """
    @notice Returns whoever claims the treasury's share of the fees.
    """
    return TREASURY


@external
@view
def opened_at() -> uint256:
    """
    @notice Returns when the pool opened, in seconds since 1970; 0 before.
    """
    return self._asset >> 160


@external
@view
def locker() -> address:
    """
    @notice Returns who owns the liquidity: this contract, which has no way to take it out.
    """
    return self


# internal functions

@internal
@view
def _token() -> address:
    asset: uint256 = self._asset
    assert asset >> 160 != 0 and asset != max_value(uint256), "pool: not open"
    return convert(asset & M160, address)


@internal
@view
def _fee_ppm() -> uint256:
    return _curve._fee_ppm(block.timestamp - (self._asset >> 160))


@internal
@view
def _bought(state: uint256, quote_in: uint256) -> (uint256, uint256):
    assert quote_in <= M112, "pool: amount out of range"
    return _curve._bought(state & M112, (state >> 112) & M112, quote_in, self._fee_ppm())


@internal
@view
def _sold(state: uint256, tokens_in: uint256) -> (uint256, uint256):
    assert tokens_in <= M112, "pool: amount out of range"
    return _curve._sold(state & M112, (state >> 112) & M112, tokens_in, self._fee_ppm())


@internal
def _share(fee: uint256, turnover: uint256) -> uint256:
    """
    @dev Books the shares of the base fee and returns their sum; the rest of `fee` stays in the reserves.
    """
    base: uint256 = _curve._base(fee, turnover)
    creators: uint256 = base * CREATOR_BPS // BPS
    treasurys: uint256 = base * TREASURY_BPS // BPS
    self._owed += creators | (treasurys << 128)
    return creators + treasurys


@internal
@view
def _cumulative(state: uint256) -> uint256:
    return _oracle._cumulative(self._price(state), state >> 224)


@internal
@pure
def _price(state: uint256) -> uint256:
    return min(((state >> 112) & M112) * Q96 // (state & M112), MAX_PRICE)


@internal
@view
def _packed(tokens: uint256, quote: uint256) -> uint256:
    assert tokens <= M112 and quote <= M112, "pool: reserve out of range"
    return tokens | (quote << 112) | (block.timestamp << 224)
