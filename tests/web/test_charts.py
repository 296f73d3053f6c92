from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mercato.core.errors import InvalidInput
from mercato.web import charts
from mercato.web.testing import SampleGrid, history

VALUES = st.lists(st.one_of(st.none(), st.floats(-1e12, 1e12)), min_size=1, max_size=40)


def grid(values: list[float | None], unit: str = "usd") -> SampleGrid:
    first = date(2025, 1, 1)
    rows = [((first + timedelta(at)).isoformat(), None if v is None else repr(v)) for at, v in enumerate(values)]
    return SampleGrid("made", "fig_x", ("day", "value"), ("date", unit), tuple(rows))


@given(VALUES)
def test_every_known_value_is_drawn_inside_the_picture_and_no_unknown_one(values: list[float | None]) -> None:
    view = charts.series(grid(values))
    points = [tuple(map(float, pair)) for pair in re.findall(r"(-?[\d.]+) (-?[\d.]+)", view.lines[0].path)]

    assert len(points) == sum(value is not None for value in values)
    assert all(-0.1 <= x <= view.width + 0.1 and -0.1 <= y <= view.height + 0.1 for x, y in points)
    assert view.empty == (not points)


@given(VALUES)
@example([5.0, -5e-324])
def test_the_ticks_are_even_and_hold_every_value(values: list[float | None]) -> None:
    data = json.loads(charts.series(grid(values)).data)
    low, high = data["y"]
    known = [value for value in values if value is not None]

    assert data["ticks"][0] == low
    assert data["ticks"][-1] == pytest.approx(high)
    # An end may be off by what a float cannot hold: no step of 2 goes below -5e-324.
    assert all(low <= value <= high or value in (pytest.approx(low), pytest.approx(high)) for value in known)


def test_a_gap_breaks_the_line_and_a_lone_point_is_a_dash() -> None:
    path = charts.series(grid([1.0, 2.0, None, 4.0, None, 6.0, 7.0])).lines[0].path

    assert path.count("M") == 3
    assert path.count("h2") == 1


def test_a_stack_ends_where_its_parts_add_up_to() -> None:
    sample = SampleGrid(
        "made",
        "fig_x",
        ("day", "a", "b"),
        ("date", "ratio", "ratio"),
        (("2025-01-01", "0.25", "0.75"), ("2025-01-02", "0.5", "0.5")),
    )
    data = json.loads(charts.series(sample, kind="stacked").data)

    assert data["y"] == [0.0, 1.0]
    assert [line["values"] for line in data["lines"]] == [[0.25, 0.5], [0.75, 0.5]]


def test_the_sentence_names_the_ends_and_what_is_unknown() -> None:
    sample = replace(history(3), rows=(("2025-01-01", "5", None), ("2025-01-02", "9", None)))
    view = charts.series(sample, lines={"agents": "Agents", "infra": "Infra"})

    assert view.summary == "1 Jan 2025 to 2 Jan 2025. Agents: from $5 to $9, lowest $5, highest $9. Infra: unknown."


def test_what_the_island_reads_cannot_end_its_element() -> None:
    view = charts.series(history(2), lines={"agents": "</script><b>&"})

    assert "</script>" not in view.data
    assert json.loads(view.data)["lines"][0]["label"] == "</script><b>&"


@pytest.mark.parametrize("lines", [["absent"], {"agents": "A", "nope": "B"}])
def test_absent_columns_are_named(lines: list[str] | dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="columns were") as error:
        charts.series(history(2), lines=lines)

    assert "agents" in error.value.hint


def test_a_day_that_is_no_day_is_refused() -> None:
    with pytest.raises(InvalidInput, match="day was 'soon'"):
        charts.series(SampleGrid("made", "f", ("day", "v"), ("date", "usd"), (("soon", "1"),)))


def test_no_rows_give_an_empty_chart() -> None:
    assert charts.series(history(0)).empty
