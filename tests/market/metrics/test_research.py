"""Level, index and decomposition on real closes and real monthly supplies, against sums made here row by row."""

import csv
import gzip
from collections import defaultdict
from datetime import date, timedelta
from math import prod

import pytest

from mercato.market.metrics.decompose import decompose
from mercato.market.metrics.index import linked, price_links
from mercato.market.metrics.level import members, sector_level
from mercato.market.model import Query
from mercato.market.testing import days, inputs

FIRST, LAST = date(2024, 10, 20), date(2025, 1, 4)
SPAN = (LAST - FIRST).days
NOT_AI = {"BTC", "ETH", "SOL", "BNB", "XRP", "DOGE"}


def table(path):
    with gzip.open(path, "rt") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def supplies(research):
    """Circulating supply by ticker and month start, as one vendor published it then."""
    found: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for row in table(research / "cmc_monthly_top200_2020_2025.csv.gz"):
        found[row["Symbol"]].append((row["snapshot_date"], float(row["Circulating Supply"])))
    return found


@pytest.fixture(scope="module")
def caps(research, supplies):
    """Price and supply by day and ticker; a token whose supply was not published yet has its first known one."""
    found: dict[date, dict[str, tuple[float, float]]] = defaultdict(dict)
    for row in table(research / "bybit_daily_ohlcv_ai_and_majors.csv.gz"):
        known = [at for at in supplies[row["symbol"]] if at[0] >= "20240701"]
        if known and row["symbol"] not in NOT_AI and FIRST.isoformat() <= row["date"] <= LAST.isoformat():
            past = [value for day, value in known if day <= row["date"].replace("-", "")]
            found[date.fromisoformat(row["date"])][row["symbol"]] = (float(row["close"]), [known[0][1], *past][-1])
    return found


@pytest.fixture(scope="module")
def given(duck, caps):
    return inputs(
        duck,
        panel=[
            days(name, day, [price * supply], supply=supply, price=price)[0]
            for day, prices in caps.items()
            for name, (price, supply) in prices.items()
        ],
    )


def test_the_sum_of_caps_rose_more_than_the_tokens_did(given, duck, caps):
    level = sector_level(given, Query(as_of=LAST, days=SPAN))
    pairs = duck.rows(price_links(members(given.panel, "ai", None, LAST), FIRST, LAST))
    index = linked(pairs, FIRST)[LAST] / 1000 - 1
    sums = {day: sum(price * supply for price, supply in prices.values()) for day, prices in caps.items()}
    links = [
        sum(caps[day][name][0] * caps[day - timedelta(days=1)][name][1] for name in set(caps[day]) & set(before))
        / sum(price * supply for name, (price, supply) in before.items())
        for day, before in ((day + timedelta(days=1), prices) for day, prices in caps.items() if day < LAST)
    ]

    assert float(level.figure("change").value or 0) == pytest.approx(sums[LAST] / sums[FIRST] - 1, rel=1e-8)
    assert index == pytest.approx(prod(links) - 1, rel=1e-8)
    assert (len(caps[FIRST]), len(caps[LAST])) == (11, 13)
    assert float(level.figure("change").value or 0) == pytest.approx(0.523, abs=0.001)
    assert index == pytest.approx(0.405, abs=0.001)


def test_what_the_sum_rose_beyond_the_prices_is_supply_and_newcomers(given):
    result = decompose(given, Query(as_of=LAST, days=SPAN))
    found = {item.name: float(item.value or 0) for item in result.figures}
    entries = next(grid for grid in result.grids if grid.name == "membership").rows

    assert {row[1] for row in entries} == {"GOAT", "VIRTUAL"}
    assert found["entry"] > 0
    assert found["exit"] == 0
    assert found["price"] < found["change"]
