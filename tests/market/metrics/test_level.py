"""Sector level: hand-computed sums, what is left out, and when it is provisional."""

import itertools
from datetime import date, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mercato.core.errors import InvalidInput
from mercato.market.metrics.level import exact_sum, sector_level
from mercato.market.model import Query
from mercato.market.testing import days, inputs
from tests.profiles import examples

FIRST = date(2025, 1, 1)
LAST = date(2025, 1, 3)
QUERY = Query(as_of=LAST)


def grid(result, name):
    found = next(item for item in result.grids if item.name == name)
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


def level(duck, *rows, query=QUERY):
    return sector_level(inputs(duck, panel=[row for asset in rows for row in asset]), query)


def test_the_level_is_the_exact_sum_of_caps(duck):
    result = level(duck, days("a", FIRST, [1.0, 2.0, 0.1]), days("b", FIRST, [5.0, 5.0, 0.2]))

    assert result.figure("level").value == "0.30"
    assert result.figure("level").unit == "usd"
    assert result.figure("constituents").value == "2"
    assert result.coverage == "1"
    assert result.flags == ()


def test_sums_beyond_64_bits_stay_exact(duck):
    assets = [days(name, LAST, [None], cap=9_000_000_000_000_000_001) for name in "abc"]

    assert level(duck, *assets).figure("level").value == "27000000000000.000003"


def test_the_daily_series_reaches_back_the_days_asked_for(duck):
    result = level(duck, days("a", FIRST, [1.0, 2.0, 4.0]), query=Query(as_of=LAST, days=2))

    assert [(row["day"], row["level"]) for row in grid(result, "daily")] == [
        ("2025-01-01", "1.00"),
        ("2025-01-02", "2.00"),
        ("2025-01-03", "4.00"),
    ]
    assert result.figure("change").value == "3"


def test_days_after_as_of_do_not_count(duck):
    result = level(duck, days("a", FIRST, [1.0, 2.0, 4.0]), query=Query(as_of=date(2025, 1, 2)))

    assert result.figure("level").value == "2.00"


def test_wrapped_assets_have_no_weight(duck):
    result = level(duck, days("a", FIRST, [1.0, 2.0, 3.0]), days("wa", FIRST, [9.0, 9.0, 9.0], weight=0))

    assert result.figure("level").value == "3.00"
    assert [row["asset_id"] for row in grid(result, "constituents")] == ["a"]


def test_an_unknown_cap_is_counted_and_named(duck):
    result = level(duck, days("a", FIRST, [1.0, 2.0, 3.0]), days("b", FIRST, [None, None, None]))

    assert result.figure("level").value == "3.00"
    assert result.figure("unknown-caps").value == "1"
    assert "unknown-caps" in result.flags
    assert [(row["asset_id"], row["cap"]) for row in grid(result, "constituents")] == [("a", "3.00"), ("b", None)]


def test_an_inactive_asset_counts_zero_and_is_an_event(duck):
    gone = days("b", FIRST, [7.0, 7.0], state="stale") + days("b", LAST, [0.0], state="inactive")
    result = level(duck, days("a", FIRST, [1.0, 2.0, 3.0]), gone)

    assert result.figure("level").value == "3.00"
    assert result.figure("inactive").value == "1"
    assert "inactive" in result.flags
    assert grid(result, "events") == [
        {"day": "2025-01-03", "asset_id": "b", "symbol": "B", "event": "inactive", "last_cap": "7.00"}
    ]


def test_with_nothing_active_the_level_is_unknown_not_zero(duck):
    result = level(duck, days("a", FIRST, [0.0, 0.0, 0.0], state="inactive"))

    assert result.figure("level").value is None
    assert "provisional" in result.flags


@pytest.mark.parametrize(("stale", "coverage", "flags"), [(2.0, "0.98", ()), (2.0001, "0.97999902", ("provisional",))])
def test_below_98_percent_coverage_the_level_is_provisional(duck, stale, coverage, flags):
    fresh, old = days("a", LAST, [98.0]), days("b", LAST, [stale], state="stale")
    result = level(duck, fresh, old)

    assert result.coverage == coverage
    assert result.figure("level").flags == (*flags, "carried")


def test_fully_diluted_falls_back_to_the_cap_and_says_so(duck):
    result = level(duck, days("a", LAST, [1.0], supply_max=4.0), days("b", LAST, [3.0]))

    assert result.figure("fully-diluted").value == "7.00"
    assert result.figure("fully-diluted").coverage == "0.25"
    assert "lower-bound" in result.figure("fully-diluted").flags
    assert result.figure("fdv-to-circulating").value == "1.75"


def test_without_any_maximum_supply_the_dilution_is_unknown(duck):
    result = level(duck, days("a", LAST, [1.0]))

    assert result.figure("fdv-to-circulating").value is None
    assert "lower-bound" in result.figure("fully-diluted").flags


