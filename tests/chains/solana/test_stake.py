"""Stake accounts on the embedded cluster: made, delegated, ended, emptied, handed over."""

from __future__ import annotations

import pytest

from mercato.chains.errors import BadCall, Reverted
from mercato.chains.solana import stake
from mercato.chains.solana.local import LocalCluster
from mercato.chains.solana.model import SOL, Account, Address
from mercato.chains.solana.stake import Delegation, StakeAccount, StakeRight, stake_account
from mercato.chains.solana.testing import keys, local, signed, validator
from mercato.chains.solana.tokens import create_account_with_seed

ANN, BEN = keys()[:2]
EPOCH = 432_000  # slots


@pytest.fixture
def cluster() -> LocalCluster:
    return local()


def staked(cluster: LocalCluster, vote: Address) -> Address:
    lamports = cluster.rent(stake.SIZE) + 5 * SOL
    at, made = create_account_with_seed(ANN.address, "stake", lamports, stake.SIZE, stake.STAKE)
    steps = [made, stake.initialize(at, ANN.address, ANN.address), stake.delegate(at, vote, ANN.address)]
    cluster.send_raw(signed(cluster, steps, ANN))
    return at


def read(cluster: LocalCluster, at: Address) -> StakeAccount:
    found = stake_account(cluster.accounts([at])[0])
    assert found
    return found


def test_stake_says_who_may_do_what_with_it(cluster: LocalCluster) -> None:
    vote = validator(cluster, BEN)
    found = read(cluster, staked(cluster, vote))

    assert (found.staker, found.withdrawer, found.reserve) == (ANN.address, ANN.address, cluster.rent(stake.SIZE))
    assert (found.locked_until, found.locked_epoch, found.custodian) == (0, 0, "1" * 32)
    assert found.delegation == Delegation(vote, 5 * SOL, 0, None)


def test_delegated_stake_is_free_an_epoch_after_its_end(cluster: LocalCluster) -> None:
    at = staked(cluster, validator(cluster, BEN))
    take = stake.withdraw(at, ANN.address, ANN.address, SOL)
    with pytest.raises(Reverted, match="insufficient funds"):
        cluster.send_raw(signed(cluster, [take], ANN))

    cluster.warp(2 * EPOCH)
    cluster.send_raw(signed(cluster, [stake.deactivate(at, ANN.address)], ANN))
    ended = read(cluster, at).delegation
    cluster.warp(3 * EPOCH)
    cluster.send_raw(signed(cluster, [take], ANN))

    assert ended
    assert ended.deactivated == 2
    assert cluster.balance(at) == cluster.rent(stake.SIZE) + 4 * SOL
    rest = stake.withdraw(at, ANN.address, ANN.address, cluster.balance(at))
    cluster.send_raw(signed(cluster, [rest], ANN))
    assert cluster.accounts([at]) == (None,)


@pytest.mark.parametrize("right", StakeRight)
def test_rights_over_stake_are_handed_over_one_by_one(cluster: LocalCluster, right: StakeRight) -> None:
    at = staked(cluster, validator(cluster, BEN))

    cluster.send_raw(signed(cluster, [stake.authorize(at, ANN.address, BEN.address, right)], ANN))

    found = read(cluster, at)
    given = {StakeRight.DELEGATE: found.staker, StakeRight.WITHDRAW: found.withdrawer}
    assert given.pop(right) == BEN.address
    assert [*given.values()] == [ANN.address]


def test_other_accounts_are_no_stake(cluster: LocalCluster) -> None:
    vote = validator(cluster, BEN)

    assert stake_account(None) is None
    assert [stake_account(found) for found in cluster.accounts([ANN.address, vote])] == [None, None]
    assert stake_account(Account(1, stake.STAKE, bytes(stake.SIZE))) is None
    with pytest.raises(BadCall, match="lamports were -1"):
        stake.withdraw(vote, ANN.address, ANN.address, -1)
