"""Lending and borrowing against Aave v3 as it was deployed, where loans and debts grow with time."""

from __future__ import annotations

from typing import Any

import pytest

from mercato.core.clock import HandClock
from mercato.core.events import Json
from mercato.kit import Move, Origin, Verdict
from mercato.kit.acts import State
from mercato.kit.errors import Denied, WouldFail
from mercato.kit.replay import replay
from mercato.kit.service import Kit
from mercato.store import Store
from tests.kit.aave import Aave, opened
from tests.kit.ground import ANYTHING, DIME, FRIEND, ME, Town, done, erc20, town
from tests.kit.test_actions import FREE

pytestmark = pytest.mark.npm
MONTH = 30 * 86_400


@pytest.fixture(name="town", scope="module")
def town_() -> Town:
    return town()


@pytest.fixture(scope="module")
def aave(town: Town) -> Aave:
    return opened(town.chain, town.dollar)


@pytest.fixture(autouse=True)
def again(town: Town) -> object:
    """Each test begins with the pool as it was made."""
    mark = town.chain.snapshot()
    yield
    town.chain.revert(mark)


def kit_of(town: Town, aave: Aave, store: Store, clock: HandClock) -> Kit:
    assets = {"LENT": erc20(aave.lent.address), "OWED": erc20(aave.owed.address)}
    spend = {**ANYTHING["spend"], **dict.fromkeys(assets, "any")}
    return town.kit(store, clock, town.policy({**FREE, "spend": spend}, assets=assets))


def asked(town: Town, aave: Aave, amount: int) -> dict[str, Json]:
    return {"pool": aave.pool.address, "asset": town.dollar.address, "amount": str(amount)}


def test_a_loan_a_debt_and_their_way_back_move_what_they_say(
    sqlite: Store, clock: HandClock, town: Town, aave: Aave
) -> None:
    kit = kit_of(town, aave, sqlite, clock)
    lent, owed = erc20(aave.lent.address), erc20(aave.owed.address)
    wanted = {
        "aave-supply": (100, {town.usd: -100, lent: 100}), "aave-borrow": (40, {town.usd: 40, owed: 40}),
        "aave-repay": (20, {town.usd: -20, owed: -20}), "aave-withdraw": (30, {town.usd: 30, lent: -30}),
    }  # fmt: skip
    for action in ("aave-supply", "aave-borrow", *wanted):  # the second time interest has come up
        amount, moves = wanted[action]
        town.chain.mine(1, seconds=MONTH)
        told = kit.propose(kit.intent(action, asked(town, aave, amount * DIME), origin=Origin.OPERATOR))
        before = [one.read("balanceOf", ME) for one in (town.dollar, aave.lent, aave.owed)]
        made = done(kit, action, asked(town, aave, amount * DIME), Origin.OPERATOR)
        after = [one.read("balanceOf", ME) for one in (town.dollar, aave.lent, aave.owed)]

        assert (told.decision.verdict, made.state) == (Verdict.ALLOW, State.DONE)
        found = {move.asset: move.units for move in told.ready.effects.moves}
        assert found[town.usd] == moves[town.usd] * DIME
        assert set(found) == set(moves)
        assert all(abs(found[asset] - units * DIME) <= 1 for asset, units in moves.items())  # shares are rounded
        assert after[0] - before[0] == moves[town.usd] * DIME
        assert told.ready.effects.grants == made.effects.grants == ()
    assert town.dollar.read("allowance", ME, aave.pool.address) == 0


def test_the_journal_ends_at_the_balances_with_interest_in_them(
    sqlite: Store, clock: HandClock, town: Town, aave: Aave
) -> None:
    kit = kit_of(town, aave, sqlite, clock)
    for action, amount in (("aave-supply", 100), ("aave-borrow", 40), ("aave-repay", 20), ("aave-withdraw", 30)):
        town.chain.mine(1, seconds=MONTH)
        done(kit, action, asked(town, aave, amount * DIME), Origin.OPERATOR)
    balances = replay(sqlite, "agent").balances

    assert balances[kit.account, erc20(aave.lent.address)] == aave.lent.read("balanceOf", ME) > 70 * DIME
    assert balances[kit.account, town.usd] == town.dollar.read("balanceOf", ME) - 1_000 * DIME


def test_more_than_the_pledge_carries_is_not_lent(sqlite: Store, clock: HandClock, town: Town, aave: Aave) -> None:
    kit = kit_of(town, aave, sqlite, clock)
    done(kit, "aave-supply", asked(town, aave, 100 * DIME), Origin.OPERATOR)

    with pytest.raises(WouldFail, match="would fail"):
        done(kit, "aave-borrow", asked(town, aave, 90 * DIME), Origin.OPERATOR)


def test_what_grows_by_itself_is_so_in_lending_only(sqlite: Store, clock: HandClock, town: Town, aave: Aave) -> None:
    """Sending a loan on writes interest into the log too, and nothing says there that the token may grow."""
    kit = kit_of(town, aave, sqlite, clock)
    done(kit, "aave-supply", asked(town, aave, 100 * DIME), Origin.OPERATOR)
    done(kit, "aave-borrow", asked(town, aave, 40 * DIME), Origin.OPERATOR)
    town.chain.mine(1, seconds=MONTH)
    given: dict[str, Json] = {"token": aave.lent.address, "to": FRIEND, "amount": str(DIME)}

    with pytest.raises(Denied, match="says it moves"):
        done(kit, "transfer", given, Origin.OPERATOR)
    assert Move(erc20(aave.lent.address), -DIME) in kit.propose(kit.intent("transfer", given)).ready.effects.moves


def test_a_token_whose_code_can_be_replaced_says_so(sqlite: Store, clock: HandClock, town: Town, aave: Aave) -> None:
    """Aave's tokens are proxies (EIP-1967) whose administrator is in their code, where nobody here reads it."""
    told: Any = kit_of(town, aave, sqlite, clock).read("token-risk", {"token": aave.lent.address})

    assert {"power": "upgrade", "holder": "unknown", "note": ""} in told["authorities"]
    assert "somebody can replace its code" in told["risks"]
    assert any(line.startswith("upgrade: who may") for line in told["unknown"])
