"""Sending tokens and what goes with it, on the embedded cluster: each action's effects, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mercato.chains.solana import token_2022, tokens
from mercato.chains.solana.extensions import Extension
from mercato.chains.solana.model import SOL, SYSTEM, TOKEN_2022, Address, Instruction, Meta
from mercato.chains.solana.testing import issue, signed
from mercato.chains.solana.tokens import WRAPPED, associated
from mercato.core.clock import HandClock
from mercato.core.events import Json
from mercato.kit import Grant, Payment
from mercato.kit.errors import BadArgument
from mercato.store import Store
from tests.kit.solana.acting import RENT, act, at, moved, opened
from tests.kit.solana.ground import DIME, FRIEND, FRIEND_KEY, ME, NATIVE, STRANGER, WALLET, Town, token


def charging(town: Town, bps: int, most: int) -> Address:
    """A token of Token-2022 that keeps part of each transfer back; the wallet has a million."""
    size = token_2022.mint_size([Extension.TRANSFER_FEE])
    mint, made = tokens.create_account_with_seed(ME, "taxed", town.cluster.rent(size), size, TOKEN_2022)
    steps = [
        made, token_2022.charge_fee(mint, bps, most, STRANGER, STRANGER),
        tokens.create_mint(mint, 6, ME, None, TOKEN_2022), tokens.create_associated(ME, ME, mint, TOKEN_2022),
        tokens.mint_to(mint, associated(ME, mint, TOKEN_2022), ME, DIME, TOKEN_2022),
    ]  # fmt: skip
    town.run(*steps, by=WALLET)
    return mint


def test_balances_are_told_in_base_units(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, sqlite, clock)
    mine: dict[str, Json] = {"token": town.dollar}

    told = kit.read("balance", mine)

    assert told == {"owner": ME, "token": town.dollar, "units": str(1_000 * DIME), "decimals": 6}
    assert kit.read("balance", {**mine, "owner": STRANGER}) == {
        "owner": STRANGER, "token": town.dollar, "units": "0", "decimals": 6,
    }  # fmt: skip
    assert kit.read("balance", {"owner": FRIEND}) == {
        "owner": FRIEND, "units": str(town.cluster.balance(FRIEND)), "decimals": 9,
    }  # fmt: skip
    with pytest.raises(BadArgument, match="is no mint"):
        kit.read("balance", {"token": STRANGER})


def test_a_token_arrives_and_nothing_else_moves(sqlite: Store, clock: HandClock, town: Town) -> None:
    made = act(opened(town, sqlite, clock), "transfer", token=town.dollar, to=FRIEND, amount="7")

    assert moved(made) == {town.usd: -7}
    assert made.effects.payments == (Payment(town.usd, FRIEND, 7),)
    assert (made.effects.creations, made.effects.fee) == ((), 5_000)
    assert town.units(FRIEND) == 7


def test_who_has_no_account_for_a_token_gets_one(sqlite: Store, clock: HandClock, town: Town) -> None:
    made = act(opened(town, sqlite, clock), "transfer", token=town.dollar, to=STRANGER, amount="7", memo="rent")

    assert moved(made) == {town.usd: -7, "SOL": -RENT}
    assert set(made.effects.payments) == {Payment(town.usd, STRANGER, 7), Payment(NATIVE, STRANGER, RENT)}
    assert made.effects.creations == (associated(STRANGER, town.dollar),)
    assert any(log.values.get("text", "").endswith("rent") for log in made.effects.logs)
    assert town.units(STRANGER) == 7


@pytest.mark.parametrize(("amount", "arrives"), [(999, 986), (500_000, 495_000)])
def test_a_token_with_a_transfer_fee_arrives_without_it(
    sqlite: Store, clock: HandClock, town: Town, amount: int, arrives: int
) -> None:
    taxed = charging(town, 125, 5_000)
    made = act(opened(town, sqlite, clock, TAX=taxed), "transfer", token=taxed, to=FRIEND, amount=str(amount))

    assert moved(made)[token(taxed)] == -amount
    assert Payment(token(taxed), FRIEND, arrives) in made.effects.payments
    assert town.units(FRIEND, taxed, TOKEN_2022) == arrives


def test_a_fee_that_changes_is_the_one_of_its_epoch(sqlite: Store, clock: HandClock, town: Town) -> None:
    taxed = charging(town, 100, DIME)
    kit = opened(town, sqlite, clock, TAX=taxed)
    town.run(token_2022.change_fee(taxed, STRANGER, 500, DIME))

    for slots, arrives in ((0, 990), (432_000, 990), (2 * 432_000, 950)):
        town.cluster.warp(slots + 100)
        made = act(kit, "transfer", token=taxed, to=FRIEND, amount="1000")
        assert Payment(token(taxed), FRIEND, arrives) in made.effects.payments
        told = kit.read("token-risk", {"token": taxed})
        assert isinstance(told, dict)
        assert told["tax_bps"] == {"transfer": (1_000 - arrives) * 10, "buy": None, "sell": None}


@pytest.mark.parametrize(
    ("kind", "step", "said"),
    [
        (Extension.NON_TRANSFERABLE, token_2022.bind_to_holder, "it is bound to its holder"),
        (
            Extension.TRANSFER_HOOK,
            lambda at: token_2022.hook_transfers(at, ME, FRIEND),
            f"it runs the program {FRIEND}",
        ),
    ],
)
def test_a_token_that_cannot_be_sent_or_judged_is_refused_in_words(
    sqlite: Store, clock: HandClock, town: Town, kind: Extension, step: Callable[[Address], Instruction], said: str
) -> None:
    size = token_2022.mint_size([kind])
    odd, made = tokens.create_account_with_seed(ME, "odd", town.cluster.rent(size), size, TOKEN_2022)
    begin = tokens.create_mint(odd, 6, ME, ME, TOKEN_2022)
    town.run(made, step(odd), begin, tokens.create_associated(ME, ME, odd, TOKEN_2022), by=WALLET)

    with pytest.raises(BadArgument, match=said):
        act(opened(town, sqlite, clock), "transfer", token=odd, to=FRIEND, amount="1")


def test_a_token_whose_transfers_are_stopped_is_refused_in_words(sqlite: Store, clock: HandClock, town: Town) -> None:
    size = token_2022.mint_size([Extension.PAUSABLE])
    odd, made = tokens.create_account_with_seed(ME, "odd", town.cluster.rent(size), size, TOKEN_2022)
    begin = [token_2022.allow_pausing(odd, ME), tokens.create_mint(odd, 6, ME, ME, TOKEN_2022)]
    stop = Instruction(TOKEN_2022, (Meta(odd, writable=True), Meta(ME, signer=True)), bytes([44, 1]))
    town.run(made, *begin, tokens.create_associated(ME, ME, odd, TOKEN_2022), stop, by=WALLET)
    kit = opened(town, sqlite, clock)

    with pytest.raises(BadArgument, match="all its transfers are stopped"):
        act(kit, "transfer", token=odd, to=FRIEND, amount="1")
    told: Any = kit.read("token-risk", {"token": odd})
    assert "all transfers are stopped" in told["risks"]


def test_a_friend_whose_account_became_anothers_is_not_paid_by_it(sqlite: Store, clock: HandClock, town: Town) -> None:
    yours = associated(FRIEND, town.dollar)
    town.run(tokens.set_authority(yours, FRIEND, tokens.Right.OWNER, STRANGER), by=FRIEND_KEY)

    with pytest.raises(BadArgument, match="whose account for the token is somebody else's by now"):
        act(opened(town, sqlite, clock), "transfer", token=town.dollar, to=FRIEND, amount="1")


def test_an_account_that_is_anothers_by_now_is_not_ones_own(sqlite: Store, clock: HandClock, town: Town) -> None:
    town.run(tokens.set_authority(associated(ME, town.dollar), ME, tokens.Right.OWNER, STRANGER), by=WALLET)
    kit = opened(town, sqlite, clock)

    with pytest.raises(BadArgument, match="who has no account"):
        act(kit, "transfer", token=town.dollar, to=FRIEND, amount="1")
    told: Any = kit.read("balance", {"token": town.dollar})
    assert told["units"] == "0"


def test_a_frozen_token_is_refused_in_words(sqlite: Store, clock: HandClock, town: Town) -> None:
    town.run(tokens.freeze(associated(ME, town.dollar), town.dollar, ME), by=WALLET)

    with pytest.raises(BadArgument, match="the account's part of it is frozen"):
        act(opened(town, sqlite, clock), "transfer", token=town.dollar, to=FRIEND, amount="1")


def test_an_account_that_wants_memos_gets_one_or_nothing(sqlite: Store, clock: HandClock, town: Town) -> None:
    coin = issue(town.cluster, WALLET, 1_000, program=TOKEN_2022)
    yours = associated(FRIEND, coin, TOKEN_2022)
    opens = tokens.create_associated(FRIEND, FRIEND, coin, TOKEN_2022)
    steps = [opens, *token_2022.demand_memos(yours, FRIEND, FRIEND)]
    town.cluster.send_raw(signed(town.cluster, steps, FRIEND_KEY))
    kit = opened(town, sqlite, clock, COIN=coin)

    with pytest.raises(BadArgument, match="memo was not given"):
        act(kit, "transfer", token=coin, to=FRIEND, amount="7")
    act(kit, "transfer", token=coin, to=FRIEND, amount="7", memo="rent of March")
    assert town.units(FRIEND, coin, TOKEN_2022) == 7


def test_an_account_is_opened_for_somebody_and_closed_when_it_is_empty(
    sqlite: Store, clock: HandClock, town: Town
) -> None:
    kit = opened(town, sqlite, clock)

    made = act(kit, "open-account", token=town.dollar, owner=STRANGER)
    assert (moved(made), made.effects.payments) == ({"SOL": -RENT}, (Payment(NATIVE, STRANGER, RENT),))
    with pytest.raises(BadArgument, match="who has an account"):
        act(kit, "open-account", token=town.dollar)
    with pytest.raises(BadArgument, match=f"{1_000 * DIME} are left"):
        act(kit, "close-account", token=town.dollar)
    act(kit, "transfer", token=town.dollar, to=FRIEND, amount=str(1_000 * DIME))
    assert moved(act(kit, "close-account", token=town.dollar)) == {"SOL": RENT}
    assert town.cluster.accounts([associated(ME, town.dollar)]) == (None,)


def test_a_delegate_is_allowed_and_taken_away(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit = opened(town, sqlite, clock)

    given = act(kit, "approve", token=town.dollar, spender=FRIEND, amount="9")
    assert (given.effects.grants, given.effects.moves) == ((Grant(town.usd, FRIEND, 0, 9),), ())
    taken = act(kit, "revoke", token=town.dollar)
    assert (taken.effects.grants, taken.effects.moves) == ((Grant(town.usd, FRIEND, 9, 0),), ())


def test_sol_is_wrapped_and_comes_back_whole(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit, before = opened(town, sqlite, clock, WSOL=WRAPPED), town.cluster.balance(ME)

    assert moved(act(kit, "wrap", amount=str(SOL))) == {"SOL": -SOL - RENT, token(WRAPPED): SOL}
    assert town.units(ME, WRAPPED) == SOL
    assert moved(act(kit, "close-account", token=WRAPPED)) == {"SOL": SOL + RENT, token(WRAPPED): -SOL}
    assert town.cluster.balance(ME) == before - 10_000


@pytest.mark.parametrize(
    ("action", "arguments", "said"),
    [
        ("transfer", {"to": ME, "amount": "1"}, "to was"),
        ("transfer", {"to": "mint", "amount": "1"}, "no token account, mint or program"),
        ("transfer", {"to": "account", "amount": "1"}, "no token account, mint or program"),
        ("transfer", {"to": str(TOKEN_2022), "amount": "1"}, "no token account, mint or program"),
        ("transfer", {"to": FRIEND, "amount": "0"}, "amount was 0"),
        ("transfer", {"to": FRIEND, "amount": str(2**64)}, "amount was"),
        ("transfer", {"to": FRIEND, "amount": "1", "memo": "x" * 600}, "memo was"),
        ("approve", {"spender": ME, "amount": "1"}, "spender was"),
    ],
)
def test_what_would_be_lost_or_cannot_be_right_is_refused(
    sqlite: Store, clock: HandClock, town: Town, action: str, arguments: dict[str, str], said: str
) -> None:
    kit = opened(town, sqlite, clock)
    meant = {"mint": town.dollar, "account": associated(FRIEND, town.dollar)}
    given: dict[str, Json] = {name: meant.get(value, value) for name, value in arguments.items()}

    with pytest.raises(BadArgument) as refused:
        kit.plan(kit.intent(action, {"token": town.dollar, **given}))
    assert said in f"{refused.value.message} {refused.value.hint}"


@pytest.mark.parametrize("to", [SYSTEM, TOKEN_2022, WRAPPED])
def test_sol_is_not_sent_where_it_is_nobodys(sqlite: Store, clock: HandClock, town: Town, to: Address) -> None:
    with pytest.raises(BadArgument, match=f"to was '{to}'"):
        act(opened(town, sqlite, clock), "transfer-native", to=to, amount="1")


def test_who_has_none_of_a_token_sends_none(sqlite: Store, clock: HandClock, town: Town) -> None:
    kit, theirs = opened(town, sqlite, clock), issue(town.cluster, FRIEND_KEY, 5)

    with pytest.raises(BadArgument, match="who has no account"):
        act(kit, "transfer", token=theirs, to=FRIEND, amount="1")
    assert at(town, theirs).lamports > 0
