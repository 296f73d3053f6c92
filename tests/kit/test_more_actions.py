"""Launches, tokens of one's own, lending, names, and what is signed without a transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mercato.chains import Address, Deployed, Interface
from mercato.chains.signing import personal, signed_by
from mercato.contracts import load
from mercato.core.clock import HandClock
from mercato.core.events import Json
from mercato.kit import Grant, Move, Origin, Payment
from mercato.kit.acts import State
from mercato.kit.errors import BadArgument, Denied
from mercato.kit.replay import replay
from mercato.kit.service import Kit
from mercato.launch.clearing import Q96
from mercato.launch.stage import Sale, Stage, stage
from mercato.store import Store
from tests.contracts.compiled import hostile
from tests.contracts.house import made
from tests.kit.ground import ANYTHING, DEPLOYER, DIME, FRIEND, ME, STRANGER, Town, done, erc20, town
from tests.kit.test_actions import act, opened

TOKEN = 10**18


@pytest.fixture(name="town")
def town_() -> Town:
    return town()


def auction(town: Town) -> Stage:
    """An auction that takes the town's dollars, in its window."""
    sale = Sale(
        sale=400_000_000 * TOKEN, floor_q96=40 * DIME * Q96 // (400_000_000 * TOKEN), raise_min=1, min_bid=5 * DIME,
        opens=100, locks=10_000, closes=20_000,
    )  # fmt: skip
    on = stage(town.chain, sale, quote=town.dollar)
    on.open()
    return on


def test_a_bid_is_placed_improved_cancelled_and_claimed(sqlite: Store, clock: HandClock, town: Town) -> None:
    on = auction(town)
    kit, place = opened(town, sqlite, clock), on.auction.address

    bid = act(kit, "launch-bid", {"auction": place, "level": 3, "amount": str(50 * DIME)})
    assert bid.effects.moves == (Move(town.usd, -50 * DIME),)
    assert (bid.effects.grants, on.auction.read("bids", ME, 3)) == ((), 50 * DIME)
    act(kit, "launch-improve", {"auction": place, "low": 3, "high": 5, "amount": str(20 * DIME)})
    assert on.auction.read("bids", ME, 5) == 20 * DIME
    back = act(kit, "launch-cancel", {"auction": place, "level": 3, "amount": str(30 * DIME)})
    assert back.effects.moves == (Move(town.usd, 30 * DIME),)
    town.dollar.send("faucet", FRIEND, 100 * DIME, sender=FRIEND)
    town.dollar.send("approve", place, 100 * DIME, sender=FRIEND)
    on.auction.send("bid", 5, 100 * DIME, sender=FRIEND)
    on.over()
    on.auction.send("clear", sender=FRIEND)
    before = town.dollar.read("balanceOf", ME)
    claimed = act(kit, "launch-claim", {"auction": place, "level": 5})
    got = {move.asset: move.units for move in claimed.effects.moves}
    assert got == {
        erc20(on.token.address): on.token.read("balanceOf", ME), town.usd: town.dollar.read("balanceOf", ME) - before,
    }  # fmt: skip
    assert (got[erc20(on.token.address)] > 0, 0 < got[town.usd] < 20 * DIME) == (True, True)


def test_an_application_leaves_its_deposit(sqlite: Store, clock: HandClock, town: Town) -> None:
    deposit = made(town.chain, "deposit", town.dollar.address, DEPLOYER, STRANGER, 250 * DIME)
    hash = "0x" + "ab" * 32

    left = act(opened(town, sqlite, clock), "launch-apply", {"deposit": deposit.address, "application": hash})

    assert left.effects.moves == (Move(town.usd, -250 * DIME),)


def test_a_token_of_ones_own_is_created_with_its_whole_supply(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, sqlite, clock)
    wanted: dict[str, Json] = {"title": "Lamp", "symbol": "LAMP", "supply": str(1_000 * TOKEN)}

    told = kit.propose(kit.intent("deploy-token", wanted, origin=Origin.OPERATOR)).ready.effects
    made_ = done(kit, "deploy-token", wanted, Origin.OPERATOR)

    token = Deployed(town.chain, Interface(load("agent_token").abi), Address(made_.effects.creations[0]))
    assert told.creations == made_.effects.creations
    assert made_.effects.moves == told.moves == (Move(erc20(token.address), 1_000 * TOKEN),)
    assert [token.read("symbol"), token.read("live"), token.read("balanceOf", ME)] == ["LAMP", True, 1_000 * TOKEN]


def test_a_name_stands_for_its_address(sqlite: Store, clock: HandClock, town: Town) -> None:
    names = hostile(town.chain, "plain_names")
    node = bytes.fromhex("de9b09fd7c5f901e23a3f19fecc54828e9c848539801e86591bd9801b019f84f")  # foo.eth, in EIP-137
    names.send("put", node, FRIEND, sender=FRIEND)
    kit = opened(town, sqlite, clock)

    assert kit.read("resolve-name", {"name": "foo.eth", "registry": names.address}) == {
        "name": "foo.eth", "address": FRIEND,
    }  # fmt: skip
    for name in ("bar.eth", "fоo.eth", "foo"):
        with pytest.raises(BadArgument, match="name was"):
            kit.read("resolve-name", {"name": name, "registry": names.address})


