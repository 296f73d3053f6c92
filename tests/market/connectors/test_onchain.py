from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from mercato.chains import Address, Hash, Log, LogQuery
from mercato.chains.model import ZERO, Block
from mercato.core.clock import HandClock
from mercato.market.connectors.onchain import SWAP, SWAPPED, SYNC, TRANSFER, Follower, Listing, document
from mercato.market.layers.parsers import parser
from mercato.market.model import Query, RawDocument
from mercato.market.service import Market
from mercato.store import Store, migrate

TOKEN, POOL = Address("0x" + "11" * 20), Address("0x" + "22" * 20)
DOLLAR, VESTING = Address("0x" + "33" * 20), Address("0x" + "44" * 20)
TRADER = Address("0x" + "55" * 20)
LISTING = Listing(
    "local:court", "COURT", "Courtside", "ai-agents", "mercato", TOKEN, POOL, DOLLAR, (VESTING,), date(2026, 1, 1)
)
MIDNIGHT = 1_767_225_600  # 2026-01-01
UNIT, CENTS = 10**18, 10**6


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big") for value in values)


def account(address: str) -> bytes:
    return bytes(12) + bytes.fromhex(address[2:])


def log(block: int, address: Address, topics: tuple[bytes, ...], data: bytes, index: int = 0) -> Log:
    return Log(address, topics, data, block, Hash(f"0x{block:064x}"), Hash(f"0x{block:060x}{index:04x}"), index)


def transfer(block: int, giver: str, taker: str, amount: int, index: int = 0) -> Log:
    return log(block, TOKEN, (TRANSFER, account(giver), account(taker)), words(amount), index)


def trade(block: int, buy: int, paid: int, got: int, tokens: int, dollars: int) -> Log:
    return log(block, POOL, (SWAPPED, account(TRADER)), words(buy, paid, got, 0, tokens, dollars))


@dataclass(frozen=True)
class Written:
    """A chain of one block an hour that holds these logs."""

    held: tuple[Log, ...]
    newest: int

    def logs(self, query: LogQuery) -> list[Log]:
        return [
            item
            for item in self.held
            if query.first <= item.block <= query.last
            and item.address in query.addresses
            and all(not wanted or item.topics[place] in wanted for place, wanted in enumerate(query.topics))
        ]

    def block(self, number: int | None = None) -> Block:
        here = self.newest if number is None else number
        return Block(here, Hash(f"0x{here:064x}"), Hash("0x"), MIDNIGHT + 3600 * here, (), 0, 0)


WHOLE, LOCKED = 1000 * UNIT, 150 * UNIT
HISTORY = (
    transfer(0, ZERO, TRADER, WHOLE),
    transfer(0, TRADER, VESTING, LOCKED, 1),
    trade(1, 1, 10 * CENTS, 5 * UNIT, 100 * UNIT, 200 * CENTS),
    trade(2, 0, 4 * UNIT, 8 * CENTS, 104 * UNIT, 192 * CENTS),
    transfer(20, TRADER, ZERO, 50 * UNIT),
    trade(23, 1, 20 * CENTS, 10 * UNIT, 94 * UNIT, 212 * CENTS),
    trade(30, 1, 30 * CENTS, 12 * UNIT, 82 * UNIT, 242 * CENTS),
)


def raw(history: tuple[Log, ...] = HISTORY, first: int = 0, last: int = 40) -> RawDocument:
    now = datetime(2026, 1, 5, tzinfo=UTC)
    return document(Written(history, last), "eip155:31337", [LISTING], first, last, source="simulated:local", now=now)


def rows(given: RawDocument) -> dict[tuple[str, str], float]:
    found = parser(given.parser)(given).tables["observations"].to_pylist()
    return {(row["field"], row["valid_time"].strftime("%d %H")): row["value"] for row in found}


