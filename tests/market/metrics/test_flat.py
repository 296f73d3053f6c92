"""Flat range (M9): calendar windows, volatility measured before them, and what the verdict needs."""

import csv
import gzip
import math
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.core.errors import InvalidInput
from mercato.market.metrics import flat
from mercato.market.metrics.kernels.walk import kappa
from mercato.market.metrics.level import members
from mercato.market.metrics.series import level_closes
from mercato.market.model import Query
from mercato.market.testing import days, inputs
from tests.market.metrics.golden import compare
from tests.profiles import examples

LAST = date(2025, 3, 31)
SWING = [100.0 * math.exp(0.05 * (at % 2)) for at in range(60)]  # every log return is +-5 %


def ask(duck, panel, as_of=LAST, length=None, **params):
    query = Query(as_of=as_of, days=length, params={name: str(value) for name, value in params.items()})
    return flat.flat_range(inputs(duck, panel=panel), query)


def ending(values, last=LAST, asset="a", **more):
    return days(asset, last - timedelta(days=len(values) - 1), values, **more)


def values(result):
    return {figure.name: figure.value for figure in result.figures}


def test_a_quiet_week_after_swings_is_flat(duck):
    result = ask(duck, ending([*SWING, *([100.0, 101.0] * 5)]), length=10)

    found = values(result)
    assert (found["days"], found["first-day"], found["width"], found["flat"]) == ("10", "2025-03-22", "0.01", "yes")
    assert float(found["sigma"]) == pytest.approx(0.05)
    assert float(found["f"]) == pytest.approx(math.log(1.01) / (0.05 * kappa(10)))
    assert float(found["p"]) < 0.001
    assert float(found["p"]) <= float(found["p-search"])
    assert result.coverage == "10/10"


def test_the_same_width_is_noise_where_days_are_calm(duck):
    calm = [100.0 * math.exp(0.005 * (at % 2)) for at in range(60)]

    assert values(ask(duck, ending([*calm, *([100.0, 103.0] * 5)]), length=10))["flat"] == "no"


def test_the_longest_flat_window_is_found_without_asking_for_a_length(duck):
    panel = ending([*SWING, 150.0, *([100.0, 101.0] * 6)])

    found = values(ask(duck, panel))

    assert (found["days"], found["flat"]) == ("12", "yes")


def test_the_longest_window_within_a_width_is_found(duck):
    panel = ending([*SWING, 150.0, *([100.0, 101.0] * 6)])

    assert values(ask(duck, panel, width=0.01))["days"] == "12"
    assert values(ask(duck, panel, width=0.009))["days"] == "1"
    assert values(ask(duck, panel, width=100))["days"] == "73"


def test_six_days_are_too_few_to_be_flat(duck):
    assert values(ask(duck, ending([*SWING, *([100.0] * 6)]), length=6))["flat"] == "no"


def test_windows_count_calendar_days_and_not_rows(duck):
    closes = [*SWING, 200.0, *([100.0, 101.0] * 6)]
    panel = [row for row in ending(closes) if row["day"] not in {LAST - timedelta(days=2), LAST - timedelta(days=3)}]

    result = ask(duck, panel, length=12, on="level")

    found = values(result)
    assert (found["days"], found["high"], result.coverage) == ("12", "101", "10/12")  # 12 rows would reach 200
    assert (found["flat"], "gaps" in result.flags, "too-many-gaps" in result.flags) == (None, True, True)


def test_a_day_on_which_nobody_has_a_price_of_its_own_is_a_gap(duck):
    carried = LAST - timedelta(days=4)
    panel = [{**row, "price_age": int(row["day"] == carried)} for row in ending([*SWING, *([100.0, 101.0] * 10)])]

    result = ask(duck, panel, length=12)

    assert (result.coverage, values(result)["flat"], "gaps" in result.flags) == ("11/12", "yes", True)


def test_a_missing_first_day_still_spans_the_days_asked_for(duck):
    panel = [row for row in ending([*SWING, *([100.0, 101.0] * 10)]) if row["day"] != LAST - timedelta(days=19)]

    result = ask(duck, panel, length=20)

    assert (values(result)["first-day"], result.coverage, values(result)["flat"]) == ("2025-03-12", "19/20", "yes")


def test_returns_across_a_gap_do_not_enter_volatility(duck):
    panel = ending([*SWING, *([100.0] * 10)])
    hole = LAST - timedelta(days=20)
    holed = [{**row, "price": 9e9, "cap": None} if row["day"] == hole else row for row in panel]

    assert float(values(ask(duck, holed, length=10))["sigma"]) == pytest.approx(0.05)


def test_volatility_inside_the_window_is_not_used(duck):
    calm, wild = ([100.0, 100.0 + step] * 5 for step in (0.1, 60.0))

    assert (
        values(ask(duck, ending([*SWING, *calm]), length=10))["sigma"]
        == (values(ask(duck, ending([*SWING, *wild]), length=10))["sigma"])
    )


