"""Stake accounts: what lies in them, and the instructions of the stake program.

Layouts are those of `solana-stake-interface` (`state.rs`, `instruction.rs`). What is staked belongs to whoever may
withdraw it; whoever may delegate it can only choose the validator.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from mercato.chains.errors import BadCall
from mercato.chains.solana import base58
from mercato.chains.solana.messages import octets
from mercato.chains.solana.model import Account, Address, Instruction, Meta

STAKE = Address("Stake11111111111111111111111111111111111111")
VOTE = Address("Vote111111111111111111111111111111111111111")
CONFIG = Address("StakeConfig11111111111111111111111111111111")  # is named, and not looked at any more
CLOCK = Address("SysvarC1ock11111111111111111111111111111111")
HISTORY = Address("SysvarStakeHistory1111111111111111111111111")
RENT = Address("SysvarRent111111111111111111111111111111111")
SIZE = 200  # bytes of a stake account
NEVER = 2**64 - 1
_INITIALIZED, _DELEGATED = 1, 2


class StakeRight(IntEnum):
    """What `authorize` can hand over, by its number."""

    DELEGATE = 0
    WITHDRAW = 1


@dataclass(frozen=True, slots=True)
class Delegation:
    """To which validator lamports go, from which epoch on, and until which (None: no end)."""

    voter: Address
    stake: int
    activated: int
    deactivated: int | None


@dataclass(frozen=True, slots=True)
class StakeAccount:
    """Who may delegate and who may withdraw, what must stay in the account, until when it is locked, and to whom it
    is delegated. The custodian may lift the lock."""

    staker: Address
    withdrawer: Address
    reserve: int
    locked_until: int
    locked_epoch: int
    custodian: Address
    delegation: Delegation | None


def stake_account(account: Account | None) -> StakeAccount | None:
    """Returns the stake account that an account is; None where it is none, or not initialised."""
    data = account.data if account else b""
    kind = int.from_bytes(data[:4], "little")
    if account is None or account.owner != STAKE or len(data) < SIZE or kind not in (_INITIALIZED, _DELEGATED):
        return None
    return StakeAccount(
        _address(data, 12), _address(data, 44), _number(data, 4), int.from_bytes(data[76:84], "little", signed=True),
        _number(data, 84), _address(data, 92), _delegation(data) if kind == _DELEGATED else None,
    )  # fmt: skip


def initialize(stake: Address, staker: Address, withdrawer: Address) -> Instruction:
    """Makes a stake account of SIZE bytes that `create_account` made, without a lock (Initialize, 0)."""
    lock = bytes(48)
    return Instruction(
        STAKE, (Meta(stake, writable=True), Meta(RENT)), _kind(0) + octets(staker) + octets(withdrawer) + lock
    )


def authorize(stake: Address, holder: Address, heir: Address, right: StakeRight) -> Instruction:
    """Hands a right over a stake account to an heir (Authorize, 1)."""
    accounts = (Meta(stake, writable=True), Meta(CLOCK), Meta(holder, signer=True))
    return Instruction(STAKE, accounts, _kind(1) + octets(heir) + right.to_bytes(4, "little"))


def delegate(stake: Address, vote: Address, staker: Address) -> Instruction:
    """Delegates a stake account to a validator's vote account (DelegateStake, 2)."""
    accounts = (
        Meta(stake, writable=True), Meta(vote), Meta(CLOCK), Meta(HISTORY), Meta(CONFIG), Meta(staker, signer=True),
    )  # fmt: skip
    return Instruction(STAKE, accounts, _kind(2))


def withdraw(stake: Address, target: Address, withdrawer: Address, lamports: int) -> Instruction:
    """Takes lamports out that are not delegated, or no more (Withdraw, 4); all of them close the account."""
    if not 0 <= lamports < 2**64:
        raise BadCall(f"lamports were {lamports!r}", hint="expected a whole number below 2**64")
    accounts = (
        Meta(stake, writable=True), Meta(target, writable=True), Meta(CLOCK), Meta(HISTORY),
        Meta(withdrawer, signer=True),
    )  # fmt: skip
    return Instruction(STAKE, accounts, _kind(4) + lamports.to_bytes(8, "little"))


def deactivate(stake: Address, staker: Address) -> Instruction:
    """Ends a delegation; the lamports are free once their epoch is over (Deactivate, 5)."""
    return Instruction(STAKE, (Meta(stake, writable=True), Meta(CLOCK), Meta(staker, signer=True)), _kind(5))


def _delegation(data: bytes) -> Delegation:
    ended = _number(data, 172)
    return Delegation(_address(data, 124), _number(data, 156), _number(data, 164), None if ended == NEVER else ended)


def _kind(number: int) -> bytes:
    return number.to_bytes(4, "little")


def _number(data: bytes, place: int) -> int:
    return int.from_bytes(data[place : place + 8], "little")


def _address(data: bytes, place: int) -> Address:
    return Address(base58.encode(data[place : place + 32]))
