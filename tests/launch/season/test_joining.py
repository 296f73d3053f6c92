"""A person at the local economy: with a wallet over JSON-RPC, and with a browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from mercato.api.testing import serve
from mercato.app import SECTIONS, Room, create_app
from mercato.chains import Address, Deployed
from mercato.chains.facade import Facade
from mercato.chains.service import Indexer
from mercato.chains.signing import Key
from mercato.chains.testing import ACCOUNTS, KEYS
from mercato.core.settings import load
from mercato.launch.contracts import at
from mercato.launch.season.economy import Economy
from mercato.launch.season.progress import Board, Progress
from mercato.launch.states import State
from mercato.launch.testing import application as sample
from mercato.market.jobs import newest_day
from mercato.market.report.reporting import refresh
from mercato.market.service import Market
from mercato.store import Store
from tests.launch.season.conftest import Past, alive, opened

pytestmark = pytest.mark.xdist_group("season-present")  # one worker lives the season for all of these
DOLLARS = 2_500 * 10**6
KEY, WHO = Key(KEYS[3]), ACCOUNTS[3]


@dataclass
class Present:
    """A local economy whose season is over, with its market."""

    home: Path
    store: Store
    economy: Economy
    market: Market


@pytest.fixture(scope="module")
def present(past: Past, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Present]:
    home = tmp_path_factory.mktemp("present")
    store = past.again(home)
    economy = opened(home, store)
    life, market = alive(home, store, economy, [])
    life.catch_up()
    yield Present(home, store, economy, market)
    economy.close()
    store.close()


class Wallet:
    """Signs with a key that the chain does not know, and speaks to it by JSON-RPC alone."""

    def __init__(self, url: str) -> None:
        self._url = url

    def ask(self, method: str, *params: Any) -> Any:
        answer = httpx.post(self._url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).json()
        assert "error" not in answer, answer
        return answer["result"]

    def send(self, contract: Deployed, function: str, *args: object) -> dict[str, Any]:
        call = contract.call(function, *args, sender=WHO)
        fields = {
            "chainId": self.ask("eth_chainId"),
            "nonce": self.ask("eth_getTransactionCount", WHO, "latest"),
            "maxFeePerGas": self.ask("eth_gasPrice"),
            "gas": 1_000_000,
            "to": contract.address,
            "data": call.data,
        }
        sent = self.ask("eth_sendRawTransaction", "0x" + KEY.transaction(fields).hex())
        found: dict[str, Any] = self.ask("eth_getTransactionReceipt", sent)
        return found


def test_a_signed_bid_over_json_rpc_joins_the_open_auction_and_survives_a_restart(present: Present) -> None:
    launches = present.economy.launches
    (launch,) = launches.launches([State.OPEN])
    assert launch.contracts is not None
    auction = at(present.economy.chain, "auction", launch.contracts.auction)
    dollar, before = present.economy.office.dollar, launches.demand(launch.id).total
    with Facade(present.economy.chain, 0, development=False) as facade:
        wallet = Wallet(facade.url)
        receipts = [
            wallet.send(dollar, "faucet", WHO, DOLLARS),
            wallet.send(dollar, "approve", auction.address, DOLLARS),
            wallet.send(auction, "bid", 40, DOLLARS),
        ]
    (position,) = launches.positions(launch.id, WHO)
    present.economy.close()
    present.economy = opened(present.home, present.store)
    (again,) = present.economy.launches.positions(launch.id, WHO)

    assert [receipt["status"] for receipt in receipts] == ["0x1", "0x1", "0x1"]
    assert launches.demand(launch.id).total == before + DOLLARS
    assert (position.level, position.amount) == (40, DOLLARS) == (again.level, again.amount)


def test_a_person_trades_in_a_pool_beside_the_simulated_ones(present: Present) -> None:
    chain = present.economy.chain
    launch = present.economy.launches.launches([State.LIVE])[0]
    assert launch.contracts is not None
    assert launch.contracts.pool is not None
    pool, token = at(chain, "pool", launch.contracts.pool), at(chain, "agent_token", launch.contracts.token)
    expected, _ = pool.read("quote_buy", DOLLARS)
    with Facade(chain, 0, development=False) as facade:
        wallet = Wallet(facade.url)
        wallet.send(present.economy.office.dollar, "faucet", WHO, DOLLARS)
        wallet.send(present.economy.office.dollar, "approve", pool.address, DOLLARS)
        bought = wallet.send(pool, "buy", DOLLARS, expected, 2**40, WHO)

    assert bought["status"] == "0x1"
    assert token.read("balanceOf", Address(WHO)) == expected


def test_pages_say_that_it_is_simulated_and_where_the_season_is(present: Present) -> None:
    day = newest_day(present.market)
    assert day is not None
    refresh(present.market, day)
    settings, board = load(*SECTIONS, home=present.home), Board()
    rooms = [
        Room("market", present.market), Room("launch", present.economy.launches),
        Room("chains", Indexer(present.store, present.economy.chain)), Room("launch.season", board),
    ]  # fmt: skip
    board.post(Progress("living", 12, 36, "Courtside applies", 300))
    with serve(create_app(settings, present.store, rooms, worker=False)) as address:
        paths = ("/", "/market/tokens", "/market/chains", "/launch")
        during = [httpx.get(address + path).text for path in paths]
        board.post(Progress("live"))
        after = [httpx.get(address + path).text for path in paths]

    assert all("Simulated season:</b> day 12 of 36 (Courtside applies)" in page for page in during)
    assert not any("Simulated season" in page for page in after)
    assert all("imulated" in page for page in after)
    assert all(name in after[3] for name in ("Courtside", "Tidal Swarm", "Mender", "Night Owl", "Marginalia"))


def test_simulated_reviewers_carry_a_persons_application_on_and_say_what_they_are(
    present: Present,
) -> None:
    room, office = present.economy.launches, present.economy.office
    mine = room.apply(sample(symbol="MINE", applicant=WHO))
    office.dollar.send("faucet", WHO, 10**9, sender=WHO)
    for request in room.deposit(mine.id):
        present.economy.chain.send(request.call)
    room.submit(mine.id)
    for _ in range(2):
        office.welcome()
    (review,) = room.reviews(mine.id)

    assert room.launch(mine.id).state is State.APPROVED
    assert {seat.card.comment for seat in review.seats if seat.card} == {
        "A simulated reviewer's card: drawn, not judged."
    }