def test_without_a_history_there_is_no_verdict(duck):
    result = ask(duck, ending([100.0] * 15), length=10)

    assert (values(result)["flat"], values(result)["f"], values(result)["width"]) == (None, None, "0")
    assert "volatility-unknown" in result.flags


def test_without_data_nothing_is_invented(duck):
    panel = ending([100.0] * 3, last=date(2024, 1, 1))

    result = ask(duck, panel)

    assert (values(result), result.flags, result.coverage) == ({"flat": None}, ("no-data",), None)


def test_one_asset_is_measured_on_its_own_prices(duck):
    panel = [*ending([*SWING, *([100.0] * 8)]), *ending([5.0] * 68, asset="b")]
    carried = [{**row, "price_age": 1} if row["day"] == LAST and row["asset_id"] == "a" else row for row in panel]

    result = ask(duck, carried, length=8, on="asset:a")

    assert (values(result)["high"], result.coverage) == ("100", "7/8")
    with pytest.raises(InvalidInput, match="asset was 'c'"):
        ask(duck, panel, on="asset:c")


def test_days_under_the_coverage_gate_are_gaps(duck):
    stale = ending([50.0] * 68, asset="b", state="stale")

    assert ask(duck, [*ending([*SWING, *([100.0] * 8)]), *stale], length=8).flags == ("no-data",)


@pytest.mark.parametrize(("name", "value"), [("on", "volume"), ("width", "-1"), ("longest", "3"), ("window", "7")])
def test_a_wrong_parameter_is_refused(duck, name, value):
    with pytest.raises(InvalidInput):
        ask(duck, ending([1.0] * 9), **{name: value})


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(st.none() | st.floats(1, 1000), min_size=1, max_size=40), st.integers(1, 40))
def test_a_window_holds_exactly_the_closes_of_its_days(duck, closes, length):
    given_rows = [row for row in ending(closes) if row["cap"] is not None]
    rows = flat.windows(level_closes_of(duck, given_rows), LAST, length)
    inside = {row["day"]: row["cap"] / 1e6 for row in given_rows if row["day"] > LAST - timedelta(days=length)}

    for row in duck.rows(rows):
        window = [value for day, value in inside.items() if day >= row["first_day"]]
        assert row["days"] == (LAST - row["first_day"]).days + 1
        assert (row["observed"], row["high"], row["low"]) == (len(window), max(window), min(window))
    assert len(duck.rows(rows)) == len(inside)


def level_closes_of(engine, panel):
    table = inputs(engine, panel=panel, assets=[{"asset_id": "a", "sector": "ai-agents"}]).panel
    return table.mutate(value=table.cap.cast("float64") / 1e6).select("day", "value")


@pytest.mark.spark
def test_windows_and_volatility_agree_on_both_engines(duck, spark):
    panel = [row for row in ending([*SWING, 0.0, *([100.0, 101.0] * 5)]) if row["day"] != LAST - timedelta(days=30)]
    panel += ending([None, None, 5.0], asset="b", state="carried")

    def closes(given):
        return level_closes(members(given.panel, "ai", None, LAST))

    def windows(given):
        return flat.windows(closes(given), LAST, 60)

    def volatility(given):
        return flat.volatility(closes(given), windows(given))

    assert compare(duck, spark, windows, ("days",), panel=panel) == 57
    assert compare(duck, spark, volatility, ("first_day",), panel=panel) > 40


PROXY = ("VIRTUAL", "AIXBT", "COOKIE", "FARTCOIN", "GRIFFAIN", "ZEREBRO", "SWARMS", "TAO", "FET", "RENDER", "WLD",
         "GRASS", "ARKM", "IO", "NEAR")  # fmt: skip


@pytest.fixture(scope="module")
def proxy(research):
    """Panel rows of real daily closes, each with its supply fixed at what February 2025 listed."""
    with gzip.open(research / "cmc_monthly_top200_2020_2025.csv.gz", "rt") as file:
        supplies = {
            row["Symbol"]: float(row["Circulating Supply"])
            for row in csv.DictReader(file)
            if row["snapshot_date"] == "20250201"
        }
    with gzip.open(research / "bybit_daily_ohlcv_ai_and_majors.csv.gz", "rt") as file:
        rows = [row for row in csv.DictReader(file) if row["symbol"] in set(PROXY) & set(supplies)]
    return [
        days(row["symbol"], date.fromisoformat(row["date"]), [float(row["close"]) * supplies[row["symbol"]]])[0]
        for row in rows
    ]


def test_real_closes_show_the_flat_stretches_of_early_2025(duck, proxy):
    february = values(ask(duck, proxy, as_of=date(2025, 2, 17), width=0.123))
    march = values(ask(duck, proxy, as_of=date(2025, 3, 23), width=0.123))

    assert (february["first-day"], february["days"]) == ("2025-02-08", "10")
    assert (march["first-day"], march["days"]) == ("2025-03-11", "13")
    assert 0.03 < float(february["sigma"]) < 0.08
