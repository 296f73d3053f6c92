"""Trading in a launch's pool: quotes that hold to the unit, transactions that give no less than they say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from mercato.api.testing import serve
from mercato.app import SECTIONS, Room, create_app
from mercato.core.clock import HandClock
from mercato.core.errors import Conflict, InvalidInput
from mercato.core.settings import load
from mercato.launch import shapes
from mercato.launch.contracts import at
from mercato.launch.model import Launch
from mercato.launch.settings import LaunchSettings
from mercato.launch.testing import House, application
from mercato.store import Store

ANN, BOB = "0x" + "aa" * 20, "0x" + "bb" * 20
DOLLAR = 10**6


@pytest.fixture
def house(store: Store, clock: HandClock, settings: LaunchSettings) -> House:
    return House.open(store, clock, settings)


@pytest.fixture
def live(house: House) -> Launch:
    launch = house.scheduled(application())
    house.to_open(launch)
    house.bid(launch, ANN, 20, 1000 * DOLLAR)
    house.over(launch)
    house.room.keep(launch.id)
    house.sign(house.room.prepare_claim(launch.id, ANN, 20))
    return house.room.launch(launch.id)


def tokens(house: House, launch: Launch, account: str) -> int:
    found: int = at(house.chain, "agent_token", house.contracts(launch).token).read("balanceOf", account)
    return found


def test_a_purchase_and_a_sale_give_what_was_quoted_in_their_block(house: House, live: Launch) -> None:
    house.chain.mine(seconds=3600)
    house.fund(BOB, 50 * DOLLAR)
    bought = house.room.quote(live.id, buys=True, amount=50 * DOLLAR)
    house.sign(house.room.prepare_trade(live.id, BOB, buys=True, amount=50 * DOLLAR))
    held = tokens(house, live, BOB)
    sold = house.room.quote(live.id, buys=False, amount=held)
    house.sign(house.room.prepare_trade(live.id, BOB, buys=False, amount=held, slippage_bps=0))

    assert held == bought.received
    assert house.dollars(BOB) == sold.received < 50 * DOLLAR
    assert (bought.fee_ppm, sold.fee_ppm) == (10_000, 10_000)
    assert [swap.buys for swap in house.room.market(live.id).swaps] == [True, False]


def test_a_trade_that_others_made_worse_than_it_allows_is_refused(house: House, live: Launch) -> None:
    house.chain.mine(seconds=3600)
    house.fund(BOB, 500 * DOLLAR)
    approve, buy = house.room.prepare_trade(live.id, BOB, buys=True, amount=100 * DOLLAR, slippage_bps=100)
    house.fund(ANN, 200 * DOLLAR)
    house.sign(house.room.prepare_trade(live.id, ANN, buys=True, amount=200 * DOLLAR))
    house.sign([approve])
    (outcome,) = house.chain.simulate([buy.call])
    house.chain.mine(seconds=1201)
    (late,) = house.chain.simulate([buy.call])

    assert outcome.reason == "pool: too little out"
    assert late.reason == "pool: too late"


def test_an_early_trade_pays_the_opening_fee(house: House, live: Launch) -> None:
    early = house.room.quote(live.id, buys=True, amount=10 * DOLLAR)
    house.chain.mine(seconds=900)
    later = house.room.quote(live.id, buys=True, amount=10 * DOLLAR)

    assert 49_000 < early.fee_ppm <= 50_000
    assert 29_000 < later.fee_ppm < 31_000
    assert early.impact_ppm > later.impact_ppm > 0


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (lambda room, id: room.quote(id, buys=True, amount=0), InvalidInput),
        (lambda room, id: room.quote(id, buys=True, amount=2**112), InvalidInput),
        (lambda room, id: room.prepare_trade(id, BOB, buys=True, amount=1, slippage_bps=10_000), InvalidInput),
        (lambda room, id: room.prepare_trade(id, BOB, buys=True, amount=1, patience=59), InvalidInput),
        (lambda room, id: room.prepare_trade(id, BOB, buys=True, amount=1, patience=86_401), InvalidInput),
        (lambda room, id: room.prepare_trade(id, "me", buys=True, amount=1), InvalidInput),
    ],
)
def test_a_trade_that_cannot_be_right_is_refused(
    house: House, live: Launch, ask: Callable[..., object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        ask(house.room, live.id)


def test_there_is_no_market_before_there_is_a_pool(house: House) -> None:
    launch = house.scheduled(application())

    for ask in (
        lambda: house.room.market(launch.id),
        lambda: house.room.quote(launch.id, buys=True, amount=1),
        lambda: house.room.prepare_trade(launch.id, BOB, buys=True, amount=1),
    ):
        with pytest.raises(Conflict, match="without a pool"):
            ask()


def test_the_api_gives_the_market_quotes_and_trades_for_wallets(
    house: House, live: Launch, store: Store, tmp_path: Path
) -> None:
    house.fund(BOB, 50 * DOLLAR)
    house.sign(house.room.prepare_trade(live.id, BOB, buys=True, amount=20 * DOLLAR))
    app = create_app(load(*SECTIONS, home=tmp_path), store, [Room("launch", house.room)], worker=False)
    with serve(app) as address, httpx.Client(base_url=f"{address}/api/launch/launches/{live.id}", timeout=60) as http:
        market = http.get("/market").json()
        quote = http.get("/quote", params={"side": "sell", "amount": str(10**18)}).json()
        body = {"trader": BOB, "side": "buy", "amount": str(DOLLAR)}
        approve, buy = http.post("/transactions/trade", json=body).json()
        *_, kept = http.post("/transactions/trade", json={**body, "least": "10", "patience": 60}).json()
        *_, more = http.post("/transactions/trade", json={**body, "least": str(10**30)}).json()
        wrong = [http.post("/transactions/trade", json={**body, **one}) for one in ({"side": "hold"}, {"patience": 59})]

    assert market == shapes.market(house.room.market(live.id), 50)
    assert market["liquidity"]["as_built"]
    assert (market["trades"][0]["side"], market["trades"][0]["given"]) == ("buy", str(20 * DOLLAR))
    assert (quote["side"], quote["given"]) == ("sell", str(10**18))
    assert approve["function"] == "approve(address,uint256)"
    assert (buy["function"], buy["refusal"]) == ("buy(uint256,uint256,uint256,address)", "")
    assert int(quote["least"]) == int(quote["received"]) * 9900 // 10_000
    assert int(quote["after_q96"]) < int(quote["price_q96"])
    assert int(kept["arguments"]["min_out"]) == int(buy["arguments"]["min_out"]) > 10
    assert int(buy["arguments"]["deadline"]) - int(kept["arguments"]["deadline"]) == 1140
    assert (more["refusal"], more["arguments"]["min_out"]) == ("pool: too little out", str(10**30))
    assert [answer.status_code for answer in wrong] == [422, 422]


def test_holders_and_supply_add_up(house: House, live: Launch) -> None:
    market = house.room.market(live.id)

    assert sum(amount for _, amount in market.holders) == market.supply
    assert market.supply + market.burnt == live.application.terms.supply
