"""What others try with an agent's wallet: each is caught by its effects, and refused with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from mercato.chains import Call, Deployed
from mercato.chains.addresses import create2_address
from mercato.chains.model import Outcome
from mercato.chains.testing import Interrupted
from mercato.core.clock import HandClock
from mercato.core.events import Json
from mercato.kit import Move, Verdict
from mercato.kit.errors import Denied, WouldFail
from mercato.kit.service import Kit
from mercato.store import Store
from tests.contracts.compiled import hostile
from tests.kit.ground import ANYTHING, DIME, FRIEND, ME, STRANGER, Town, done, erc20, town
from tests.kit.permit2 import maker


@pytest.fixture(name="town")
def town_() -> Town:
    return town()


def careless(town: Town, store: Store, clock: HandClock, **assets: str) -> Kit:
    """A kit whose policy lets everything leave for anybody: what is left are allowances, authorities and lies."""
    spend = {**ANYTHING["spend"], **dict.fromkeys(assets, "any")}
    return town.kit(store, clock, town.policy({**ANYTHING, "spend": spend}, assets=assets))


def calling(to: Deployed, function: str, *arguments: object) -> dict[str, Json]:
    return {"calls": [call(to, function, *arguments)]}


def call(to: Deployed, function: str, *arguments: object) -> dict[str, Json]:
    return {"to": to.address, "data": "0x" + to.interface.encode(function, *arguments).hex()}


def test_an_approval_hidden_among_other_calls_is_found(sqlite: Store, clock: HandClock, town: Town) -> None:
    calls: list[Json] = [
        call(town.dollar, "transfer", FRIEND, 1), call(town.dollar, "approve", STRANGER, 2**256 - 1),
        call(town.dollar, "transfer", FRIEND, 1),
    ]  # fmt: skip

    with pytest.raises(Denied, match=f"it allows {2**256 - 1} of {town.usd}"):
        done(careless(town, sqlite, clock), "batch", {"calls": calls})
    assert town.dollar.read("allowance", ME, STRANGER) == 0


@pytest.mark.parametrize("held", [0, 3])
def test_an_approval_that_a_later_step_takes_back_is_found(
    sqlite: Store, clock: HandClock, town: Town, held: int
) -> None:
    """Each step is a transaction, and whoever has the allowance may act between two of them."""
    town.dollar.send("approve", STRANGER, held, sender=ME)
    calls: list[Json] = [
        call(town.dollar, "approve", STRANGER, 500), call(town.dollar, "transfer", FRIEND, 500),
        call(town.dollar, "approve", STRANGER, 0),
    ]  # fmt: skip

    with pytest.raises(Denied, match=f"it allows 500 of {town.usd}"):
        done(careless(town, sqlite, clock), "batch", {"calls": calls})


def test_a_contract_that_an_earlier_step_makes_is_called_all_the_same(
    sqlite: Store, clock: HandClock, town: Town
) -> None:
    """Its address has no code before the batch, as an account of a person has none."""
    deployer, empty = maker(town.chain), bytes.fromhex("60016000f3")  # one byte of code, which stops
    made = create2_address(deployer, bytes(32), empty)
    calls: list[Json] = [
        {"to": deployer, "data": "0x" + (bytes(32) + empty).hex()}, {"to": made, "data": "0x"},
    ]  # fmt: skip

    with pytest.raises(Denied, match=f"it calls {made}"):
        done(town.kit(sqlite, clock, town.policy({**ANYTHING, "contracts": [deployer]})), "batch", {"calls": calls})


def test_an_item_that_is_made_for_the_account_comes(sqlite: Store, clock: HandClock, town: Town) -> None:
    items = hostile(town.chain, "plain_items")

    made = done(careless(town, sqlite, clock), "batch", calling(items, "mint", ME, 7))

    assert made.effects.moves == (Move(f"eip155:31337/erc721:{items.address}/7", 1),)


def test_what_a_later_step_brings_back_has_left(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = town.kit(sqlite, clock, town.policy({**ANYTHING, "spend": {"ETH": "any", "USD": "0.000499"}}))
    calls: list[Json] = [call(town.dollar, "transfer", FRIEND, 500), call(town.dollar, "faucet", ME, 700)]

    with pytest.raises(Denied, match=f"it spends 500 of {town.usd}"):
        done(kit, "batch", {"calls": calls})
    assert kit.propose(kit.intent("batch", {"calls": calls[::-1]})).ready.effects.moves == (Move(town.usd, 200),)


def test_an_approval_through_permit2_is_found(sqlite: Store, clock: HandClock, town: Town) -> None:
    register = hostile(town.chain, "permit_register")
    smuggled = calling(register, "approve", town.dollar.address, STRANGER, 5, town.chain.time() + 60)

    with pytest.raises(Denied, match=f"it allows 5 of {town.usd}"):
        done(careless(town, sqlite, clock), "batch", smuggled)


def test_a_claim_that_lets_a_thief_spend_is_found(sqlite: Store, clock: HandClock, town: Town) -> None:
    sly = hostile(town.chain, "sly_token")

    with pytest.raises(Denied, match="it allows"):
        done(careless(town, sqlite, clock), "batch", calling(sly, "claim", STRANGER))


@pytest.mark.parametrize(
    ("contract", "function", "arguments", "power"),
    [
        ("plain_items", "setApprovalForAll", (STRANGER, True), "operator"),
        ("plain_items", "approve", (STRANGER, 7), "delegate"),
        ("sly_token", "adopt", (STRANGER,), "owner"),
    ],
)
def test_an_authority_that_is_handed_out_is_found(
    sqlite: Store, clock: HandClock, town: Town, contract: str, function: str, arguments: tuple[Any, ...], power: str
) -> None:
    given = calling(hostile(town.chain, contract), function, *arguments)

    with pytest.raises(Denied, match=f"it hands out the authority {power} for {STRANGER}"):
        done(careless(town, sqlite, clock), "batch", given)


def test_a_token_that_lies_about_amounts_is_refused(sqlite: Store, clock: HandClock, town: Town) -> None:
    sly = hostile(town.chain, "sly_token")
    sly.send("drop", ME, 100, sender=STRANGER)
    kit = careless(town, sqlite, clock, SLY=erc20(sly.address))

    with pytest.raises(Denied, match="says it moves -10, its balance moves -20"):
        done(kit, "transfer", {"token": sly.address, "to": FRIEND, "amount": "10"})


def test_a_token_that_does_not_tell_balances_is_refused(sqlite: Store, clock: HandClock, town: Town) -> None:
    sly = hostile(town.chain, "sly_token")
    sly.send("drop", ME, 100, sender=STRANGER)
    sly.send("hush", sender=STRANGER)
    kit = careless(town, sqlite, clock, SLY=erc20(sly.address))

    with pytest.raises(Denied, match="does not tell its balance"):
        done(kit, "transfer", {"token": sly.address, "to": FRIEND, "amount": "10"})


def test_a_fee_that_a_token_keeps_is_seen(sqlite: Store, clock: HandClock, town: Town) -> None:
    odd = hostile(town.chain, "odd_dollar")
    odd.send("faucet", FRIEND, 1_000, sender=FRIEND)
    odd.send("set_fee", 1_000, sender=FRIEND)
    odd.send("approve", ME, 1_000, sender=FRIEND)
    kit = careless(town, sqlite, clock, ODD=erc20(odd.address))

    found = kit.propose(kit.intent("batch", calling(odd, "transferFrom", FRIEND, ME, 1_000)))

    assert found.decision.verdict is Verdict.DENY
    assert "its balance moves 900" in found.decision.why


@pytest.mark.parametrize("function", ["refuse", "burn_gas"])
def test_a_target_that_reverts_or_burns_gas_gets_nothing(
    sqlite: Store, clock: HandClock, town: Town, function: str
) -> None:
    with pytest.raises(WouldFail, match="would fail"):
        done(careless(town, sqlite, clock), "batch", calling(hostile(town.chain, "sly_token"), function))
    assert town.chain.nonce(ME) == 0


def test_an_address_that_looks_like_a_friends_is_not_a_friend(sqlite: Store, clock: HandClock, town: Town) -> None:
    poisoned = FRIEND[:8] + "0" * 26 + FRIEND[-8:]
    kit = town.kit(sqlite, clock, town.policy({**ANYTHING, "recipients": [FRIEND]}))

    with pytest.raises(Denied, match=f"it pays {poisoned}"):
        done(kit, "transfer", {"token": town.dollar.address, "to": poisoned, "amount": "1"})


def test_a_gift_with_orders_in_its_name_changes_no_decision(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = town.kit(sqlite, clock, town.policy({**ANYTHING, "recipients": [FRIEND]}))
    orders = {"token": town.dollar.address, "to": STRANGER, "amount": str(DIME)}
    before = kit.propose(kit.intent("transfer", dict(orders))).decision
    sly = hostile(town.chain, "sly_token")
    sly.send("drop", ME, 10**30, sender=STRANGER)

    after = kit.propose(kit.intent("transfer", dict(orders), note=str(sly.read("name")))).decision

    assert (before.verdict, after) == (Verdict.DENY, before)
    with pytest.raises(Denied, match=f"{sly.address} says it moves -5"):
        done(kit, "transfer", {"token": sly.address, "to": FRIEND, "amount": "5"})


class Delegated(Interrupted):
    """A node on which code runs at the account: the first answer of each probe is that code's hash."""

    def simulate(self, calls: Sequence[Call]) -> tuple[Outcome, ...]:
        first, *rest = super().simulate(calls)
        code, *others = first.logs
        return (replace(first, logs=(replace(code, data=b"\x07" * 32), *others)), *rest)


def test_an_account_that_is_delegated_to_code_signs_nothing(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = town.kit(sqlite, clock, town.policy(ANYTHING), Delegated(town.chain, lambda question: None))

    with pytest.raises(Denied, match="EIP-7702"):
        done(kit, "transfer", {"token": town.dollar.address, "to": FRIEND, "amount": "1"})
