"""CSV gives values exactly, and no text that a spreadsheet would run."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.core.spreadsheet import lines, table


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"), ("+cmd", "'+cmd"), ("-2+3", "'-2+3"), ("@x", "'@x"), ("\tx", "'\tx"), ("-", "'-"),
        ("-0.5", "-0.5"), ("+7", "+7"), ("-1.5e-07", "-1.5e-07"), (-5, "-5"), (None, ""), ("a=b", "a=b"),
    ],
)  # fmt: skip
def test_a_text_that_is_a_formula_is_made_text_and_a_number_stays_one(value: object, cell: str) -> None:
    assert lines([[value, "x"]]) == f"{cell},x\n"


@given(st.lists(st.lists(st.text("a,\"'\n=-1é"), min_size=2, max_size=2)))
def test_whatever_is_written_is_read_again_but_for_what_makes_it_text(rows: list[list[str]]) -> None:
    read = list(csv.reader(io.StringIO(lines(rows))))

    assert [[cell.removeprefix("'") for cell in row] for row in read] == [
        [cell.removeprefix("'") for cell in row] for row in rows
    ]


def test_a_table_has_the_names_of_its_first_row() -> None:
    assert table([{"b": 1, "a": None}, {"a": "x", "b": 2}]) == "b,a\n1,\n2,x\n"
    assert table([]) == ""