def test_prices_are_hourly_and_volume_depth_and_supply_are_of_the_day() -> None:
    assert rows(raw()) == {
        ("price_usd", "01 01"): 2.0,
        ("price_usd", "01 02"): 192 / 104,
        ("price_usd", "01 23"): 212 / 94,
        ("price_usd", "02 06"): 242 / 82,
        ("volume_usd_24h", "01 23"): 38.0,
        ("liquidity_usd", "01 23"): 424.0,
        ("supply_onchain", "01 23"): 800.0,
        ("supply_max", "01 23"): 950.0,
        ("volume_usd_24h", "02 06"): 30.0,
        ("liquidity_usd", "02 06"): 484.0,
        ("supply_onchain", "02 06"): 800.0,
        ("supply_max", "02 06"): 950.0,
    }


def test_each_row_leads_to_its_log_with_block_and_transaction() -> None:
    given = raw()
    last = max(parser(given.parser)(given).tables["observations"].to_pylist(), key=lambda row: row["valid_time"])
    source = json.loads(given.content)["logs"][last["row"] - 1]

    assert (source["block"], source["transaction"]) == (30, HISTORY[-1].transaction)


def test_the_asset_comes_with_the_document() -> None:
    given = raw()
    (asset,) = parser(given.parser)(given).assets

    assert (asset.asset_id, asset.home_chain, asset.platform) == ("local:court", "eip155:31337", "mercato")
    assert asset.deployments == (f"eip155:31337/erc20:{TOKEN}",)


def test_a_pair_of_uniswap_v2_is_read_by_its_sync_and_swap() -> None:
    pair = (
        transfer(0, ZERO, TRADER, WHOLE),
        log(5, POOL, (SYNC,), words(100 * UNIT, 200 * CENTS)),
        log(5, POOL, (SWAP, account(TRADER), account(TRADER)), words(0, 10 * CENTS, 5 * UNIT, 0), 1),
    )

    found = rows(raw(pair))

    assert (found["price_usd", "01 05"], found["volume_usd_24h", "01 05"]) == (2.0, 10.0)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"chain":"x","listings":[{}],"times":{},"logs":[]}', b'{"chain":"x","listings":3}'],
)
def test_what_is_no_document_of_logs_is_refused_with_a_reason(content: bytes) -> None:
    given = RawDocument(content, "onchain", "onchain.logs/1", datetime(2026, 1, 5, tzinfo=UTC), "a test")
    parsed = parser(given.parser)(given)

    assert parsed.tables["observations"].num_rows == 0
    assert [item.row for item in parsed.rejected] == [0]


@pytest.mark.parametrize("broken", [{"data": "zz"}, {"topics": []}, {"data": "00"}, {"block": 99}])
def test_a_log_that_cannot_be_read_is_refused_alone(broken: dict[str, Any]) -> None:
    given = raw()
    body = json.loads(given.content)
    body["logs"][-1] |= broken
    parsed = parser(given.parser)(
        RawDocument(json.dumps(body).encode(), given.source, given.parser, given.observed_at, given.request)
    )

    assert [item.row for item in parsed.rejected] == [len(body["logs"])]
    assert parsed.tables["observations"].num_rows == 7


@pytest.fixture
def market(tmp_path: Path) -> Any:
    store = Store(f"sqlite:///{tmp_path / 'mercato.db'}")
    migrate(store)
    yield Market(store, tmp_path, HandClock(datetime(2026, 1, 5, tzinfo=UTC)))
    store.close()


def test_following_goes_on_with_the_day_that_was_not_over_and_ends_where_nothing_is_new(market: Market) -> None:
    now = market.clock.now()
    for newest, said in ((10, True), (10, False), (30, True), (40, True)):
        held = tuple(item for item in HISTORY if item.block <= newest)
        chain = Written(held, newest)
        follower = Follower(market, chain, "eip155:31337", "simulated:local", lambda: [LISTING])

        assert follower.follow(now) is said

    assert [item.request.partition("blocks ")[2] for item in market.segments()] == ["0 to 10", "0 to 30", "24 to 40"]
    level = market.metric("sector-level", Query(date(2026, 1, 2))).figure("level")
    assert (level.value, level.flags[-1]) == ("2360.97561", "simulated")
