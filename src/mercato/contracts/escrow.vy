# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
# SPDX-License-Identifier: Apache-2.0
"""
@title Milestone escrow of one launch
@notice Keeps what neither the pool nor the platform got of a raise. The creator may take `at_once_bps` of the raise
        when the launch is live, which the factory bounds by what trading with oneself costs; the rest only milestone
        by milestone: evidence, 72 hours in which anyone may challenge it with a bond, then the money. A challenge goes
        to the judge that was named at creation; a silent judge moves no money. Two failed milestones, or three years,
        open redemption: holders burn tokens for their part of what is left.
        Invariants:
        - before the first milestone is paid the creator got at most at_once_bps of the raise;
        - after n paid milestones the creator got at most that plus the first n shares of the rest;
        - no money leaves but to the creator, to challengers up to their own bond, and to those who burn tokens;
        - a redemption pays at most the burnt part of the supply, so later ones get no less per token.
        No owner, and nothing here can be changed after `begin`. A minimal proxy stands before this code.
"""

# interfaces

from ethereum.ercs import IERC20

interface Auction:
    def state() -> uint256: view
    def result() -> _levels.Result: view

interface Burnable:
    def burn(amount: uint256): nonpayable
    def totalSupply() -> uint256: view


# modules

import _levels
import _payment


# constants

MOST: constant(uint256) = 8
BPS: constant(uint256) = 10_000
LIVE: constant(uint256) = 5
WINDOW: constant(uint256) = 72 * 3600
PATIENCE: constant(uint256) = 30 * 86_400  # how long the judge may think
LIFE: constant(uint256) = 3 * 365 * 86_400  # of the escrow, from its beginning
BOND_BPS: constant(uint256) = 500  # of the milestone's money
FAILURES: constant(uint256) = 2


# immutables

QUOTE: immutable(address)
JUDGE: immutable(address)


# flags

flag Stage:
    IDLE
    SUBMITTED
    CHALLENGED
    GRANTED
    REDEEMING


# events

event Submitted:
    milestone: uint256
    evidence: bytes32

event Challenged:
    milestone: uint256
    challenger: indexed(address)
    reason: bytes32
    bond: uint256

event Ruled:
    milestone: uint256
    upheld: bool

event Lapsed:
    milestone: uint256

event Withdrawn:
    account: indexed(address)
    amount: uint256

event Paid:
    milestone: uint256
    amount: uint256

event RedemptionOpened:
    amount: uint256

event Redeemed:
    holder: indexed(address)
    tokens: uint256
    amount: uint256


# state

auction: public(address)
token: public(address)
creator: public(address)
begun: public(uint256)
at_once_bps: public(uint256)
shares: public(DynArray[uint256, MOST])  # of what is left after the money at once, in 1/10000
stage: public(Stage)
milestone: public(uint256)  # the next to be paid
since: public(uint256)  # when the stage began
evidence: public(bytes32)
failures: public(uint256)
challenger: public(address)
bond: public(uint256)  # of the present challenge
bonds: public(HashMap[address, uint256])  # decided, to be withdrawn
bonds_total: public(uint256)
paid: public(uint256)  # to the creator and to holders
at_once: public(uint256)  # what of it was paid at once; 0 before


# construction

@deploy
def __init__(quote: address, judge: address):
    """
    @notice Makes the code that the proxies share; it has no creator, so nothing can be done with it.
    @param quote The quote token
    @param judge Whoever rules on challenges: the review court, or until there is one the curator's multisig
    """
    assert quote != empty(address) and judge != empty(address), "escrow: zero address"
    QUOTE = quote
    JUDGE = judge
    self.begun = max_value(uint256)


# external functions

@external
def begin(auction: address, token: address, creator: address, at_once_bps: uint256, shares: DynArray[uint256, MOST]):
    """
    @notice Says whose escrow this is; whoever makes the proxy calls it in the same transaction.
    @param auction The auction whose raise comes here
    @param token The agent's token
    @param creator Whoever gets the money
    @param at_once_bps Part of the raise that is paid when the launch is live, in 1/10000
    @param shares Each milestone's part of the rest, in 1/10000, together 10000
    """
    assert self.begun == 0, "escrow: begun already"
    assert creator != empty(address), "escrow: zero address"
    total: uint256 = 0
    for share: uint256 in shares:
        assert share > 0, "escrow: empty milestone"
        total += share
    assert total == BPS, "escrow: milestones are not the whole"
    self.auction = auction
    self.token = token
    self.creator = creator
    self.begun = block.timestamp
    self.at_once_bps = at_once_bps
    self.shares = shares
    self.stage = Stage.IDLE


@external
@nonreentrant
def take_at_once() -> uint256:
    """
    @notice Sends the creator the part of the raise that is paid at once; anyone may call, once, when live.
    @return Quote wei sent
    """
    assert staticcall Auction(self.auction).state() == LIVE, "escrow: not live"
    assert self.at_once == 0 and self.stage != Stage.REDEEMING, "escrow: taken already"
    amount: uint256 = min(self._at_once(), self._left())
    self.at_once = amount
    self.paid += amount
    log Paid(milestone=max_value(uint256), amount=amount)
    _payment._pay(QUOTE, self.creator, amount)
    return amount


@external
def submit(evidence: bytes32):
    """
    @notice Claims the next milestone with the hash of its evidence; only the creator, when live.
    @param evidence SHA-256 of what shows that the milestone was reached
    """
    assert msg.sender == self.creator, "escrow: not the creator"
    assert staticcall Auction(self.auction).state() == LIVE, "escrow: not live"
    assert self.stage == Stage.IDLE and self.milestone < len(self.shares), "escrow: nothing to submit for"
    assert evidence != empty(bytes32), "escrow: no evidence"
    self.evidence = evidence
    self._enter(Stage.SUBMITTED)
    log Submitted(milestone=self.milestone, evidence=evidence)


