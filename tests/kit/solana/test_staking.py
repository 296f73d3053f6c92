"""Stake, lookup tables, words and whatever else an agent does on the embedded cluster."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mercato.chains.solana.keys import SolanaKey
from mercato.chains.solana.local import LocalCluster
from mercato.chains.solana.lookup import lookup_table
from mercato.chains.solana.messages import decode
from mercato.chains.solana.model import SOL, Address
from mercato.chains.solana.stake import SIZE, StakeRight, authorize, stake_account
from mercato.chains.solana.testing import validator
from mercato.core.events import Json
from mercato.kit.errors import BadArgument, WouldFail
from mercato.kit.service import Kit
from tests.kit.solana.acting import act, at, moved
from tests.kit.solana.ground import FRIEND, FRIEND_KEY, ME, STRANGER, WALLET, Town

EPOCH = 432_000  # slots
STAKED = 5 * SOL


def rent(cluster: LocalCluster) -> int:
    return cluster.rent(SIZE)


def test_stake_is_made_delegated_ended_and_taken_out(kit: Kit, town: Town) -> None:
    vote, before = validator(town.cluster, FRIEND_KEY), town.cluster.balance(ME)
    made = act(kit, "stake-create", amount=str(STAKED))
    [created] = made.effects.creations
    stake = Address(created)

    assert moved(made) == {"SOL": -STAKED - rent(town.cluster)}
    assert made.effects.authorities == ()
    delegated = act(kit, "stake-delegate", stake=stake, validator=vote)
    assert (moved(delegated), delegated.effects.contracts) == ({}, (vote,))
    found = stake_account(at(town, stake))
    assert found
    assert (found.staker, found.withdrawer) == (ME, ME)
    assert found.delegation
    assert (found.delegation.voter, found.delegation.stake) == (vote, STAKED)
    town.cluster.warp(2 * EPOCH)
    assert moved(act(kit, "stake-deactivate", stake=stake)) == {}
    with pytest.raises(WouldFail, match="insufficient funds"):
        act(kit, "stake-withdraw", stake=stake)
    town.cluster.warp(3 * EPOCH)
    assert moved(act(kit, "stake-withdraw", stake=stake, amount=str(SOL))) == {"SOL": SOL}
    act(kit, "stake-withdraw", stake=stake)
    assert town.cluster.accounts([stake]) == (None,)
    assert town.cluster.balance(ME) == before - 5 * 5_000


def test_stake_may_be_delegated_as_it_is_made(kit: Kit, town: Town) -> None:
    vote = validator(town.cluster, FRIEND_KEY)
    [created] = act(kit, "stake-create", amount=str(STAKED), validator=vote).effects.creations

    found = stake_account(at(town, Address(created)))
    assert found
    assert found.delegation
    assert found.delegation.voter == vote


def test_what_is_no_stake_of_ones_own_is_refused(kit: Kit, town: Town) -> None:
    [created] = act(kit, "stake-create", amount=str(STAKED)).effects.creations

    with pytest.raises(BadArgument, match="which is no stake account"):
        act(kit, "stake-withdraw", stake=FRIEND)
    with pytest.raises(BadArgument, match="which is not delegated"):
        act(kit, "stake-deactivate", stake=created)
    with pytest.raises(BadArgument, match="expected a vote account") as refused:
        act(kit, "stake-delegate", stake=created, validator=FRIEND)
    assert refused.value.code == "bad-argument"


@pytest.mark.parametrize(
    ("right", "action", "role"),
    [(StakeRight.WITHDRAW, "stake-withdraw", "withdrawer"), (StakeRight.DELEGATE, "stake-deactivate", "staker")],
)
def test_stake_that_is_anothers_by_now_is_left_alone(
    kit: Kit, town: Town, right: StakeRight, action: str, role: str
) -> None:
    vote = validator(town.cluster, FRIEND_KEY)
    [created] = act(kit, "stake-create", amount=str(STAKED), validator=vote).effects.creations
    town.run(authorize(Address(created), ME, FRIEND, right), by=WALLET)

    with pytest.raises(BadArgument, match=f"whose {role} is {FRIEND}"):
        act(kit, action, stake=created)


def test_a_full_lookup_table_takes_no_more(kit: Kit, town: Town) -> None:
    many: list[Json] = [SolanaKey(number.to_bytes(32, "big")).address for number in range(1, 21)]
    [table] = act(kit, "create-lookup-table", addresses=many).effects.creations
    account = at(town, Address(table))
    town.cluster.put(Address(table), replace(account, data=account.data + account.data[56:88] * 235))

    with pytest.raises(BadArgument, match="with 255 addresses"):
        act(kit, "extend-lookup-table", table=table, addresses=[FRIEND, STRANGER])


def test_a_lookup_table_is_made_extended_used_and_closed(kit: Kit, town: Town) -> None:
    made = act(kit, "create-lookup-table", addresses=[FRIEND])
    [created] = made.effects.creations
    table = Address(created)
    extended = act(kit, "extend-lookup-table", table=table, addresses=[STRANGER])
    found, kept = lookup_table(at(town, table)), at(town, table).lamports

    assert found
    assert (found.authority, found.addresses) == (ME, (FRIEND, STRANGER))
    assert moved(made)["SOL"] + moved(extended)["SOL"] == -kept
    pay: dict[str, Json] = {
        "program": "1" * 32, "data": "0x02000000" + SOL.to_bytes(8, "little").hex(),
        "accounts": [{"address": ME, "signer": True, "writable": True}, {"address": STRANGER, "writable": True}],
    }  # fmt: skip
    used = act(kit, "batch", instructions=[pay], tables=[table])
    assert moved(used) == {"SOL": -SOL}
    assert STRANGER not in map(str, decode(used.signed[0].raw).message.account_keys)
    act(kit, "end-lookup-table", table=table)
    town.cluster.mine(514)
    assert moved(act(kit, "close-lookup-table", table=table)) == {"SOL": kept}


def test_lookup_tables_that_cannot_be_right_are_refused(kit: Kit, town: Town) -> None:
    [table] = act(kit, "create-lookup-table", addresses=[FRIEND]).effects.creations

    wrong: list[tuple[list[Json], str]] = [
        ([], "addresses were 0"), ([FRIEND, FRIEND], "addresses were 2"), (["x"], "address was"),
    ]  # fmt: skip
    for addresses, said in wrong:
        with pytest.raises(BadArgument, match=said):
            act(kit, "extend-lookup-table", table=table, addresses=addresses)
    with pytest.raises(BadArgument, match="which is in use"):
        act(kit, "close-lookup-table", table=table)
    with pytest.raises(BadArgument, match="table was"):
        act(kit, "end-lookup-table", table=FRIEND)
