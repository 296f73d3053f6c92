"""Each action does on the embedded chain what it says, and the dry run had told it before."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mercato.core.clock import HandClock
from mercato.core.events import Json
from mercato.kit import Grant, Move, Origin, Payment
from mercato.kit.acts import Act
from mercato.kit.errors import BadArgument
from mercato.kit.evm.actions import catalogue
from mercato.kit.service import Kit
from mercato.store import Store
from tests.contracts.compiled import hostile
from tests.kit.ground import ANYTHING, DIME, FRIEND, ME, NATIVE, STRANGER, WORDS, Town, done, erc20, town
from tests.kit.listing import listed, row

FREE: dict[str, Any] = {
    **ANYTHING, "spenders": ["any"], "grants": {"USD": "any"}, "origins": ["operator"],
    "authorities": ["operator", "delegate", "owner"],
}  # fmt: skip


@pytest.fixture(name="town")
def town_() -> Town:
    return town()


def opened(town: Town, store: Store, clock: HandClock, **assets: str) -> Kit:
    """A kit whose policy lets the operator do everything with the dollar and with these assets."""
    spend = {**ANYTHING["spend"], **dict.fromkeys(assets, "any")}
    rule = {**FREE, "spend": spend, "grants": {**FREE["grants"], **dict.fromkeys(assets, "any")}}
    return town.kit(store, clock, town.policy(rule, WORDS, assets=assets))


def act(kit: Kit, action: str, arguments: dict[str, Json]) -> Act:
    """Does it as the operator, and checks that what happened is what the dry run told."""
    told = kit.propose(kit.intent(action, arguments, origin=Origin.OPERATOR)).ready.effects
    made = done(kit, action, arguments, Origin.OPERATOR)
    assert sorted(made.effects.moves, key=str) == sorted(told.moves, key=str)
    assert made.effects.grants == told.grants
    return made


def test_every_action_has_a_schema_that_says_what_it_takes() -> None:
    for name, action in catalogue().items():
        schema = json.loads(json.dumps(action.schema()))

        assert name == action.name
        assert set(schema["properties"]) == {item.name for item in action.arguments}
        assert all(len(part["description"]) > 5 for part in schema["properties"].values())
        assert len(action.says) > 10
        assert action.effects


def test_balances_are_told_in_base_units(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, sqlite, clock)

    told = kit.read("balance", {"token": town.dollar.address})
    assert told == {"owner": ME, "token": town.dollar.address, "units": str(1_000 * DIME), "decimals": 6}
    assert kit.read("balance", {"owner": STRANGER}) == {"owner": STRANGER, "units": str(10**22), "decimals": 18}
    with pytest.raises(BadArgument, match="does not answer 'balanceOf'"):
        kit.read("balance", {"token": STRANGER})


def test_approve_and_revoke_change_an_allowance_and_nothing_else(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit, usd = opened(town, sqlite, clock), town.dollar.address

    given = act(kit, "approve", {"token": usd, "spender": FRIEND, "amount": "7"})
    assert (given.effects.grants, given.effects.moves) == ((Grant(town.usd, FRIEND, 0, 7),), ())
    assert town.dollar.read("allowance", ME, FRIEND) == 7
    taken = act(kit, "revoke", {"token": usd, "spender": FRIEND})
    assert taken.effects.grants == (Grant(town.usd, FRIEND, 7, 0),)
    assert town.dollar.read("allowance", ME, FRIEND) == 0


def test_an_allowance_with_an_end_tells_its_end(sqlite: Store, clock: HandClock, town: Town) -> None:
    register = hostile(town.chain, "permit_register")
    end = town.chain.time() + 3_600
    wanted: dict[str, Json] = {
        "token": town.dollar.address, "spender": FRIEND, "amount": "9", "expires": end, "register": register.address,
    }  # fmt: skip

    made = act(opened(town, sqlite, clock), "approve-until", wanted)

    assert made.effects.grants == (Grant(town.usd, FRIEND, 0, 9, end),)
    assert register.read("allowance", ME, town.dollar.address, FRIEND)[:2] == (9, end)


def test_a_vault_takes_assets_for_shares_and_gives_them_back(sqlite: Store, clock: HandClock, town: Town) -> None:
    vault = hostile(town.chain, "plain_vault", town.dollar.address)
    share = erc20(vault.address)
    kit = opened(town, sqlite, clock, SHARE=share)

    put = act(kit, "vault-deposit", {"vault": vault.address, "assets": "100"})
    assert set(put.effects.moves) == {Move(town.usd, -100), Move(share, 100)}
    assert [len(put.signed), put.effects.grants] == [2, ()]  # what was approved was spent at once
    out = act(kit, "vault-withdraw", {"vault": vault.address, "assets": "40"})
    assert set(out.effects.moves) == {Move(town.usd, 40), Move(share, -40)}
    rest = act(kit, "vault-redeem", {"vault": vault.address, "shares": "60"})
    assert set(rest.effects.moves) == {Move(town.usd, 60), Move(share, -60)}
    assert town.dollar.read("balanceOf", ME) == 1_000 * DIME


def test_an_item_of_a_collection_goes_to_its_new_owner(sqlite: Store, clock: HandClock, town: Town) -> None:
    items = hostile(town.chain, "plain_items")
    items.send("mint", ME, 7, sender=FRIEND)
    item = f"eip155:31337/erc721:{items.address}/7"
    policy = town.policy({**ANYTHING, "spend": {"ITEM": "any", "ETH": "1"}}, assets={"ITEM": item})

    made = done(
        town.kit(sqlite, clock, policy), "transfer-item", {"collection": items.address, "item": "7", "to": FRIEND}
    )

    assert made.effects.moves == (Move(item, -1),)
    assert made.effects.payments == (Payment(item, FRIEND, 1),)
    assert items.read("ownerOf", 7) == FRIEND


def test_any_view_function_is_read_and_any_function_called_by_its_abi(
    sqlite: Store, clock: HandClock, town: Town
) -> None:
    kit, to = opened(town, sqlite, clock), town.dollar.address
    entries: dict[str, Json] = {entry["name"]: dict(entry) for entry in town.dollar.interface.abi if "name" in entry}

    assert kit.read("read", {"to": to, "abi": entries["balanceOf"], "arguments": [ME]}) == {"answer": str(1_000 * DIME)}
    assert kit.read("read", {"to": to, "abi": entries["symbol"]}) == {"answer": "tUSD"}
    made = act(kit, "call", {"to": to, "abi": entries["transfer"], "arguments": [FRIEND, "3"]})
    assert made.effects.payments == (Payment(town.usd, FRIEND, 3),)
    with pytest.raises(BadArgument, match="the function takes 2"):
        kit.plan(kit.intent("call", {"to": to, "abi": entries["transfer"], "arguments": []}))


def test_a_batch_is_judged_as_a_whole_and_sent_in_order(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit, to = opened(town, sqlite, clock), town.dollar.address
    calls: list[Json] = [
        {"to": to, "data": "0x" + town.dollar.interface.encode("transfer", who, units).hex()}
        for who, units in ((FRIEND, 3), (STRANGER, 4))
    ]
    made = act(kit, "batch", {"calls": [*calls, {"to": FRIEND, "value": "5"}]})

    assert set(made.effects.moves) == {Move(town.usd, -7), Move(NATIVE, -5)}
    assert [item.place for item in made.signed] == [0, 1, 2]
    assert town.dollar.read("balanceOf", STRANGER) == 4


def test_an_action_that_reads_plans_nothing_and_one_that_acts_answers_nothing(
    sqlite: Store, clock: HandClock, town: Town
) -> None:
    kit = opened(town, sqlite, clock)

    with pytest.raises(BadArgument, match="only reads"):
        kit.plan(kit.intent("balance", {}))
    with pytest.raises(BadArgument, match="which acts"):
        kit.read("transfer-native", {"to": FRIEND, "amount": "1"})


@pytest.mark.parametrize(
    ("action", "arguments", "said"),
    [
        ("transfer-native", {"to": "0x" + "0" * 40, "amount": "1"}, "nobody's"),
        ("transfer-native", {"to": FRIEND, "amount": "0"}, "amount was 0"),
        ("approve-until", {"token": FRIEND, "spender": FRIEND, "amount": "1", "expires": 1}, "in the future"),
        ("batch", {"calls": []}, "1 to 16"),
        ("swap-v2", {"router": FRIEND, "sell": ME, "buy": FRIEND, "amount": "1"}, "does not answer 'factory'"),
    ],
)
def test_plans_that_cannot_be_right_are_refused(
    sqlite: Store, clock: HandClock, town: Town, action: str, arguments: dict[str, Json], said: str
) -> None:
    kit = opened(town, sqlite, clock)

    with pytest.raises(BadArgument, match=said):
        kit.plan(kit.intent(action, arguments))


def test_the_page_of_the_actions_lists_each_as_it_is_defined() -> None:
    assert listed("EVM chains") == [row(action) for _, action in sorted(catalogue().items())]
