"""A statement gives what its expression gives, whatever was asked before, and its translation is remembered."""

from datetime import timedelta
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.store.analytics import Engine, duckdb_engine
from mercato.store.statements import Memory, Statement
from tests.profiles import examples
from tests.store.lamps import FIRST, ROWS, table

CALLS: list[object] = []


def totals(rows, first, last, names=("hall",), least=None):
    """Reads one part twice, as metrics do, and keeps a condition only where it is asked for."""
    found = rows.filter(rows.day >= first, rows.day <= last, rows.name.isin(names))
    found = found if least is None else found.filter(found.units >= least)
    most = found.group_by("name").agg(most=found.units.max())
    return (
        found.join(most, "name")
        .group_by("name")
        .agg(rows=ibis._.count(), sum=ibis._.units.sum(), most=ibis._.most.max())
    )


def said(rows, value):
    """Says which value shaped the expression."""
    return rows.limit(1).select(value=ibis.literal(repr(value)))


def sorted_rows(engine: Engine, asked) -> list[dict[str, object]]:
    return sorted(engine.rows(asked), key=lambda row: str(row["name"]))


days = st.integers(-2, 22).map(lambda day: FIRST + timedelta(days=day))
names = st.lists(st.sampled_from(["attic", "hall", "it's", "' OR 1=1 --", "cellar"]), max_size=3, unique=True).map(
    tuple
)
leasts = st.one_of(st.none(), st.integers(0, 20), st.floats(0, 20))


@settings(max_examples=examples(40), deadline=None)
@given(days, days, names, leasts)
def test_a_statement_gives_what_its_expression_gives(engine, rows, first, last, names, least):
    plain = totals(rows, ibis.literal(first), ibis.literal(last), names, least)

    asked = Statement(totals, rows=rows, first=first, last=last, names=names, least=least)

    assert sorted_rows(engine, plain) == sorted_rows(engine, asked)


def counted(rows, last, value):
    """Notes each time that it is called, which is once for each translation."""
    CALLS.append(value)
    return rows.filter(rows.day <= last).limit(1).select(value=ibis.literal(value))


def test_the_function_is_called_once_for_each_shape_whichever_engine_asks(engine, rows):
    CALLS.clear()
    with duckdb_engine(threads=1) as other:
        mine = table(other, ROWS[:1])

        for day in range(3):
            engine.run(Statement(counted, rows=rows, last=FIRST + timedelta(days=day), value="one shape"))
            other.run(Statement(counted, rows=mine, last=FIRST + timedelta(days=day), value="one shape"))
        engine.run(Statement(counted, rows=rows, last=FIRST, value="another"))

    assert CALLS == ["one shape", "another"]


@pytest.mark.parametrize(
    "value", [1, True, 1.0, "1", "True", None, "None", (1,), ("1",), (1.0,), (), "()", -0.0, 0.0, 0]
)
def test_values_that_are_alike_are_told_apart(engine, rows, value):
    assert [{"value": repr(value)}] == engine.rows(Statement(said, rows=rows, value=value))


def test_a_table_of_other_columns_is_another_shape(engine, rows):
    whole = engine.table(pa.table({"name": ["hall"], "units": [1]}))

    assert Statement(said, rows=rows, value=1).shape != Statement(said, rows=whole, value=1).shape
    assert engine.rows(Statement(said, rows=whole, value=1)) == [{"value": "1"}]


def test_an_expression_may_stand_for_a_table(engine, rows):
    halls = rows.filter(rows.name == "hall")

    found = engine.rows(Statement(totals, rows=halls, first=FIRST, last=FIRST, names=("attic", "hall")))

    assert found == [{"name": "hall", "rows": 1, "sum": 1.0, "most": 1.0}]


def test_a_statement_is_written_as_parquet(engine, rows, tmp_path: Path):
    path = tmp_path / "it's.parquet"

    engine.write(Statement(totals, rows=rows, first=FIRST, last=FIRST), path)

    assert pq.read_table(path).to_pylist() == [{"name": "hall", "rows": 1, "sum": 1.0, "most": 1.0}]


@pytest.mark.parametrize("value", [[1], {"a": 1}, (1, [2]), object()])
def test_a_value_that_text_cannot_tell_from_others_is_refused(rows, value):
    with pytest.raises(TypeError, match="value was"):
        Statement(said, rows=rows, value=value)


def test_a_function_without_a_name_of_its_own_is_refused(rows):
    with pytest.raises(TypeError, match="expected a function of a module"):
        Statement(lambda rows: rows, rows=rows)


def test_the_translation_that_was_not_used_for_longest_is_made_anew(engine, rows, monkeypatch):
    monkeypatch.setattr("mercato.store.statements.REMEMBERED", 2)
    memory = Memory()
    CALLS.clear()

    for value in (1, 2, 1, 3, 1, 2):
        memory.translation(Statement(counted, rows=rows, last=FIRST, value=value), engine.backend.compile)

    assert CALLS == [1, 2, 3, 2]