@external
@nonreentrant
def challenge(reason: bytes32) -> uint256:
    """
    @notice Disputes the claimed milestone within its 72 hours; the caller approved the bond before.
    @param reason Hash of the reason
    @return The bond, in quote wei
    """
    assert self.stage == Stage.SUBMITTED and block.timestamp < self.since + WINDOW, "escrow: nothing to challenge"
    bond: uint256 = self._due() * BOND_BPS // BPS
    self.challenger = msg.sender
    self.bond = bond
    self._enter(Stage.CHALLENGED)
    log Challenged(milestone=self.milestone, challenger=msg.sender, reason=reason, bond=bond)
    _payment._pull(QUOTE, msg.sender, bond)
    return bond


@external
def rule(upheld: bool):
    """
    @notice Decides a challenge; only the judge. Upheld, the challenger may withdraw the bond and the milestone failed;
            otherwise the creator may and the milestone can be paid.
    @param upheld Whether the challenger was right
    """
    assert msg.sender == JUDGE, "escrow: not the judge"
    assert self.stage == Stage.CHALLENGED, "escrow: nothing to rule on"
    if upheld:
        self._release_bond(self.challenger)
        self.failures += 1
        self._enter(Stage.IDLE)
    else:
        self._release_bond(self.creator)
        self._enter(Stage.GRANTED)
    log Ruled(milestone=self.milestone, upheld=upheld)
    if self.failures >= FAILURES:
        self._open_redemption()


@external
def lapse():
    """
    @notice Ends a challenge that the judge left alone for 30 days: the challenger may withdraw the bond, the creator
            claim anew; anyone may call.
    """
    assert self.stage == Stage.CHALLENGED and block.timestamp >= self.since + PATIENCE, "escrow: nothing has lapsed"
    self._release_bond(self.challenger)
    self._enter(Stage.IDLE)
    log Lapsed(milestone=self.milestone)


@external
@nonreentrant
def withdraw(account: address) -> uint256:
    """
    @notice Sends an account the bonds that were decided in its favour; anyone may call.
    @dev Apart from the decisions, so that no account that cannot be paid stands in the way of one.
    @param account The account
    @return Quote wei sent
    """
    amount: uint256 = self.bonds[account]
    self.bonds[account] = 0
    self.bonds_total -= amount
    log Withdrawn(account=account, amount=amount)
    _payment._pay(QUOTE, account, amount)
    return amount


@external
@nonreentrant
def pay() -> uint256:
    """
    @notice Sends the creator the money of a milestone that nobody challenged or that the judge granted; anyone may call.
    @return Quote wei sent
    """
    waited: bool = self.stage == Stage.SUBMITTED and block.timestamp >= self.since + WINDOW
    assert waited or self.stage == Stage.GRANTED, "escrow: nothing to pay"
    amount: uint256 = self._due()
    milestone: uint256 = self.milestone
    self.milestone = milestone + 1
    self.paid += amount
    self._enter(Stage.IDLE)
    log Paid(milestone=milestone, amount=amount)
    _payment._pay(QUOTE, self.creator, amount)
    return amount


@external
def expire():
    """
    @notice Opens redemption three years after the beginning, unless a claim is under way; anyone may call.
    """
    assert self.stage == Stage.IDLE and block.timestamp >= self.begun + LIFE, "escrow: not expired"
    self._open_redemption()


@external
@nonreentrant
def redeem(tokens: uint256) -> uint256:
    """
    @notice Burns the caller's tokens, which it approved, for their part of what is left: tokens / supply.
    @param tokens Token wei to burn
    @return Quote wei sent
    """
    assert self.stage == Stage.REDEEMING, "escrow: no redemption"
    token: address = self.token
    amount: uint256 = self._left() * tokens // staticcall Burnable(token).totalSupply()
    self.paid += amount
    log Redeemed(holder=msg.sender, tokens=tokens, amount=amount)
    _payment._pull(token, msg.sender, tokens)
    extcall Burnable(token).burn(tokens)
    _payment._pay(QUOTE, msg.sender, amount)
    return amount


@external
@view
def due() -> uint256:
    """
    @notice Returns what the next milestone pays, in quote wei.
    """
    return self._due()


@external
@view
def left() -> uint256:
    """
    @notice Returns what the escrow holds, bonds not counted, in quote wei.
    """
    return self._left()


# internal functions

@internal
def _enter(stage: Stage):
    self.stage = stage
    self.since = block.timestamp


@internal
def _release_bond(account: address):
    self.bonds[account] += self.bond
    self.bonds_total += self.bond
    self.bond = 0


@internal
def _open_redemption():
    self._enter(Stage.REDEEMING)
    log RedemptionOpened(amount=self._left())


@internal
@view
def _at_once() -> uint256:
    result: _levels.Result = staticcall Auction(self.auction).result()
    return result.raised * self.at_once_bps // BPS


@internal
@view
def _left() -> uint256:
    return staticcall IERC20(QUOTE).balanceOf(self) - self.bond - self.bonds_total


@internal
@view
def _due() -> uint256:
    """
    @dev A milestone's part of everything that was ever here but the money at once; the last one gets all.
         What may be taken at once is set aside until it was taken.
    """
    aside: uint256 = 0
    if self.at_once == 0:
        aside = self._at_once()
    left: uint256 = self._left() - min(aside, self._left())
    if self.milestone + 1 == len(self.shares):
        return left
    whole: uint256 = left + self.paid - self.at_once
    return min(whole * self.shares[self.milestone] // BPS, left)
