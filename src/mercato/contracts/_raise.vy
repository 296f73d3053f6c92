# pragma version 0.4.3
# pragma evm-version cancun
# SPDX-License-Identifier: Apache-2.0
"""
@title The shares of a raise
@notice What every graduator does with the quote of an auction: the pool's part goes to the pool, the platform's share
        to the treasury, and what is left to the launch's escrow. A treasury that cannot be paid never stands in the way
        of a graduation: the escrow gets its share instead. Nothing stays here.
"""

from ethereum.ercs import IERC20
import _clone
import _payment

event Enrolled:
    auction: indexed(address)
    escrow: indexed(address)
    creator: indexed(address)

BPS: constant(uint256) = 10_000
MAX_PLATFORM_BPS: constant(uint256) = 500
AUCTION_NONCE: constant(uint256) = 2  # an assembler creates the token first, then the auction

QUOTE: immutable(address)
TREASURY: immutable(address)
PLATFORM_BPS: immutable(uint256)

escrow_of: public(HashMap[address, address])  # auction -> who gets the rest of its raise


@deploy
def __init__(quote: address, treasury: address, platform_bps: uint256):
    assert quote != empty(address) and treasury != empty(address), "graduator: zero address"
    assert platform_bps <= MAX_PLATFORM_BPS, "graduator: platform share over 5 %"
    QUOTE = quote
    TREASURY = treasury
    PLATFORM_BPS = platform_bps


@external
@view
def treasury() -> address:
    """
    @notice Returns whoever gets the platform's shares.
    """
    return TREASURY


@external
@view
def quote() -> address:
    """
    @notice Returns the only quote token that this graduator takes.
    """
    return QUOTE


@external
@view
def platform_bps() -> uint256:
    """
    @notice Returns the platform's share of a raise, in 1/10000.
    """
    return PLATFORM_BPS


@internal
def _enroll(auction: address, escrow: address, creator: address):
    """
    @dev Only whoever created the auction. Its address proves who did, so nobody can be there first and no list of
         factories is needed.
    """
    assert _clone._created(msg.sender, AUCTION_NONCE) == auction, "graduator: not the auction's maker"
    assert self.escrow_of[auction] == empty(address), "graduator: enrolled already"
    assert escrow != empty(address) and creator != empty(address), "graduator: zero address"
    self.escrow_of[auction] = escrow
    log Enrolled(auction=auction, escrow=escrow, creator=creator)


@internal
@view
def _enrolled(auction: address, quote: address) -> address:
    """
    @dev Returns the escrow of the calling auction.
    """
    escrow: address = self.escrow_of[auction]
    assert escrow != empty(address), "graduator: unknown auction"
    assert quote == QUOTE, "graduator: other quote token"
    return escrow


@internal
def _share_out(raised: uint256, escrow: address):
    """
    @dev Sends on all quote that lies here: floor(share * raised) to the treasury, the rest to the escrow.
    """
    rest: uint256 = staticcall IERC20(QUOTE).balanceOf(self)
    fee: uint256 = min(raised * PLATFORM_BPS // BPS, rest)
    if fee > 0 and self._sent(TREASURY, fee):
        rest -= fee
    if rest > 0:
        _payment._pay(QUOTE, escrow, rest)


@internal
def _sent(to: address, amount: uint256) -> bool:
    """
    @dev Returns whether a transfer succeeded; a refusal reverts nothing.
    """
    done: bool = False
    answer: Bytes[32] = b""
    done, answer = raw_call(
        QUOTE,
        abi_encode(to, amount, method_id=method_id("transfer(address,uint256)")),
        max_outsize=32,
        revert_on_failure=False,
    )
    return done and (len(answer) == 0 or convert(answer, uint256) == 1)