def test_the_supply_tier_mix_adds_up_and_vendor_caps_are_flagged(duck):
    result = level(
        duck,
        days("a", LAST, [1.0], supply_tier="A"),
        days("b", LAST, [1.0], supply_tier="B"),
        days("c", LAST, [1.0], supply_tier="V"),
    )
    mix = {item.dims["tier"]: item.value for item in result.figures if item.name == "tier-share"}

    assert mix == {"A": "0.333333334", "B": "0.333333333", "V": "0.333333333"}
    assert result.flags == ("vendor-cap",)


def test_a_sector_that_no_asset_has_is_refused_with_the_known_ones(duck):
    with pytest.raises(InvalidInput, match="ai-agents"):
        level(duck, days("a", LAST, [1.0]), query=Query(as_of=LAST, sector="food"))


def test_a_day_without_rows_gives_no_figure(duck):
    result = level(duck, days("a", FIRST, [1.0]))

    assert result.figure("level").value is None
    assert result.flags == ("no-data",)


caps = st.lists(st.integers(0, 10**15), min_size=1, max_size=6)


@settings(max_examples=examples(12), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(caps=caps, order=st.randoms(use_true_random=False), stale=st.integers(0, 5))
def test_the_level_is_the_integer_sum_in_any_order_and_the_gate_follows_coverage(duck, caps, order, stale):
    states = ["stale" if at < stale else "fresh" for at in range(len(caps))]
    rows = [
        days(f"t{at}", LAST, [1.0], cap=cap, state=state)[0]
        for at, (cap, state) in enumerate(zip(caps, states, strict=True))
    ]
    shuffled = list(rows)
    order.shuffle(shuffled)
    one, two = (sector_level(inputs(duck, panel=panel), QUERY) for panel in (rows, shuffled))
    fresh = sum(cap for cap, state in zip(caps, states, strict=True) if state == "fresh")

    assert one == two
    assert Decimal(one.figure("level").value or 0) * 10**6 == sum(caps)
    assert ("provisional" in one.flags) == (sum(caps) == 0 or round(fresh / sum(caps), 9) < 0.98)


def test_a_year_of_days_gives_a_year_of_rows(duck):
    result = level(duck, days("a", LAST - timedelta(days=400), [1.0] * 401), query=Query(as_of=LAST, days=365))

    assert len(grid(result, "daily")) == 366


def test_large_tokens_that_fell_silent_are_named_with_what_they_were_worth(duck):
    silent = [
        {**row, "state": "inactive", "cap": 0, "price_age": 8 + at}
        for at, row in enumerate(days("gone", FIRST, [50.0, 50.0, 50.0]))
    ]
    result = level(duck, days("a", FIRST, [100.0, 100.0, 100.0]), silent)

    assert result.figure("level").value == "100.00"
    assert "large-missing" in result.flags
    assert result.figure("missing-last-known").value == "50.00"
    assert result.figure("missing-of-level").value == "0.5"
    (row,) = grid(result, "missing")
    assert (row["asset_id"], row["last_price_day"], row["last_known_cap"]) == ("gone", "2024-12-24", "50.00")


def test_a_token_that_was_small_or_is_long_gone_is_listed_without_the_flag(duck):
    small = [{**row, "state": "inactive", "cap": 0, "price_age": 9} for row in days("small", LAST, [1.0])]
    old = [{**row, "state": "inactive", "cap": 0, "price_age": 46} for row in days("old", LAST, [90.0])]
    result = level(duck, days("a", FIRST, [100.0, 100.0, 100.0]), small, old)

    assert "large-missing" not in result.flags
    assert result.figure("missing-last-known").value == "1.00"
    assert [row["asset_id"] for row in grid(result, "missing")] == ["small", "old"]


def test_a_supply_older_than_45_days_is_flagged(duck):
    assert "old-supply" in level(duck, days("a", LAST, [1.0], supply_age=46)).flags
    assert "old-supply" not in level(duck, days("a", LAST, [1.0], supply_age=45)).flags


def test_parameters_that_no_one_reads_are_refused(duck):
    with pytest.raises(InvalidInput, match="parameters were"):
        level(duck, days("a", LAST, [1.0]), query=Query(as_of=LAST, params={"foo": "bar"}))


def test_an_exact_sum_does_not_depend_on_the_order_of_rows(duck):
    parts = [1e15 + 0.1, 1.0 / 3, 2.0 / 7, 1e-3, 1e9 + 1 / 9]
    sums = set()
    for order in itertools.permutations(parts):
        table = duck.table(pa.table({"x": list(order)}))
        sums.add(duck.rows(table.agg(total=exact_sum(table.x)))[0]["total"])
    assert len(sums) == 1