def test_words_are_signed_as_wallets_do(sqlite: Store, clock: HandClock, town: Town) -> None:
    signed = done(opened(town, sqlite, clock), "sign-message", {"message": "I am here"}, Origin.OPERATOR)

    assert signed.state is State.DONE
    assert signed_by(personal(b"I am here"), signed.signed[0].raw) == ME
    assert town.chain.nonce(ME) == 0


def test_a_permit_is_an_allowance_and_works_once_it_is_brought(sqlite: Store, clock: HandClock, town: Town) -> None:
    end = town.chain.time() + 3_600
    wanted: dict[str, Json] = {
        "token": town.dollar.address, "spender": FRIEND, "amount": "9", "deadline": end,
    }  # fmt: skip

    signed = done(opened(town, sqlite, clock), "permit", wanted, Origin.OPERATOR)

    raw = signed.signed[0].raw
    assert signed.effects.grants == (Grant(town.usd, FRIEND, 0, 9),)
    town.dollar.send("permit", ME, FRIEND, 9, end, raw[64], raw[:32], raw[32:64], sender=FRIEND)
    assert town.dollar.read("allowance", ME, FRIEND) == 9


def test_an_authorization_is_a_payment_that_counts_against_its_budget(
    sqlite: Store, clock: HandClock, town: Town
) -> None:
    budget = {"name": "day", "asset": "USD", "cap": "0.00001", "seconds": 60}
    kit = town.kit(sqlite, clock, town.policy(ANYTHING, budgets=[budget]))
    end = town.chain.time() + 3_600
    wanted: dict[str, Json] = {
        "token": town.dollar.address, "to": FRIEND, "amount": "9", "deadline": end, "nonce": "0x" + "07" * 32,
    }  # fmt: skip

    signed = done(kit, "authorize-transfer", wanted)

    raw = signed.signed[0].raw
    assert signed.effects.payments == (Payment(town.usd, FRIEND, 9),)
    with pytest.raises(Denied, match="has 1 of"):
        done(kit, "authorize-transfer", wanted)
    words = (ME, FRIEND, 9, 0, end, b"\x07" * 32)
    town.dollar.send("transferWithAuthorization", *words, raw[64], raw[:32], raw[32:64], sender=STRANGER)
    assert town.dollar.read("balanceOf", FRIEND) == 9
    assert replay(sqlite, "agent").balances == {(kit.account, town.usd): -9}


PERMIT: dict[str, Any] = {
    "types": {"Permit": [
        {"name": "owner", "type": "address"}, {"name": "spender", "type": "address"},
        {"name": "value", "type": "uint256"}, {"name": "nonce", "type": "uint256"},
        {"name": "deadline", "type": "uint256"},
    ]},
    "primaryType": "Permit",
    "message": {"owner": ME, "spender": STRANGER, "value": str(2**255), "nonce": 0, "deadline": 2**40},
}  # fmt: skip


@pytest.mark.parametrize("held", [0, 2**255, 2**256 - 1])
def test_typed_data_that_hides_a_permit_is_an_allowance(sqlite: Store, clock: HandClock, town: Town, held: int) -> None:
    """Whatever its spender may take already, which is used up first."""
    town.dollar.send("approve", STRANGER, held, sender=ME)
    domain: Json = {"name": "Test Dollar", "version": "1", "chainId": 31337, "verifyingContract": town.dollar.address}
    kit = town.kit(sqlite, clock, town.policy(ANYTHING))

    with pytest.raises(Denied, match=f"it allows {2**255} of {town.usd}"):
        done(kit, "sign-typed-data", {"data": {**PERMIT, "domain": domain}})


@pytest.mark.parametrize(
    "change",
    [
        {"primaryType": "Order", "types": {"Order": [{"name": "owner", "type": "address"}]}},
        {"domain": {"name": "Test Dollar", "chainId": 1}},
        {"message": {**PERMIT["message"], "owner": FRIEND}},
    ],
)
def test_typed_data_that_nobody_knows_is_refused(
    sqlite: Store, clock: HandClock, town: Town, change: dict[str, Any]
) -> None:
    domain: Json = {"name": "Test Dollar", "version": "1", "chainId": 31337, "verifyingContract": town.dollar.address}
    kit = town.kit(sqlite, clock, town.policy(ANYTHING))

    with pytest.raises(Denied, match="nobody here knows what this typed data"):
        done(kit, "sign-typed-data", {"data": {**PERMIT, "domain": domain, **change}})


def test_a_creation_whose_nonce_was_taken_is_not_signed(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit: Kit = opened(town, sqlite, clock)
    wanted = kit.intent("deploy-token", {"title": "L", "symbol": "L", "supply": "1"}, origin=Origin.OPERATOR)
    ready = kit.propose(wanted).ready
    moved = replace(ready, effects=replace(ready.effects, creations=(FRIEND,)))

    with pytest.raises(Exception, match="another transaction took the nonce"):
        kit.rail.sign(kit._wallet, moved, (0, 1, 2))
