"""The curated choice and the panel (M0, M1, M2) mean the same on DuckDB and on Spark."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mercato.market import schema
from mercato.market.layers.curated import curated
from mercato.market.layers.newday import day_facts, day_highs, day_rows
from mercato.market.layers.panel import FACTS, facts, last_facts, panel
from mercato.market.layers.segments import Origin, write_daily
from mercato.market.testing import table
from mercato.store.analytics import Engine
from mercato.store.statements import Statement
from tests.market.metrics.golden import differences

FIRST = date(2025, 1, 1)
LAST = FIRST + timedelta(days=44)
ASSETS = [
    {"asset_id": "one", "symbol": "ONE", "name": "One", "kind": "token", "sector": "ai-agents", "wraps": ""},
    {"asset_id": "two", "symbol": "TWO", "name": "Two", "kind": "token", "sector": "ai-agents", "wraps": ""},
    {"asset_id": "wrapped", "symbol": "W", "name": "W", "kind": "token", "sector": "ai-agents", "wraps": "one"},
    {"asset_id": "firm", "symbol": "FIRM", "name": "Firm", "kind": "equity", "sector": "giants", "wraps": ""},
]


def said(asset_id: str, field: str, day: int, value: float, source: str = "a") -> dict[str, object]:
    at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=day, hours=20)
    shared = {"asset_id": asset_id, "field": field, "day": FIRST + timedelta(days=day), "valid_time": at}
    values = {"value": value, "low": value * 0.9, "high": value * 1.1, "observations": 1}
    return shared | values | {"source": source, "observed_at": at, "raw_sha": source * 64}


def history() -> list[dict[str, object]]:
    """Gaps of every age, a jump that nobody confirms, two sources that differ, caps without prices, supplies."""
    steady = {day: 2.0 + day % 2 / 10 for day in range(45)} | {30: 40.0}
    rows = [said("one", "price_usd", day, price) for day, price in steady.items()]
    rows += [said("two", "price_usd", day, 5.0 + day) for day in (0, 1, 4, 8, 9, 20, 21, 22)]
    rows += [said("two", "price_usd", day, 6.0 + day, "b") for day in (1, 4, 9)]
    rows += [said("two", "volume_usd_24h", day, 100.0 * (day + 1), "b") for day in (1, 9)]
    rows += [said("one", "volume_usd_24h", day, 10.0 + day) for day in range(0, 45, 3)]
    rows += [said("one", "supply_circulating", 0, 1e6), said("one", "supply_onchain", 3, 9.5e5)]
    rows += [said("two", "supply_total", 2, 7e9), said("two", "supply_self_reported", 12, 6e9)]
    rows += [said("wrapped", "price_usd", day, 2.0) for day in range(0, 45, 2)]
    rows += [said("firm", "market_cap_usd", 1, 3.1e12), said("firm", "shares_outstanding", 10, 2.4e10)]
    return rows + [said("firm", "price_usd", day, 140.0 + day) for day in (10, 13, 14)]


def chosen(engine: Engine) -> list[dict[str, object]]:
    rows = curated(engine, table(engine, schema.DAILY, history()), sources=2)
    return engine.rows(rows.order_by("asset_id", "field", "day"))


def paneled(engine: Engine) -> list[dict[str, object]]:
    rows = table(engine, schema.CURATED, chosen(engine))
    who = table(engine, schema.ASSETS, ASSETS)
    middle = FIRST + timedelta(days=20)
    early = rows.filter(rows.day <= middle)
    known = engine.table(engine.run(last_facts(facts(early))))
    parts = (
        panel(engine, rows, who, FIRST, middle),
        panel(engine, rows, who, middle + timedelta(days=1), LAST, known),
    )
    keys = [("asset_id", "ascending"), ("day", "ascending")]
    return [row for part in parts for row in engine.run(part).sort_by(keys).to_pylist()]


def one_more_day(engine: Engine, best: list[dict[str, object]]) -> list[dict[str, object]]:
    """Returns the facts, panel rows and highs of a day, from curated rows and what was known before it."""
    rows, who = table(engine, schema.CURATED, best), table(engine, schema.ASSETS, ASSETS)
    day = FIRST + timedelta(days=10)
    before = engine.table(engine.run(last_facts(facts(rows.filter(rows.day < day)))), FACTS)
    tops = [
        {"asset_id": name, "ath": ath, "intraday": 30.0, "ath_day": FIRST, "intraday_day": FIRST}
        for name, ath in (("one", 1.5), ("two", 20.0))
    ]
    known = engine.run(Statement(day_facts, curated=rows, before=before, day=day))
    fields = tuple(sorted(set(known["field"].to_pylist())))
    asked = Statement(day_rows, facts=engine.table(known, FACTS), curated=rows, assets=who, day=day, fields=fields)
    found = engine.run(asked)
    built, older = engine.table(found, schema.PANEL), table(engine, schema.HIGHS, tops)
    highs = engine.run(Statement(day_highs, panel=built, before=older, day=day))
    return [row for part in (known, found, highs) for row in sorted(part.to_pylist(), key=repr)]


@pytest.mark.spark
def test_the_curated_choice_is_the_same_on_spark(duck: Engine, spark: Engine) -> None:
    here = chosen(duck)

    assert {"single/1", "median/1", "jump-rejected/1"} <= {row["rule"] for row in here}
    assert differences(here, chosen(spark)) == []


@pytest.mark.spark
def test_the_panel_is_the_same_on_spark(duck: Engine, spark: Engine) -> None:
    here = paneled(duck)

    assert {"fresh", "carried", "stale", "inactive"} <= {row["state"] for row in here}
    assert {"A", "B", "C", "D", "V"} <= {row["supply_tier"] for row in here}
    assert differences(here, paneled(spark)) == []


@pytest.mark.spark
def test_one_more_day_is_the_same_on_spark(duck: Engine, spark: Engine) -> None:
    best = chosen(duck)
    here = one_more_day(duck, best)

    assert {row["asset_id"]: row["ath"] for row in here if "ath" in row} == {"one": 2.0, "two": 20.0}
    assert differences(here, one_more_day(spark, best)) == []


@pytest.mark.spark
def test_spark_reads_the_files_that_are_written_here(duck: Engine, spark: Engine, tmp_path: Path) -> None:
    observed = [
        {"asset_id": "one", "field": "price_usd", "valid_time": at(day), "value": 1.0 + day} for day in range(9)
    ]
    pq.write_table(pa.Table.from_pylist(observed, schema=schema.OBSERVATIONS.to_pyarrow()), tmp_path / "rows.parquet")
    write_daily(duck, tmp_path / "rows.parquet", tmp_path / "daily.parquet", Origin("here", at(20), "ab"))
    duck.write(duck.read([tmp_path / "daily.parquet"], schema.DAILY), tmp_path / "again.parquet")

    files = [tmp_path / "daily.parquet", tmp_path / "again.parquet"]
    here, there = (engine.run(engine.read(files, schema.DAILY)) for engine in (duck, spark))

    assert here.num_rows == 18
    assert sorted(there.to_pylist(), key=repr) == sorted(here.to_pylist(), key=repr)


def at(day: int) -> datetime:
    return datetime(2025, 1, 1, 23, tzinfo=UTC) + timedelta(days=day)
