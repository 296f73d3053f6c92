"""Regimes (M10): a break that every penalty sees is shown, one that few see is not, and nothing here is an alert."""

import csv
import gzip
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.core.errors import InvalidInput
from mercato.market.metrics import regime
from mercato.market.metrics.kernels import breaks
from mercato.market.metrics.series import series
from mercato.market.model import Query
from mercato.market.testing import days, inputs
from tests.profiles import examples

LAST = date(2025, 6, 30)


def ask(duck, values, length=365, missing=(), **params):
    first = LAST - timedelta(days=len(values) - 1)
    rows = [row for at, row in enumerate(days("a", first, values)) if at not in missing]
    return regime.regime(inputs(duck, panel=rows), Query(LAST, days=length, params=params))


def noisy(*levels, each=40, seed=3):
    rng = np.random.default_rng(seed)
    return [float(level * np.exp(rng.normal(0, 0.02))) for level in levels for _ in range(each)]


def test_clear_steps_are_found_on_their_day(duck):
    result = ask(duck, noisy(100, 300, 120))

    starts = [(LAST - timedelta(days=79)).isoformat(), (LAST - timedelta(days=39)).isoformat()]
    assert [figure.dims["day"] for figure in result.figures if figure.name == "stability"] == starts
    assert (result.figure("breaks").value, result.figure("regime-days").value) == ("2", "40")
    assert [row[2] for row in result.grids[0].rows] == ["40", "40", "40"]


def test_every_figure_says_that_it_repaints_and_is_no_alert(duck):
    result = ask(duck, noisy(100, 300))

    assert all({"repaints", "never-alert"} <= set(figure.flags) for figure in result.figures)


def test_a_level_series_has_no_break(duck):
    assert ask(duck, [100.0] * 60).figure("breaks").value == "0"


def test_a_driftless_walk_shows_breaks_too_and_the_reader_is_told_how_many(duck):
    found = ask(duck, noisy(100, 300)).figure("breaks-in-walks")

    assert float(found.value) > 0.5
    assert "by-simulation" in found.flags


def test_gaps_keep_the_dates_right(duck):
    result = ask(duck, noisy(100, 300), missing=(10, 11, 12))

    assert result.figure("regime-since").value == (LAST - timedelta(days=39)).isoformat()
    assert (result.coverage, "gaps" in result.flags) == ("77/80", True)


def test_too_few_closes_give_no_answer(duck):
    assert ask(duck, noisy(100, each=29)).figure("breaks").value is None
    assert "too-short" in ask(duck, noisy(100, each=29)).flags
    assert "no-data" in ask(duck, [None] * 5).flags


def test_a_wrong_parameter_is_refused(duck):
    with pytest.raises(InvalidInput):
        ask(duck, [1.0] * 40, penalty="3")


def test_the_index_can_be_asked_for(duck):
    values = noisy(100, 300)
    rows = days("a", LAST - timedelta(days=79), values, volume=1e9)
    found = series(inputs(duck, panel=rows), Query(LAST, params={"on": "index"}), 30)
    points = {row["day"]: float(str(row["value"])) for row in duck.rows(found.table)}

    assert (found.unit, len(points), max(points)) == ("points", 30, LAST)
    assert points[LAST] / points[LAST - timedelta(days=29)] == pytest.approx(values[-1] / values[-30])


def test_a_break_needs_three_quarters_of_the_grid():
    found = [breaks.Break(5, 0.75), breaks.Break(9, 8 / 12)]

    assert breaks.stable(found) == found[:1]


@settings(max_examples=examples(20), deadline=None)
@given(st.lists(st.floats(0.5, 2.0), min_size=1, max_size=60))
def test_a_regime_has_at_least_seven_closes(values):
    found = [(item.at, item.stability) for item in breaks.breaks(values)]

    assert all(breaks.SHORTEST <= at <= len(values) - breaks.SHORTEST for at, _ in found)
    assert all(0 < stability <= 1 for _, stability in found)


def test_real_closes_break_where_they_are_published_to(duck, research):
    with gzip.open(research / "cmc_monthly_top200_2020_2025.csv.gz", "rt") as file:
        supplies = {row["Symbol"]: float(row["Circulating Supply"]) for row in csv.DictReader(file)
                    if row["snapshot_date"] == "20250201"}  # fmt: skip
    tokens = {"VIRTUAL", "TAO", "FET", "RENDER", "WLD", "GRASS", "ARKM", "IO", "NEAR"} & set(supplies)
    with gzip.open(research / "bybit_daily_ohlcv_ai_and_majors.csv.gz", "rt") as file:
        rows = [days(row["symbol"], date.fromisoformat(row["date"]), [float(row["close"]) * supplies[row["symbol"]]])[0]
                for row in csv.DictReader(file) if row["symbol"] in tokens]  # fmt: skip

    result = regime.regime(inputs(duck, panel=rows), Query(LAST, days=300))
    found = [date.fromisoformat(figure.dims["day"]) for figure in result.figures if figure.name == "stability"]

    published = [date(2024, 11, 8), date(2025, 2, 1), date(2025, 3, 3), date(2025, 4, 22)]
    assert [abs((one - other).days) <= 4 for one, other in zip(found, published, strict=True)] == [True] * 4
