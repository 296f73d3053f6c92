"""The quick rollup against the expression that defines it, over any rows in any order and any cut into row groups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mercato.market.layers import rolling
from mercato.market.layers.segments import Origin, rollup, write_daily
from mercato.market.schema import DAILY, OBSERVATIONS
from mercato.store.analytics import Engine, duckdb_engine
from tests.profiles import examples

ZERO = datetime(1970, 1, 1, tzinfo=UTC)
ORIGIN = Origin("somewhere", datetime(2025, 6, 1, tzinfo=UTC), "ab12")
KEY = [("asset_id", "ascending"), ("field", "ascending"), ("day", "ascending")]

assets = st.sampled_from([f"asset-{number}" for number in range(12)])
fields = st.sampled_from(["price_usd", "supply_circulating", "volume_usd_24h"])
#: Hours before and after 1970, near each other and far apart.
hours = st.one_of(st.integers(-60, 60), st.integers(-200_000, 500_000))
values = st.floats(0, 1e12, allow_nan=False)
cells = st.dictionaries(st.tuples(assets, fields, hours), values, min_size=1, max_size=80)


@pytest.fixture(scope="module")
def engine():
    with duckdb_engine(threads=1) as found:
        yield found


def written(found: dict[tuple[str, str, int], float], path: Path, group: int) -> Path:
    rows = [
        {"asset_id": asset, "field": field, "valid_time": ZERO + timedelta(hours=hour, minutes=59), "value": value}
        for (asset, field, hour), value in found.items()
    ]
    table = pa.Table.from_pylist(rows, schema=OBSERVATIONS.to_pyarrow())
    pq.write_table(table, path, row_group_size=group)
    return path


def plain(rows: pa.Table) -> list[dict[str, object]]:
    found: list[dict[str, object]] = rows.cast(DAILY.to_pyarrow()).sort_by(KEY).to_pylist()
    return found


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells, st.integers(1, 40), st.integers(1, 100))
@example({("asset-1", "price_usd", hour): float(hour + 60) for hour in range(-60, 20)}, 3, 7)
def test_the_quick_rollup_gives_the_rows_that_the_expression_defines(
    engine: Engine, tmp_path_factory, monkeypatch, found, group, batch
):
    monkeypatch.setattr(rolling, "BATCH", batch)
    path = written(found, tmp_path_factory.mktemp("roll") / "observations.parquet", group)

    quick = rolling.daily_rows(path, ORIGIN.source, ORIGIN.observed_at, ORIGIN.raw_sha)

    defined = engine.run(rollup(engine.read([path], OBSERVATIONS), ORIGIN, published=False))
    assert plain(defined) == plain(quick)


@pytest.mark.parametrize("most", [0, rolling.MOST])
def test_a_daily_file_reads_the_same_whichever_way_it_was_rolled(engine: Engine, tmp_path, monkeypatch, most):
    monkeypatch.setattr(rolling, "MOST", most)
    found = {(f"asset-{hour % 7}", "price_usd", hour): 1.0 + hour for hour in range(100)}
    path = written(found, tmp_path / "observations.parquet", 9)

    days = write_daily(engine, path, tmp_path / "daily.parquet", ORIGIN)

    rows = engine.rows(engine.read([tmp_path / "daily.parquet"], DAILY).order_by("asset_id", "field", "day"))
    assert (ZERO.date(), ZERO.date() + timedelta(days=4)) == days
    assert list(DAILY.names) == pq.read_schema(tmp_path / "daily.parquet").names
    assert [1.0 + hour for hour in (21, 42, 70, 91, 98)] == [
        row["value"] for row in rows if row["asset_id"] == "asset-0"
    ]
    assert {"somewhere"} == {row["source"] for row in rows}
    assert sum(int(str(row["observations"])) for row in rows) == 100
