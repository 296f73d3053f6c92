"""Prices come from the market room's own panel, and only where it has them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from mercato.kit.desk.holdings import made_up
from mercato.kit.desk.valuation import Prices
from mercato.kit.testing import DOLLAR, USD, nobody_knows
from mercato.market.service import Market
from tests.market.simulated import market

ASSETS = f"""
[[asset]]
asset_id = "sim:dollar"
symbol = "SIMD"
name = "Dollar (made up)"
kind = "token"
deployments = ["{DOLLAR.replace(USD, USD.upper().replace("0X", "0x"))}"]
"""
ROWS = """asset_id,field,valid_time,value
sim:dollar,price_usd,2025-10-20,0.9991
ethereum,price_usd,2025-10-20,4000.25
ethereum,price_usd,2025-10-25,4100.5
"""
FIRST, SECOND = date(2025, 10, 20), date(2025, 10, 25)
COIN, BASE = "eip155:1/slip44:60", "eip155:8453/slip44:60"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    folder: Path = tmp_path_factory.mktemp("market")
    made = market(folder)
    (folder / "assets.toml").write_text(ASSETS)
    (folder / "prices.csv").write_text(ROWS)
    made.import_file(folder / "prices.csv", "simulated:test", assets=folder / "assets.toml")
    yield made
    made.store.close()


def test_a_token_is_found_by_its_contract_and_a_coin_by_its_chain(filled: Market) -> None:
    price = Prices(filled).of([DOLLAR, COIN, BASE])

    assert price(DOLLAR, FIRST) == Fraction("0.9991")
    assert (price(COIN, FIRST), price(BASE, SECOND)) == (Fraction("4000.25"), Fraction("4100.5"))


def test_a_price_may_be_three_days_old_and_not_older(filled: Market) -> None:
    price = Prices(filled).of([COIN])
    known = [price(COIN, date(2025, 10, day)) for day in (19, 20, 23, 24)]

    assert known == [None, Fraction("4000.25"), Fraction("4000.25"), None]


def test_what_the_market_does_not_know_has_no_price(filled: Market, tmp_path: Path) -> None:
    empty = market(tmp_path)
    unknown = DOLLAR.replace("d0", "0d")

    assert Prices(filled).of([unknown])(unknown, FIRST) is None
    assert Prices(empty).of([COIN])(COIN, FIRST) is None
    assert nobody_knows([COIN])(COIN, FIRST) is None
    empty.store.close()


def test_made_up_data_says_so(filled: Market, tmp_path: Path) -> None:
    empty = market(tmp_path)

    assert Prices(filled).made_up
    assert not Prices(empty).made_up
    empty.store.close()


@pytest.mark.parametrize(
    ("chain", "nobodys"),
    [
        ("eip155:31337", True), ("eip155:1", False), ("eip155:8453", False), ("", False),
        ("solana:H1jXFdTQ8KxuBKm1pbJwe1vkWqVNR2DU", True),
        ("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", False), ("solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1", True),
    ],
)  # fmt: skip
def test_money_of_a_development_chain_is_nobodys(chain: str, nobodys: bool) -> None:
    assert made_up(chain) is nobodys
