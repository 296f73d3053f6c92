# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
# SPDX-License-Identifier: Apache-2.0
"""
@title Graduation into a pair of any Uniswap-v2-like factory
@notice The pair may be there already, with quote in it that somebody gave and synced to spoil the opening price; it can
        hold no shares yet, since nobody else could ever send the token there. What was given is taken out first.
        Invariants:
        - the pair opens with reserves of exactly lp_quote and lp_tokens, whatever was done to it before;
        - all shares but the pair's own dead 1000 belong to the locker, which can never move them;
        - between calls this contract holds nothing that is anybody's.
"""

# interfaces

import i_graduator
from ethereum.ercs import IERC20

implements: i_graduator

interface Factory:
    def getPair(a: address, b: address) -> address: view
    def createPair(a: address, b: address) -> address: nonpayable

interface Pair:
    def getReserves() -> (uint112, uint112, uint32): view
    def totalSupply() -> uint256: view
    def mint(to: address) -> uint256: nonpayable
    def skim(to: address): nonpayable
    def sync(): nonpayable
    def swap(out_0: uint256, out_1: uint256, to: address, data: Bytes[32]): nonpayable


# modules

import _payment
import _raise

initializes: _raise

exports: (_raise.escrow_of, _raise.treasury, _raise.quote, _raise.platform_bps)


# constants

BPS: constant(uint256) = 10_000
PAIR_FEE_BPS: constant(uint256) = 30  # all of it stays in the pair, so its creator's share is none
BAIT: constant(uint256) = 1_000  # token wei that make a squatted pair tradable
SWEEP: constant(uint256) = 1_000_000  # times as much again, which empties it but for a millionth


# immutables

FACTORY: public(immutable(address))
LOCKER: public(immutable(address))


# events

event Neutralised:
    pair: indexed(address)
    taken: uint256


# construction

@deploy
def __init__(factory: address, locker: address, quote: address, treasury: address, platform_bps: uint256):
    """
    @notice Says where the pairs are, who keeps their shares and who gets the platform's share.
    @param factory The Uniswap-v2-like factory
    @param locker The contract that can never move what it gets
    @param quote The quote token
    @param treasury Whoever gets the platform's share
    @param platform_bps The platform's share of a raise, in 1/10000
    """
    assert factory.is_contract and locker.is_contract, "graduator: no factory or no locker"
    _raise.__init__(quote, treasury, platform_bps)
    FACTORY = factory
    LOCKER = locker


# external functions

@external
def enroll(auction: address, token: address, escrow: address, creator: address):
    """
    @notice Says where the rest of an auction's raise goes and who earns the creator's fees; only whoever created it.
    @param auction What the caller created at nonce 2
    @param token The token that it sells
    @param escrow The contract that gets what is left of the raise
    @param creator Whoever earns the creator's share of the pool's fees
    """
    _raise._enroll(auction, escrow, creator)


@external
@nonreentrant
def graduate(token: address, quote: address, lp_quote: uint256, lp_tokens: uint256, raised: uint256) -> address:
    """
    @notice Opens the pool of the calling auction at the price lp_quote / lp_tokens and locks its liquidity for good.
    @param token The agent's token; the caller sent `lp_tokens` before
    @param quote The token that bidders paid with; the caller sent `raised` before
    @param lp_quote floor(lambda * R), formula 6
    @param lp_tokens floor(lp_quote * T / R), formula 6
    @param raised R of the auction, in quote wei
    @return The pool's address
    """
    escrow: address = _raise._enrolled(msg.sender, quote)
    pair: address = staticcall Factory(FACTORY).getPair(token, quote)
    if pair == empty(address):
        pair = extcall Factory(FACTORY).createPair(token, quote)
    given: uint256 = 0
    baited: uint256 = 0
    given, baited = self._neutralise(pair, token, quote)
    _payment._pay(quote, pair, lp_quote - given)
    _payment._pay(token, pair, lp_tokens - baited)
    extcall Pair(pair).mint(LOCKER)
    self._check(pair, token, lp_quote, lp_tokens)
    # The escrow also gets what was given to the pair to spoil it.
    _raise._share_out(raised, escrow)
    return pair


@external
@view
def pool_of(auction: address, token: address) -> address:
    """
    @notice Returns the pair of the token; the zero address where there is none yet.
    @param auction The auction
    @param token The token that it sells
    """
    return staticcall Factory(FACTORY).getPair(token, _raise.QUOTE)


@external
@view
def shill_bound_bps() -> uint256:
    """
    @notice Returns the largest part of a raise, in 1/10000, that a creator may take at once: what a creator who trades
            with himself loses in the pair, its whole fee.
    """
    return PAIR_FEE_BPS


@external
@view
def keeps_prices() -> bool:
    """
    @notice Whether the pools keep the sum of price and time that a gated vesting reads; a pair keeps another one.
    """
    return False


# internal functions

@internal
def _neutralise(pair: address, token: address, quote: address) -> (uint256, uint256):
    """
    @dev Takes out what was given to a pair, and returns the quote and the tokens that lie in its reserves afterwards.
         Quote that is not synced is skimmed. Quote that is can only be bought: with a bait of tokens as the other
         reserve, a million times the bait buys all but a millionth of it.
    """
    extcall Pair(pair).skim(self)
    given: uint256 = self._reserve(pair, token, quote)
    if given == 0:
        return 0, 0
    assert staticcall Pair(pair).totalSupply() == 0, "graduator: pair has shares"
    _payment._pay(token, pair, BAIT)
    extcall Pair(pair).sync()
    paid: uint256 = BAIT * SWEEP
    _payment._pay(token, pair, paid)
    net: uint256 = paid * (BPS - PAIR_FEE_BPS)
    out: uint256 = net * given // (BAIT * BPS + net)
    if out > 0:
        if convert(token, uint256) < convert(quote, uint256):
            extcall Pair(pair).swap(0, out, self, b"")
        else:
            extcall Pair(pair).swap(out, 0, self, b"")
    log Neutralised(pair=pair, taken=out)
    if out == 0:
        extcall Pair(pair).sync()
    return given - out, BAIT + paid


@internal
@view
def _reserve(pair: address, token: address, quote: address) -> uint256:
    """
    @dev Returns the pair's reserve of the quote token.
    """
    first: uint112 = 0
    second: uint112 = 0
    at: uint32 = 0
    first, second, at = staticcall Pair(pair).getReserves()
    return convert(second if convert(token, uint256) < convert(quote, uint256) else first, uint256)


@internal
@view
def _check(pair: address, token: address, lp_quote: uint256, lp_tokens: uint256):
    """
    @dev Whatever pair code a factory makes, it must hold what it was given and have given every share to the locker.
    """
    assert staticcall IERC20(_raise.QUOTE).balanceOf(pair) == lp_quote, "graduator: pair holds other quote"
    assert staticcall IERC20(token).balanceOf(pair) == lp_tokens, "graduator: pair holds other tokens"
    shares: uint256 = staticcall Pair(pair).totalSupply()
    assert staticcall IERC20(pair).balanceOf(LOCKER) + 1000 >= shares, "graduator: shares are not locked"
