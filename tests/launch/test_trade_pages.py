"""Buying and selling on a token's page over real HTTP: what is said before a trade is what the pool does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from mercato.api.testing import serve
from mercato.app import SECTIONS, Room, create_app
from mercato.chains import Call
from mercato.core.clock import HandClock
from mercato.core.settings import load
from mercato.launch.testing import House, application
from mercato.launch.words import exact_tokens, tokens
from mercato.store.testing import sqlite_store
from tests.launch.town import BIDDER, DOLLAR, sign_in

HTML, JSON = {"accept": "text/html"}, {"accept": "application/json"}
OTHER = "0x" + "bb" * 20


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    store = sqlite_store(tmp_path_factory.mktemp("store"))
    yield House.open(store, HandClock(datetime(2026, 3, 2, 12, tzinfo=UTC)))
    store.close()


@pytest.fixture(scope="module")
def id(house: House) -> str:
    launch = house.scheduled(application())
    house.to_open(launch)
    house.bid(launch, OTHER, 20, 1000 * DOLLAR)
    house.over(launch)
    house.room.keep(launch.id)
    house.room.sync(launch.id)
    house.chain.mine(seconds=3600)
    return launch.id


@pytest.fixture
def client(house: House, id: str, tmp_path: Path) -> Iterator[httpx.Client]:
    settings = load(*SECTIONS, home=tmp_path)
    with (
        serve(create_app(settings, house.room.store, [Room("launch", house.room)], worker=False)) as address,
        httpx.Client(base_url=f"{address}/launch/{id}", timeout=60, headers=HTML) as made,
    ):
        yield made


def offer(client: httpx.Client, **asked: str) -> str:
    """What the page says that a trade would give, entities read."""
    return unescape(client.get("/trade", params=asked).text)


def post(client: httpx.Client, **given: str) -> httpx.Response:
    return client.post("/trade", data={"account": BIDDER.address, "side": "buy", **given}, headers=JSON)


def sent(house: House, answer: httpx.Response) -> list[dict[str, Any]]:
    """Sends the steps of an answer as a wallet would."""
    steps: list[dict[str, Any]] = answer.json()["steps"]
    for step in steps:
        fields = step["transaction"]
        house.chain.send(Call(fields["from"], fields["to"], bytes.fromhex(fields["data"][2:])))
    return steps


def held(house: House, id: str) -> int:
    found: int = house.room.balances(id, BIDDER.address)[1]
    return found


def test_a_purchase_and_a_sale_do_what_the_page_said(house: House, id: str, client: httpx.Client) -> None:
    house.fund(BIDDER.address, 100 * DOLLAR)
    found = house.room.quote(id, buys=True, amount=40 * DOLLAR)
    said = offer(client, side="buy", amount="40")
    bought = sent(house, post(client, amount="40"))
    had = held(house, id)
    again = offer(client, side="sell", amount=exact_tokens(had))
    sold = sent(house, post(client, side="sell", amount=exact_tokens(had)))

    assert f"You would get {tokens(found.received)}" in said
    assert all(words in said for words in ("At least", "Fee", "1.00% of the dollars", "Price impact", "void 20 min"))
    assert had == found.received
    assert bought[0]["title"].startswith("Allow the contract")
    assert ("You would get $39" in again, held(house, id)) == (True, 0)
    assert len(sold) == 2


def test_a_trade_gives_no_less_than_the_page_showed(house: House, id: str, client: httpx.Client) -> None:
    house.fund(BIDDER.address, 20 * DOLLAR)
    seen = re.findall(r'name="seen" value="([^"]+)"', offer(client, side="buy", amount="20", slippage="0.5"))[0]
    house.fund(OTHER, 200 * DOLLAR)
    house.sign(house.room.prepare_trade(id, OTHER, buys=True, amount=200 * DOLLAR))
    late = post(client, amount="20", slippage="0.5", seen=seen)
    fresh = post(client, amount="20", slippage="0.5", seen="buy:1:50:9")

    assert (late.status_code, "pool: too little out" in late.json()["detail"]) == (409, True)
    assert fresh.status_code == 200


def test_a_trade_without_the_money_is_refused_with_the_reason(client: httpx.Client) -> None:
    answer = post(client, amount="9000000")

    assert answer.status_code == 409
    assert "was refused by the contract: " in answer.json()["detail"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"amount": ""}, "Write an amount"),
        ({"amount": "ten"}, "amount was 'ten'"),
        ({"amount": "0"}, "it was nothing"),
        ({"amount": "0.000001"}, "it would give nothing"),
        ({"amount": "1.1234567"}, "at most 6 decimals"),
        ({"amount": "1", "slippage": "100"}, "less than 100"),
        ({"amount": "1", "slippage": "-1"}, "slippage was '-1'"),
        ({"amount": "1", "minutes": "0"}, "a whole number from 1 to 1440"),
        ({"amount": "1" + "0" * 40}, "it lies between 1 and 2**112"),
        ({"amount": "1", "side": "hold"}, "side was 'hold'"),
    ],
)
def test_an_offer_says_what_is_wrong(client: httpx.Client, asked: dict[str, str], said: str) -> None:
    answer = client.get("/trade", params={"side": "buy", **asked})

    assert answer.status_code == 200
    assert said in unescape(answer.text)


def test_without_a_script_the_page_shows_the_offer_and_the_unsigned_transactions(
    house: House, client: httpx.Client
) -> None:
    house.fund(BIDDER.address, 10 * DOLLAR)
    page = unescape(client.get("/token", params={"side": "buy", "amount": "5", "account": BIDDER.address}).text)
    given = {"account": BIDDER.address, "side": "buy", "amount": "5", "slippage": "2", "minutes": "30"}
    steps = unescape(client.post("/trade", data=given).text)
    wrong = client.post("/trade", data={**given, "amount": "five"})

    assert "You would get" in page
    assert f'value="{BIDDER.address}"' in page
    assert all(words in steps for words in ("Nothing was sent", "buy(uint256,uint256,uint256,address)"))
    assert f"5000000 --from {BIDDER.address} --slippage-bps 200 --within 1800" in steps
    assert (wrong.status_code, "amount was 'five'" in unescape(wrong.text)) == (422, True)


def test_who_is_signed_in_reads_what_may_be_sold(house: House, id: str, client: httpx.Client) -> None:
    house.fund(BIDDER.address, 10 * DOLLAR)
    sent(house, post(client, amount="1"))
    with httpx.Client(base_url=str(client.base_url).split("/launch")[0], timeout=60) as visitor:
        sign_in(visitor, BIDDER)
        said = visitor.get(f"/launch/{id}/trade").text

    assert f"and {exact_tokens(held(house, id))} " in said
