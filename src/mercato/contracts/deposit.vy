# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
# SPDX-License-Identifier: Apache-2.0
"""
@title Deposits of applicants
@notice Whoever applies for a launch leaves a deposit under the hash of the application, each account its own. The
        curator gives it back or, for a false statement, forfeits it to the treasury; a curator who does neither for 60
        days loses the say and the applicant takes it back. An appeal adds a bond of 1.5 deposits and starts the 60 days
        anew, twice at most.
        Invariants:
        - the contract holds at least the sum of all held deposits;
        - a deposit leaves once, whole, to its applicant or to the treasury;
        - no deposit is held longer than 60 days after its last appeal, if its applicant asks for it;
        - no account can stand in the way of another's deposit: hashes of applications are public.
"""

# modules

import _payment


# constants

ROUNDS: constant(uint256) = 2
PATIENCE: constant(uint256) = 60 * 86_400


# immutables

QUOTE: public(immutable(address))
CURATOR: public(immutable(address))
TREASURY: public(immutable(address))
AMOUNT: public(immutable(uint256))


# flags

flag Fate:
    HELD
    REFUNDED
    FORFEITED


# structs

struct Deposit:
    amount: uint256
    since: uint256
    rounds: uint256
    fate: Fate


# events

event Deposited:
    application: indexed(bytes32)
    applicant: indexed(address)
    amount: uint256

event Appealed:
    application: indexed(bytes32)
    applicant: indexed(address)
    round: uint256
    bond: uint256

event Refunded:
    application: indexed(bytes32)
    applicant: indexed(address)
    amount: uint256

event Forfeited:
    application: indexed(bytes32)
    applicant: indexed(address)
    amount: uint256


# state

deposits: public(HashMap[bytes32, HashMap[address, Deposit]])  # application -> applicant


# construction

@deploy
def __init__(quote: address, curator: address, treasury: address, amount: uint256):
    """
    @notice Sets the terms for good.
    @param quote The token that deposits are paid in
    @param curator Whoever refunds and forfeits
    @param treasury Whoever gets forfeited deposits
    @param amount The deposit, in quote wei
    """
    assert quote != empty(address) and curator != empty(address) and treasury != empty(address), "deposit: zero address"
    assert amount > 0, "deposit: no amount"
    QUOTE = quote
    CURATOR = curator
    TREASURY = treasury
    AMOUNT = amount


# external functions

@external
@nonreentrant
def submit(application: bytes32):
    """
    @notice Leaves the caller's deposit for an application; the caller approved it before.
    @param application Hash of the application
    """
    assert application != empty(bytes32), "deposit: no application"
    assert self.deposits[application][msg.sender].fate == empty(Fate), "deposit: known already"
    self.deposits[application][msg.sender] = Deposit(amount=AMOUNT, since=block.timestamp, rounds=0, fate=Fate.HELD)
    log Deposited(application=application, applicant=msg.sender, amount=AMOUNT)
    _payment._pull(QUOTE, msg.sender, AMOUNT)


@external
@nonreentrant
def appeal(application: bytes32):
    """
    @notice Adds the bond of an appeal, 1.5 deposits, to the caller's deposit; twice at most.
    @param application Hash of the application
    """
    held: Deposit = self.deposits[application][msg.sender]
    assert held.fate == Fate.HELD, "deposit: not held"
    assert held.rounds < ROUNDS, "deposit: no more appeals"
    bond: uint256 = AMOUNT * 3 // 2
    held.amount += bond
    held.rounds += 1
    held.since = block.timestamp
    self.deposits[application][msg.sender] = held
    log Appealed(application=application, applicant=msg.sender, round=held.rounds, bond=bond)
    _payment._pull(QUOTE, msg.sender, bond)


@external
@nonreentrant
def refund(application: bytes32, applicant: address):
    """
    @notice Gives a whole deposit back: the curator at any time, the applicant when 60 days have passed.
    @param application Hash of the application
    @param applicant Whose deposit
    """
    held: Deposit = self.deposits[application][applicant]
    assert held.fate == Fate.HELD, "deposit: not held"
    waited: bool = msg.sender == applicant and block.timestamp >= held.since + PATIENCE
    assert msg.sender == CURATOR or waited, "deposit: not yet"
    self.deposits[application][applicant].fate = Fate.REFUNDED
    log Refunded(application=application, applicant=applicant, amount=held.amount)
    _payment._pay(QUOTE, applicant, held.amount)


@external
@nonreentrant
def forfeit(application: bytes32, applicant: address):
    """
    @notice Sends a whole deposit to the treasury; only the curator, before 60 days have passed.
    @param application Hash of the application
    @param applicant Whose deposit
    """
    held: Deposit = self.deposits[application][applicant]
    assert msg.sender == CURATOR, "deposit: not the curator"
    assert held.fate == Fate.HELD and block.timestamp < held.since + PATIENCE, "deposit: not held"
    self.deposits[application][applicant].fate = Fate.FORFEITED
    log Forfeited(application=application, applicant=applicant, amount=held.amount)
    _payment._pay(QUOTE, TREASURY, held.amount)
