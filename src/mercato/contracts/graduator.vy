# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
# SPDX-License-Identifier: Apache-2.0
"""
@title Graduation into the house's own pool
@notice Makes the pool of an auction as a minimal proxy when the launch is created, and opens it when the auction
        clears: what can be done long before is not paid for by whoever clears.
        Invariants:
        - the pool opens with exactly lp_quote and lp_tokens, whatever was sent to its address before;
        - only the auction itself can make the pool at its address, since the caller is the salt;
        - between calls this contract holds nothing that is anybody's.
"""

# interfaces

import i_graduator

implements: i_graduator

interface Pool:
    def prepare(token: address, creator: address): nonpayable
    def open(salt: bytes32, tokens: uint256, quote: uint256): nonpayable
    def shill_bound_bps() -> uint256: view


# modules

import _clone
import _payment
import _raise

initializes: _raise

exports: (_raise.escrow_of, _raise.treasury, _raise.quote, _raise.platform_bps)


# immutables

POOL: public(immutable(address))


# construction

@deploy
def __init__(pool: address, quote: address, treasury: address, platform_bps: uint256):
    """
    @notice Says which code the pools run and who gets the platform's share.
    @param pool The pools' shared code, made for the same quote token
    @param quote The quote token
    @param treasury Whoever gets the platform's share
    @param platform_bps The platform's share of a raise, in 1/10000
    """
    assert pool.is_contract, "graduator: no pool code"
    _raise.__init__(quote, treasury, platform_bps)
    POOL = pool


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
    pool: address = create_minimal_proxy_to(POOL, salt=convert(auction, bytes32))
    extcall Pool(pool).prepare(token, creator)


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
    salt: bytes32 = convert(msg.sender, bytes32)
    pool: address = _clone._clone_of(POOL, self, salt)
    _payment._pay(quote, pool, lp_quote)
    _payment._pay(token, pool, lp_tokens)
    extcall Pool(pool).open(salt, lp_tokens, lp_quote)
    _raise._share_out(raised, escrow)
    return pool


@external
@view
def pool_of(auction: address, token: address) -> address:
    """
    @notice Returns where the pool of an auction is or will be.
    @param auction The auction
    @param token The token that it sells
    """
    return _clone._clone_of(POOL, self, convert(auction, bytes32))


@external
@view
def shill_bound_bps() -> uint256:
    """
    @notice Returns the largest part of a raise, in 1/10000, that a creator may take at once: what a creator who trades
            with himself loses in the pool, fee * (1 - creator's share of it), rounded down.
    """
    return staticcall Pool(POOL).shill_bound_bps()


@external
@view
def keeps_prices() -> bool:
    """
    @notice Whether the pools keep the sum of price and time that a gated vesting reads.
    """
    return True
