from __future__ import annotations

import pytest

from mercato.chains import Address
from mercato.core.errors import Conflict
from mercato.launch.contracts import at
from mercato.launch.market import Market, market, runs_ours
from mercato.launch.pool import Pool
from mercato.launch.views.market import bucketed, down, shown, span, up
from tests.launch.town import Town


@pytest.fixture(scope="module")
def held(town: Town) -> Market:
    return market(town.house.chain, town.launch("live"))


def test_the_market_is_what_the_contracts_say(town: Town, held: Market) -> None:
    contracts = town.house.contracts(town.launch("live"))
    token = at(town.house.chain, "agent_token", contracts.token)
    pool = at(town.house.chain, "pool", held.pool)

    assert (held.now.token, held.now.quote) == pool.read("reserves")
    assert held.supply == token.read("totalSupply")
    assert all(amount == token.read("balanceOf", account) for account, amount in held.holders)
    assert held.owed == pool.read("owed")
    assert held.ours


def test_every_trade_leads_to_its_transaction(town: Town, held: Market) -> None:
    receipts = [town.house.chain.receipt(item.transaction) for item in held.swaps]

    assert len(held.swaps) == 24
    assert [receipt.block for receipt in receipts if receipt] == [item.block for item in held.swaps]
    assert (held.swaps[-1].token, held.swaps[-1].quote) == (held.now.token, held.now.quote)


def test_the_candles_hang_together_and_keep_all_that_was_traded(held: Market) -> None:
    items = bucketed(held, span(held))

    assert items[0].open == held.first.price
    assert [item.close for item in items[:-1]] == [item.open for item in items[1:]]
    assert items[-1].close == held.now.price
    assert sum(item.volume for item in items) == sum(item.turnover for item in held.swaps)
    assert all(item.low <= min(item.open, item.close) <= max(item.open, item.close) <= item.high for item in items)


@pytest.mark.parametrize("percent", [1, 2, 5, 10])
def test_the_depth_moves_the_price_as_far_as_it_says(held: Market, percent: int) -> None:
    now = held.now
    product = now.token * now.quote
    lifted = Pool(product // (now.quote + up(now, percent)), now.quote + up(now, percent), now.opened)
    lowered = Pool(now.token + down(now, percent), product // (now.token + down(now, percent)), now.opened)

    assert abs(lifted.price * 100 - now.price * (100 + percent)) < now.price // 10_000
    assert abs(lowered.price * 100 - now.price * (100 - percent)) < now.price // 10_000


def test_the_page_names_who_holds_what(town: Town, held: Market) -> None:
    page = shown(town.launch("live"), held)
    names = {item.name for item in page.holders}

    assert {"the pool, locked", "team's vesting", "partner's vesting"} <= names
    assert page.count == 24


def test_a_pool_of_other_code_is_not_called_ours(town: Town, held: Market) -> None:
    other = at(town.house.chain, "pool", Address(town.house.room.deployment.quote))

    assert not runs_ours(town.house.chain, other.address)[1]
    assert runs_ours(town.house.chain, held.pool)[1]


def test_a_launch_without_a_pool_has_no_market(town: Town) -> None:
    with pytest.raises(Conflict, match="without a pool"):
        market(town.house.chain, town.launch("open"))
