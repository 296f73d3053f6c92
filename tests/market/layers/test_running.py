"""What is carried from day to day, against the same made from all days at once."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.market import schema
from mercato.market.layers.newday import day_highs
from mercato.market.layers.running import days_after
from mercato.market.metrics.drawdown import highs, highs_after
from mercato.market.metrics.level import daily_level, members, summed_level
from mercato.market.testing import table
from mercato.store.analytics import duckdb_engine
from mercato.store.statements import Statement
from tests.profiles import examples

FIRST = date(2025, 1, 1)
DAYS = 12
LAST = FIRST + timedelta(days=DAYS - 1)
SECTORS = {"a": "ai-agents", "b": "ai_data", "c": "other", "d": "other", "e": None}


@pytest.fixture(scope="module")
def engine():
    with duckdb_engine(threads=1) as found:
        yield found


def panel(engine, cells):
    rows = [
        {
            "asset_id": asset,
            "day": FIRST + timedelta(days=day),
            "sector": SECTORS[asset],
            "kind": "equity" if asset == "d" else "token",
            "weight": weight,
            "price": price,
            "price_high": high,
            "price_age": age,
            "supply": 3.0,
            "cap": None if price is None else int(price * 3_000_000),
            "state": "fresh" if age <= 1 else "carried",
        }
        for (asset, day), (price, high, age, weight) in cells.items()
    ]
    return table(engine, schema.PANEL, rows)


PRICES = st.none() | st.integers(1, 4).map(float)  # few values, so that highs are reached again
cells = st.dictionaries(
    st.tuples(st.sampled_from(sorted(SECTORS)), st.integers(0, DAYS - 1)),
    st.tuples(PRICES, PRICES, st.integers(0, 2), st.integers(0, 1)),
    min_size=1,
    max_size=40,
)


def ordered(rows):
    return sorted(rows, key=repr)


@settings(max_examples=examples(10))
@given(cells=cells, cut=st.integers(0, DAYS - 2))
def test_what_is_carried_over_a_day_equals_what_all_days_give(engine, cells, cut):
    rows, day = panel(engine, cells), FIRST + timedelta(days=cut)
    early, late = {"first": FIRST, "last": day}, {"first": day + timedelta(days=1), "last": LAST}

    for make, columns in ((highs_after, schema.HIGHS), (days_after, schema.SECTOR_DAYS)):
        before = engine.table(engine.run(Statement(make, panel=rows, **early)), columns)
        carried = engine.rows(Statement(make, panel=rows, before=before, **late))

        assert ordered(carried) == ordered(engine.rows(Statement(make, panel=rows, first=FIRST, last=LAST)))


@settings(max_examples=examples(10))
@given(cells=cells, cut=st.integers(0, DAYS - 2))
def test_the_highs_of_one_more_day_are_those_of_all_days_up_to_it(engine, cells, cut):
    rows, eve = panel(engine, cells), FIRST + timedelta(days=cut)
    day = eve + timedelta(days=1)
    before = engine.table(engine.run(Statement(highs_after, panel=rows, first=FIRST, last=eve)), schema.HIGHS)

    found = engine.rows(Statement(day_highs, panel=rows, before=before, day=day))

    assert ordered(found) == ordered(engine.rows(Statement(highs_after, panel=rows, first=FIRST, last=day)))


@settings(max_examples=examples(10))
@given(cells=cells, sector=st.sampled_from(["ai", "all", "other", "ai-agents"]))
def test_sums_by_sector_add_up_to_the_level_of_any_sector(engine, cells, sector):
    rows = panel(engine, cells)
    days = engine.table(engine.run(Statement(days_after, panel=rows, first=FIRST, last=LAST)), schema.SECTOR_DAYS)

    summed = engine.rows(summed_level(days, sector, FIRST, LAST))

    assert ordered(summed) == ordered(engine.rows(daily_level(members(rows, sector, FIRST, LAST))))


@settings(max_examples=examples(10))
@given(cells=cells)
def test_a_high_is_that_of_the_first_day_that_reached_it(engine, cells):
    rows = members(panel(engine, cells), "all", FIRST, LAST)
    own = {
        (asset, day): (price, max(price, high or price))
        for (asset, day), (price, high, age, weight) in cells.items()
        if price is not None and age == 0 and weight and asset != "d"
    }

    found = engine.rows(highs(rows))

    assert {row["asset_id"] for row in found} == {asset for asset, _ in own}
    for row in found:
        for at, value, when in ((0, row["ath"], row["ath_day"]), (1, row["intraday"], row["intraday_day"])):
            seen = [(-pair[at], day) for (asset, day), pair in own.items() if asset == row["asset_id"]]
            assert (-value, (when - FIRST).days) == min(seen)
