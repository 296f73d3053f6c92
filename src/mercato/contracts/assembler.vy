# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
# SPDX-License-Identifier: Apache-2.0
"""
@title Assembler of one launch
@notice A minimal proxy of this code creates all contracts of one launch, at addresses that follow from its own and so
        from the application's hash alone: the token at nonce 1, the auction at 2, the escrow at 3, vestings from 4 on.
        Invariants:
        - one proxy assembles one launch, once, in the transaction that makes the proxy;
        - afterwards it holds nothing and can do nothing.
"""

# interfaces

import i_graduator

interface Token:
    def issue(mover: address, holders: DynArray[address, 16], amounts: DynArray[uint256, 16]): nonpayable

interface Escrow:
    def begin(
        auction: address, token: address, creator: address, at_once_bps: uint256, shares: DynArray[uint256, 8]
    ): nonpayable

interface Vesting:
    def begin(
        token: address,
        auction: address,
        pool: address,
        beneficiary: address,
        amount: uint256,
        gated_bps: uint256,
        cliff: uint256,
        duration: uint256,
    ): nonpayable


# modules

import _launch
import _terms


# constants

BPS: constant(uint256) = 10_000


# immutables

TOKEN: immutable(address)
AUCTION: immutable(address)
ESCROW: immutable(address)
VESTING: immutable(address)


# events

event Vested:
    holder: indexed(address)
    vesting: indexed(address)
    amount: uint256


# state

_done: bool


# construction

@deploy
def __init__(token: address, auction: address, escrow: address, vesting: address):
    """
    @notice Says what launches are made of; the code itself assembles nothing.
    @param token Blueprint of agent tokens (ERC-5202)
    @param auction Blueprint of auctions (ERC-5202)
    @param escrow Code of escrows
    @param vesting Code of vestings
    """
    assert token.is_contract and auction.is_contract, "assembler: no blueprint"
    assert escrow.is_contract and vesting.is_contract, "assembler: no code"
    TOKEN = token
    AUCTION = auction
    ESCROW = escrow
    VESTING = vesting
    self._done = True


# external functions

@external
def assemble(launch: _launch.Launch, quote: address, uptime: address, curator: address) -> (address, address, address):
    """
    @notice Creates and connects all contracts of a launch.
    @param launch The terms
    @param quote The quote token
    @param uptime The sequencer's feed; the zero address on a chain without one
    @param curator Whoever may abort before the window opens
    @return The token, the auction and the escrow
    """
    assert not self._done, "assembler: done already"
    self._done = True
    token: address = create_from_blueprint(TOKEN, launch.name, launch.symbol)
    auction: address = create_from_blueprint(AUCTION, self._params(launch, token, quote, uptime, curator))
    escrow: address = create_minimal_proxy_to(ESCROW)
    extcall Escrow(escrow).begin(auction, token, launch.creator, launch.at_once_bps, launch.milestones)
    extcall i_graduator(launch.graduator).enroll(auction, token, escrow, launch.creator)
    self._issue(launch, token, auction)
    return token, auction, escrow


# internal functions

@internal
def _issue(launch: _launch.Launch, token: address, auction: address):
    """
    @dev Gives the auction its sale and reserve, and every other holder theirs, through a vesting where one is asked for.
    """
    holders: DynArray[address, 16] = [auction]
    amounts: DynArray[uint256, 16] = [launch.sale + launch.sale * launch.lp_bps // BPS]
    pool: address = staticcall i_graduator(launch.graduator).pool_of(auction, token)
    for part: _launch.Allocation in launch.allocations:
        holder: address = part.holder
        if part.duration > 0:
            holder = create_minimal_proxy_to(VESTING)
            cliff: uint256 = launch.closes + part.cliff
            extcall Vesting(holder).begin(
                token, auction, pool, part.holder, part.amount, part.gated_bps, cliff, part.duration
            )
            log Vested(holder=part.holder, vesting=holder, amount=part.amount)
        holders.append(holder)
        amounts.append(part.amount)
    extcall Token(token).issue(auction, holders, amounts)


@internal
@view
def _params(launch: _launch.Launch, token: address, quote: address, uptime: address, curator: address) -> _terms.Params:
    return _terms.Params(
        token=token,
        quote=quote,
        graduator=launch.graduator,
        gate=launch.gate,
        uptime=uptime,
        curator=curator,
        sale=launch.sale,
        retail_cap=launch.retail_cap,
        raise_min=launch.raise_min,
        floor_q96=launch.floor_q96,
        step_bps=launch.step_bps,
        levels=launch.levels,
        min_bid=launch.min_bid,
        lp_bps=launch.lp_bps,
        opens=launch.opens,
        locks=launch.locks,
        closes=launch.closes,
    )
