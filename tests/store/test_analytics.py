"""The analytics engine: empty reads, UTC, a memory limit that spills to disk, and files read exactly as declared."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mercato.store.analytics import Engine, duckdb_engine

SCHEMA = ibis.schema({"name": "string", "units": "int64", "at": "timestamp('UTC')"})
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def parquet(path: Path, rows: list[dict[str, object]], schema: pa.Schema | None = None) -> Path:
    pq.write_table(pa.Table.from_pylist(rows, schema=schema or SCHEMA.to_pyarrow()), path)
    return path


def setting(engine: Engine, name: str) -> object:
    return engine.backend.con.execute(f"SELECT current_setting('{name}')").fetchone()[0]


def test_no_files_read_as_an_empty_table_of_the_same_columns() -> None:
    with duckdb_engine() as engine:
        table = engine.read([], SCHEMA)

        assert table.schema() == SCHEMA
        assert engine.rows(table) == []
        assert engine.rows(table.aggregate(n=table.count(), total=table.units.sum())) == [{"n": 0, "total": None}]


def test_several_files_read_as_one_table_with_exactly_the_declared_columns(tmp_path: Path) -> None:
    wide = pa.schema(
        [("at", pa.timestamp("us", "UTC")), ("extra", pa.string()), ("units", pa.int32()), ("name", pa.string())]
    )
    first = parquet(tmp_path / "1.parquet", [{"name": "hall", "units": 1, "at": NOON, "extra": "x"}], wide)
    second = parquet(tmp_path / "2.parquet", [{"name": "attic", "units": 2, "at": None, "extra": "y"}], wide)
    with duckdb_engine() as engine:
        table = engine.read([first, second], SCHEMA)

        assert table.schema() == SCHEMA
        assert sorted(engine.rows(table.select("name", "units")), key=lambda row: str(row["name"])) == [
            {"name": "attic", "units": 2},
            {"name": "hall", "units": 1},
        ]


def test_a_file_without_a_declared_column_is_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path / "1.parquet", [{"name": "hall"}], pa.schema([("name", pa.string())]))
    with duckdb_engine() as engine, pytest.raises(Exception, match="units"):
        engine.read([path], SCHEMA)


def test_days_are_days_of_utc_whatever_the_computers_zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    late = datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC)
    with duckdb_engine() as engine:
        table = engine.read([parquet(tmp_path / "1.parquet", [{"name": "a", "units": 1, "at": late}])], SCHEMA)
        (row,) = engine.rows(table.select(day=table["at"].date().cast("string")))

        assert setting(engine, "TimeZone") == "UTC"
        assert row == {"day": "2026-03-02"}


def test_rows_of_memory_are_a_table_too() -> None:
    with duckdb_engine() as engine:
        table = engine.table(pa.table({"units": [3, 1, None]}))

        assert engine.rows(table.aggregate(total=table.units.sum())) == [{"total": 4}]
        assert engine.run(table.order_by("units")).column("units").to_pylist() == [1, 3, None]


ROWS = 1_000_000


def big(engine: Engine) -> pa.Table:
    """Sorts a million rows by text: far more than the memory that the tests below allow."""
    rows = ibis.range(0, ROWS).unnest().name("number").as_table()
    wide = rows.mutate(text=rows.number.cast("string").hexdigest("md5"))
    ordered = wide.mutate(place=ibis.row_number().over(order_by=wide.text))
    return engine.run(ordered.aggregate(rows=ordered.count(), last=ordered.place.max()))


def test_work_that_outgrows_memory_goes_to_disk_and_still_ends_right(tmp_path: Path) -> None:
    with duckdb_engine(memory="60MB", threads=2, spill=tmp_path / "spill") as engine:
        result = big(engine).to_pylist()

        assert result == [{"rows": ROWS, "last": ROWS - 1}]
        assert str(setting(engine, "temp_directory")) == str(tmp_path / "spill")


def test_a_folder_to_spill_into_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "Ada's spill; DROP TABLE x"
    with duckdb_engine(spill=folder) as engine:
        assert setting(engine, "temp_directory") == str(folder)


def test_without_a_folder_nothing_is_spilled_into_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with duckdb_engine(memory="60MB", threads=2) as engine:
        big(engine)

    assert list(tmp_path.iterdir()) == []


def test_without_room_to_spill_the_memory_limit_holds() -> None:
    with duckdb_engine(memory="40MB", threads=1) as engine:
        engine.backend.raw_sql("SET temp_directory = ''")

        with pytest.raises(duckdb.OutOfMemoryException):
            big(engine)


def test_the_settings_say_what_was_asked_for() -> None:
    with duckdb_engine(memory="256MB", threads=1) as engine:
        assert (engine.name, setting(engine, "threads")) == ("duckdb", 1)
        assert str(setting(engine, "memory_limit")).startswith("244.1")


def test_a_closed_engine_answers_no_more() -> None:
    engine = duckdb_engine()
    with engine:
        pass

    with pytest.raises(duckdb.ConnectionException):
        engine.rows(engine.table(pa.table({"units": [1]})))
