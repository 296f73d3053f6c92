"""Making tokens and looking after them, on the embedded cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mercato.chains.solana import token_2022
from mercato.chains.solana.extensions import Extension, Metadata, rules
from mercato.chains.solana.model import TOKEN_2022, Address, Instruction
from mercato.chains.solana.testing import issue
from mercato.chains.solana.tokens import Mint, associated, create_account_with_seed, create_mint, mint, token_account
from mercato.core.clock import HandClock
from mercato.core.events import Json
from mercato.kit import Authority, Payment, Power
from mercato.kit.acts import Act
from mercato.kit.errors import BadArgument, Denied, WouldFail
from mercato.kit.service import Kit
from mercato.store import Store
from tests.kit.solana.acting import RENT, act, at, moved
from tests.kit.solana.ground import ANYTHING, DIME, FRIEND, FRIEND_KEY, ME, NATIVE, STRANGER, WALLET, Town, token

COIN: dict[str, Json] = {"title": "Mercato coin", "symbol": "MRC", "decimals": 6, "uri": "https://example.org/c.json"}


def made_by(town: Town, made: Act) -> tuple[Address, Mint]:
    """The mint that an act made."""
    minted = {Address(item): mint(at(town, Address(item))) for item in made.effects.creations}
    [(address, found)] = [(address, found) for address, found in minted.items() if found]
    return address, found


def test_a_token_is_made_with_its_metadata_within(kit: Kit, town: Town) -> None:
    made = act(kit, "create-mint", **COIN)
    address, found = made_by(town, made)
    account = at(town, address)

    assert (found.supply, found.decimals, found.authority, found.freezer) == (0, 6, ME, None)
    assert rules(account).metadata == Metadata(ME, address, "Mercato coin", "MRC", "https://example.org/c.json")
    assert account.owner == TOKEN_2022
    assert moved(made) == {"SOL": -account.lamports}
    assert made.effects.authorities == ()


def test_a_fixed_supply_leaves_nobody_a_right(kit: Kit, town: Town) -> None:
    made = act(kit, "create-mint", **COIN, supply="5000", fixed=True)
    address, found = made_by(town, made)
    more = rules(at(town, address))

    assert (found.supply, found.authority, found.freezer) == (5_000, None, None)
    assert more.metadata
    assert (more.metadata.authority, more.pointer_authority) == (None, None)
    assert made.effects.payments == ()  # its rent is locked for ever: spent, and nobody's
    assert moved(made)["SOL"] < -at(town, address).lamports
    assert moved(made)[token(address)] == town.units(ME, address, TOKEN_2022) == 5_000
    told = kit.read("token-risk", {"token": address})
    assert isinstance(told, dict)
    assert (told["authorities"], told["risks"]) == ([], [])


def test_a_single_item_is_made_and_sent(kit: Kit, town: Town) -> None:
    item: dict[str, Json] = {"title": "Badge 1", "symbol": "BADGE", "decimals": 0, "supply": "1", "fixed": True}
    address, found = made_by(town, act(kit, "create-mint", **item))
    plan = kit.plan(kit.intent("transfer", {"token": address, "to": FRIEND, "amount": "1"}))

    assert (found.supply, found.decimals, found.authority) == (1, 0, None)
    assert plan.body()["steps"]
    with pytest.raises(Denied, match=address):  # no rule knows it yet
        act(kit, "transfer", token=address, to=FRIEND, amount="1")


def test_two_intents_make_two_tokens(kit: Kit, town: Town) -> None:
    first, second = (made_by(town, act(kit, "create-mint", **COIN, freezable=True)) for _ in range(2))

    assert first[0] != second[0]
    assert first[1].freezer == ME


def test_supply_is_made_and_destroyed(kit: Kit, town: Town) -> None:
    usd = town.dollar

    assert moved(act(kit, "mint", token=usd, amount="5")) == {town.usd: 5}
    assert moved(act(kit, "burn", token=usd, amount="15")) == {town.usd: -15}
    assert town.units(ME) == 1_000 * DIME - 10
    given = act(kit, "mint", token=usd, amount="5", to=STRANGER)
    assert moved(given) == {"SOL": -RENT}
    assert set(given.effects.payments) == {Payment(NATIVE, STRANGER, RENT), Payment(town.usd, STRANGER, 5)}
    assert given.effects.contracts == (usd,)
    assert town.units(STRANGER) == 5


def test_why_an_act_would_fail_is_said_in_words(kit: Kit, town: Town) -> None:
    with pytest.raises(WouldFail, match="there is not so much of the token"):
        act(kit, "burn", token=town.dollar, amount=str(1_001 * DIME))


def test_an_account_is_frozen_and_let_go(kit: Kit, town: Town) -> None:
    yours = associated(FRIEND, town.dollar)

    for action, state in (("freeze", "frozen"), ("thaw", "initialized")):
        made = act(kit, action, token=town.dollar, owner=FRIEND)
        held = token_account(at(town, yours))
        assert held
        assert (held.state, made.effects.moves, made.effects.payments) == (state, (), ())
        assert made.effects.contracts == (town.dollar,)


@pytest.mark.parametrize(
    ("action", "given"),
    [("mint", {"to": FRIEND, "amount": "1"}), ("mint", {"amount": "1"}), ("freeze", {"owner": FRIEND})],
)
def test_a_power_is_used_only_where_a_rule_names_what_it_is_used_on(
    sqlite: Store, clock: HandClock, town: Town, action: str, given: dict[str, Json]
) -> None:
    small = {**ANYTHING, "contracts": [FRIEND], "recipients": [FRIEND]}
    kit = town.kit(sqlite, clock, town.policy(small))

    with pytest.raises(Denied, match=town.dollar):
        act(kit, action, token=town.dollar, **given)


@pytest.mark.parametrize(("right", "power"), [("mint", Power.MINT), ("freeze", Power.FREEZE)])
def test_a_right_is_given_up_for_good(kit: Kit, town: Town, right: str, power: Power) -> None:
    made = act(kit, "revoke-authority", token=town.dollar, right=right)

    assert made.effects.authorities == (Authority(power, town.dollar, ME, False),)
    with pytest.raises(BadArgument, match=f"{right} authority of {town.dollar} was None"):
        act(kit, "revoke-authority", token=town.dollar, right=right)


def test_rights_over_metadata_are_given_up_too(kit: Kit, town: Town) -> None:
    address, _ = made_by(town, act(kit, "create-mint", **COIN))

    for right in ("metadata", "metadata-pointer"):
        act(kit, "revoke-authority", token=address, right=right)

    more = rules(at(town, address))
    assert more.metadata
    assert (more.metadata.authority, more.pointer_authority) == (None, None)


@pytest.mark.parametrize(
    ("kind", "right", "step", "power"),
    [
        (Extension.TRANSFER_FEE, "transfer-fee", lambda at: token_2022.charge_fee(at, 9, 9, ME, None), Power.OWNER),
        (Extension.CLOSE_AUTHORITY, "close", lambda at: token_2022.allow_closing(at, ME), Power.CLOSE),
        (
            Extension.PERMANENT_DELEGATE, "permanent-delegate", lambda at: token_2022.give_delegate(at, ME),
            Power.DELEGATE,
        ),
        (Extension.TRANSFER_HOOK, "transfer-hook", lambda at: token_2022.hook_transfers(at, ME, FRIEND), Power.CODE),
        (Extension.PAUSABLE, "pause", lambda at: token_2022.allow_pausing(at, ME), Power.FREEZE),
    ],
)  # fmt: skip
def test_every_right_of_an_extension_is_given_up_by_its_name(
    kit: Kit, town: Town, kind: Extension, right: str, step: Callable[[Address], Instruction], power: Power
) -> None:
    size = token_2022.mint_size([kind])
    made, account = create_account_with_seed(ME, "odd", town.cluster.rent(size), size, TOKEN_2022)
    town.run(account, step(made), create_mint(made, 6, ME, ME, TOKEN_2022), by=WALLET)

    given_up = act(kit, "revoke-authority", token=made, right=right)

    assert Authority(power, made, ME, False) in given_up.effects.authorities
    assert {item.given for item in given_up.effects.authorities} == {False}
    told: Any = kit.read("token-risk", {"token": made})
    assert {item["holder"] for item in told["authorities"] if item["power"] == right} <= {FRIEND}
    with pytest.raises(BadArgument, match=f"{right} authority of {made} was None"):
        act(kit, "revoke-authority", token=made, right=right)


def test_other_peoples_tokens_are_left_alone(kit: Kit, town: Town) -> None:
    theirs = issue(town.cluster, FRIEND_KEY, 5)

    for action, more in (("mint", {"amount": "1"}), ("freeze", {"owner": FRIEND}), ("thaw", {"owner": FRIEND})):
        with pytest.raises(BadArgument, match=f"authority of {theirs} was {FRIEND}"):
            act(kit, action, token=theirs, **more)


@pytest.mark.parametrize(
    "changes",
    [
        {"title": ""}, {"title": "x" * 33}, {"symbol": "MERCATOCOIN"}, {"uri": "a\nb"}, {"decimals": 10},
        {"fixed": True}, {"supply": str(2**64)},
    ],
)  # fmt: skip
def test_a_token_that_cannot_be_right_is_refused(kit: Kit, changes: dict[str, Json]) -> None:
    with pytest.raises(BadArgument):
        kit.plan(kit.intent("create-mint", {**COIN, **changes}))


def test_an_unknown_right_is_refused(kit: Kit, town: Town) -> None:
    with pytest.raises(BadArgument, match="right was 'everything'"):
        act(kit, "revoke-authority", token=town.dollar, right="everything")
