"""Remembered SQL: alike expressions share it, all others do not, and a damaged file of it is made anew."""

from datetime import timedelta
from pathlib import Path

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.store.translations import Translations, form
from tests.profiles import examples
from tests.store.lamps import FIRST, ROWS, table


def risen(rows, first=FIRST, last=FIRST, least=1.0, names=("hall",), back=2):
    """Has a bit of everything: a window, a join with itself, days in a list, decimals, text, NULL."""
    found = rows.filter(rows.day >= first, rows.day.isin([last, last - timedelta(days=1), first]))
    found = found.filter(found.name.isin(names) | (found.units >= least))
    before = found.units.lag(back).over(ibis.window(group_by="name", order_by="day"))
    wide = found.mutate(before=before, exact=found.units.cast("decimal(38, 4)"), nothing=ibis.null("int64"))
    other = found.view()
    return wide.left_join(other, [wide.name == other.name, wide.day < other.day]).select(
        wide, later=other.day, since=ibis.literal(first)
    )


def plain(rows: pa.Table) -> list[dict[str, object]]:
    return sorted(rows.to_pylist(), key=repr)


days = st.integers(-2, 22).map(lambda day: FIRST + timedelta(days=day))
names = st.lists(st.sampled_from(["attic", "hall", "it's", "' OR 1=1 --"]), min_size=1, max_size=3, unique=True)


@settings(max_examples=examples(30), deadline=None)
@given(days, days, st.floats(0, 20), names, st.integers(1, 3))
def test_remembered_sql_gives_what_the_expression_gives(engine, rows, first, last, least, names, back):
    asked = risen(rows, first, last, least, tuple(names), back)

    assert plain(engine.backend.to_pyarrow(asked)) == plain(engine.run(asked))


def test_other_days_and_other_tables_of_these_columns_have_the_same_form(engine, rows):
    one = form(risen(rows, FIRST, FIRST + timedelta(days=9)))
    other = form(risen(table(engine, ROWS[:7]), FIRST + timedelta(days=3), FIRST + timedelta(days=30)))

    assert one is not None
    assert other is not None
    assert one.key == other.key
    assert set(one.days) == set(other.days)


def test_whatever_else_differs_is_another_form(engine, rows):
    narrow = engine.table(pa.table({"name": ["hall"], "day": [FIRST], "units": [1]}))
    empty = rows.filter(rows.name != rows.name)
    twice = rows.union(table(engine))
    several = [
        risen(rows),
        risen(rows, least=1),
        risen(rows, least=2.0),
        risen(rows, names=("hall", "attic")),
        risen(rows, names=("attic", "hall")),
        risen(rows, back=1),
        risen(rows, FIRST, FIRST + timedelta(days=1)),
        risen(rows, FIRST, FIRST + timedelta(days=2)),
        risen(narrow),
        risen(empty),
        risen(twice),
        risen(rows.union(rows)),
        rows.filter(rows.day == FIRST),
        rows.filter(rows.day == "2025-01-01"),
        rows.select(rows.units.cast("int32")),
        rows.select(rows.units.cast("int64")),
        rows.order_by("day"),
        rows.order_by(ibis.desc("day")),
        rows.limit(1),
        rows.limit(2),
        rows.drop("day"),
        rows.drop("units"),
    ]

    keys = {found.key for found in map(form, several) if found}

    assert len(several) == len(keys)


def test_columns_that_are_dropped_have_no_order(engine, rows):
    one, other = form(rows.drop("day", "units")), form(rows.drop("units", "day"))

    assert one is not None
    assert other is not None
    assert one.key == other.key


def test_a_table_that_is_held_in_the_expression_has_no_form(engine):
    held = ibis.memtable(pa.table({"units": [1, 2]}))

    assert form(held) is None
    assert engine.rows(held.aggregate(sum=held.units.sum())) == [{"sum": 3}]


def test_the_next_process_finds_the_sql(tmp_path: Path):
    calls: list[str] = []

    for _ in range(2):
        assert Translations().sql("a1", counting(calls), tmp_path / "made") == "SELECT 'ä'"

    assert calls == ["made"]


@pytest.mark.parametrize("damage", [b"", b"SELECT 2", b"\xff\xfe", b"0" * 64 + b"\nSELECT 'd'"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage):
    calls: list[str] = []
    Translations().sql("a1", counting(calls), tmp_path)
    (tmp_path / "a1.sql").write_bytes(damage)

    assert Translations().sql("a1", counting(calls), tmp_path) == "SELECT 'ä'"
    assert Translations().sql("a1", counting(calls), tmp_path) == "SELECT 'ä'"
    assert calls == ["made", "made"]


def test_a_folder_that_cannot_be_written_to_is_no_matter(tmp_path: Path):
    (tmp_path / "file").touch()

    assert Translations().sql("a1", counting([]), tmp_path / "file" / "in") == "SELECT 'ä'"


def test_the_folder_does_not_grow_for_ever(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("mercato.store.translations.FILES", 10)
    found = Translations()

    for number in range(40):
        found.sql(f"a{number}", counting([]), tmp_path)

    assert len(list(tmp_path.iterdir())) <= 10
    assert (tmp_path / "a39.sql").exists()


def counting(calls: list[str]):
    def make() -> str:
        calls.append("made")
        return "SELECT 'ä'"

    return make
