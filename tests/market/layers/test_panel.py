"""The curated rule and the panel, against a reading of market.md M1 and M2 in plain Python."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.market import schema
from mercato.market.layers.curated import LOOKBACK, curated
from mercato.market.layers.newday import day_facts, day_rows
from mercato.market.layers.panel import FACTS, SUPPLY_DAYS, TIERS, facts, last_facts, panel
from mercato.market.testing import table
from mercato.store.analytics import Engine, duckdb_engine
from mercato.store.statements import Statement
from tests.profiles import examples

FIRST = date(2025, 1, 1)
KEY = [("asset_id", "ascending"), ("day", "ascending")]
DAYS = 70
KINDS = {"a": "token", "b": "token", "c": "equity", "t": "reference"}
FIELDS = ("price_usd", "market_cap_usd", "volume_usd_24h", "price_high_usd", "supply_max", *TIERS)


@pytest.fixture(scope="module")
def engine():
    with duckdb_engine(threads=1) as found:
        yield found


def assets(engine: Engine):
    rows = [{"asset_id": name, "symbol": name.upper(), "kind": kind} for name, kind in KINDS.items()]
    return table(engine, schema.ASSETS, rows)


def best(engine: Engine, cells):
    rows = [
        {
            "asset_id": asset,
            "field": field,
            "day": FIRST + timedelta(days=day),
            "value": value,
            "high": value,
            "raw_sha": f"{asset}-{field}-{day}",
        }
        for (asset, field, day), value in cells.items()
    ]
    return table(engine, schema.CURATED, rows)


def last_known(cells, asset, field, day):
    known = [(at, value) for (name, kind, at), value in cells.items() if (name, kind) == (asset, field) and at <= day]
    return max(known) if known else None


def expected(cells):
    """The panel, one cell at a time: day, price, age, supply tier, cap and state."""
    rows = {}
    for asset, kind in KINDS.items():
        sized = [at for (name, field, at) in cells if name == asset and field in ("price_usd", "market_cap_usd")]
        for day in range(min(sized, default=DAYS), DAYS):
            rows[(asset, day)] = reference_row(cells, asset, kind, day)
    return rows


def reference_row(cells, asset, kind, day):
    price, vendor = (last_known(cells, asset, field, day) for field in ("price_usd", "market_cap_usd"))
    tiers = [(letter, last_known(cells, asset, field, day)) for field, letter in TIERS.items()]
    present = [(letter, fact) for letter, fact in tiers if fact]
    recent = [(letter, fact) for letter, fact in present if day - fact[0] <= SUPPLY_DAYS]
    tier, supply = next(iter(recent + present), (None, None))
    dollars = price[1] * supply[1] if price and supply else None
    if vendor and not (price and supply):
        tier, dollars = "V", vendor[1]
    age = day - (price or vendor)[0]
    patience = 7 if kind == "token" else 35
    state = "fresh" if age <= 1 else "carried" if age <= 3 else "stale" if age <= patience else "inactive"
    cap = None if dollars is None else round(dollars * 1_000_000)
    gone = 0 if kind == "token" else None
    return (price and price[1], tier, gone if age > patience else cap, state)


def found(rows):
    return {
        (row["asset_id"], (row["day"] - FIRST).days): (row["price"], row["supply_tier"], row["cap"], row["state"])
        for row in rows
    }


cells = st.dictionaries(
    st.tuples(st.sampled_from(sorted(KINDS)), st.sampled_from(FIELDS), st.integers(0, DAYS - 1)),
    st.integers(1, 1_000_000).map(float),
    min_size=1,
    max_size=25,
)


@settings(max_examples=examples(12))
@given(cells=cells)
def test_the_panel_equals_a_reading_of_the_rules_in_plain_python(engine, cells):
    last = FIRST + timedelta(days=DAYS - 1)

    rows = engine.rows(panel(engine, best(engine, cells), assets(engine), FIRST, last))

    assert found(rows) == expected(cells)


@settings(max_examples=examples(8))
@given(cells=cells, cut=st.integers(0, DAYS - 2))
def test_one_more_day_from_the_facts_of_the_day_before_equals_the_whole_history(engine, cells, cut):
    day, last = FIRST + timedelta(days=cut), FIRST + timedelta(days=DAYS - 1)
    rows, who = best(engine, cells), assets(engine)
    whole = engine.run(panel(engine, rows, who, FIRST, last)).sort_by(KEY)

    earlier = engine.run(panel(engine, rows, who, FIRST, day))
    known = engine.table(engine.run(last_facts(facts(rows.filter(rows.day <= day)))), FACTS)
    later = engine.run(panel(engine, rows, who, day + timedelta(days=1), last, known))
    both = pa.concat_tables([earlier, later]).sort_by(KEY)

    assert both.equals(whole)


@settings(max_examples=examples(8))
@given(cells=cells, cut=st.integers(0, DAYS - 1))
def test_a_new_day_from_the_facts_at_its_end_equals_the_panel_of_that_day(engine, cells, cut):
    day, last = FIRST + timedelta(days=cut), FIRST + timedelta(days=DAYS - 1)
    rows, who = best(engine, cells), assets(engine)
    whole = engine.run(panel(engine, rows, who, FIRST, last))

    known = engine.run(last_facts(facts(rows.filter(rows.day <= day))))
    fields = tuple(sorted(set(known["field"].to_pylist())))
    given = {"facts": engine.table(known, FACTS), "curated": rows, "assets": who}
    alone = engine.run(Statement(day_rows, **given, day=day, fields=fields))

    assert alone.sort_by("asset_id").equals(whole.filter(pc.equal(whole["day"], day)).sort_by("asset_id"))


@settings(max_examples=examples(8))
@given(cells=cells, cut=st.integers(0, DAYS - 2))
def test_the_facts_of_one_more_day_are_those_of_all_days_up_to_it(engine, cells, cut):
    eve = FIRST + timedelta(days=cut)
    day, rows = eve + timedelta(days=1), best(engine, cells)
    older, known = (engine.run(last_facts(facts(rows.filter(rows.day <= last)))) for last in (eve, day))

    found = engine.run(Statement(day_facts, curated=rows, before=engine.table(older, FACTS), day=day))

    key = [("asset_id", "ascending"), ("field", "ascending")]
    assert found.sort_by(key).equals(known.sort_by(key))


def observed(engine: Engine, prices, source="one", volume=None):
    """Returns DAILY rows of one asset: prices by day, and a constant volume where given."""
    at = datetime(2025, 1, 1, tzinfo=UTC)
    shared = {"asset_id": "a", "source": source, "observed_at": at, "valid_time": at, "raw_sha": source}
    rows = []
    for day, price in prices.items():
        fields = {"price_usd": price} | ({"volume_usd_24h": volume} if volume else {})
        for field, value in fields.items():
            when = FIRST + timedelta(days=day)
            rows.append({**shared, "field": field, "day": when, "value": value, "low": value, "high": value})
    return table(engine, schema.DAILY, rows)


def prices_of(engine: Engine, rows):
    rows = engine.rows(rows.filter(rows.field == "price_usd").order_by("day"))
    return {(row["day"] - FIRST).days: (row["value"], row["rule"]) for row in rows}


def steady(days):
    return {day: 100.0 + day % 2 for day in range(days)}


def test_a_price_spike_without_a_second_source_is_set_aside_and_the_next_price_is_believed(engine):
    prices = prices_of(engine, curated(engine, observed(engine, steady(40) | {30: 1000.0})))

    assert prices[30] == (None, "jump-rejected/1")
    assert prices[31] == (101.0, "single/1")


def test_a_new_level_is_believed_on_its_second_day(engine):
    prices = prices_of(engine, curated(engine, observed(engine, steady(30) | dict.fromkeys(range(30, 40), 1000.0))))

    assert prices[30] == (None, "jump-rejected/1")
    assert prices[31] == (1000.0, "single/1")


def test_a_jump_that_a_second_source_confirms_counts(engine):
    one = observed(engine, steady(30) | {30: 1000.0})
    both = one.union(observed(engine, {30: 1010.0}, "two"))

    assert prices_of(engine, curated(engine, both))[30] == (1000.0, "median/1")


def supplied(engine: Engine, supplies):
    at = datetime(2025, 1, 1, tzinfo=UTC)
    shared = {"asset_id": "a", "source": "one", "observed_at": at, "valid_time": at, "raw_sha": "one"}
    rows = [
        {**shared, "field": "supply_circulating", "day": FIRST + timedelta(days=day), "value": value}
        for day, value in supplies.items()
    ]
    return table(engine, schema.DAILY, rows)


@pytest.mark.parametrize("factor", [1000.0, 0.01])
def test_a_redenomination_counts_at_once_because_the_supply_moves_inversely(engine, factor):
    prices = steady(30) | {day: (100.0 + day % 2) * factor for day in range(30, 40)}
    supplies = dict.fromkeys(range(30), 1e9) | dict.fromkeys(range(30, 40), 1e9 / factor)
    daily = observed(engine, prices).union(supplied(engine, supplies))

    chosen = curated(engine, daily)

    assert prices_of(engine, chosen) == {day: (price, "single/1") for day, price in prices.items()}
    caps = {
        (row["day"] - FIRST).days: row["cap"]
        for row in engine.rows(panel(engine, chosen, assets(engine), FIRST, FIRST + timedelta(days=39)))
    }
    assert all(99 * 10**15 < caps[day] < 102 * 10**15 for day in range(40))


@pytest.mark.parametrize("after", [1e9, 1.05e9, 1e10, 1e7])
def test_a_spike_is_set_aside_where_the_supply_stays_or_moves_by_another_factor(engine, after):
    supplies = dict.fromkeys(range(30), 1e9) | dict.fromkeys(range(30, 40), after)
    daily = observed(engine, steady(40) | {30: 1000.0}).union(supplied(engine, supplies))

    assert prices_of(engine, curated(engine, daily))[30] == (None, "jump-rejected/1")


def test_the_median_follows_the_volume(engine):
    parts = [observed(engine, {0: price}, f"v{price}", volume) for price, volume in ((10.0, 1), (11.0, 1), (12.0, 9))]

    (row,) = engine.rows(
        curated(engine, parts[0].union(parts[1]).union(parts[2])).filter(lambda t: t.field == "price_usd")
    )

    assert (row["value"], row["sources"], row["rule"]) == (12.0, 3, "median/1")
    assert row["spread"] == pytest.approx(0.2)


@settings(max_examples=examples(8))
@given(steps=st.lists(st.sampled_from([0.9, 1.0, 1.1, 5.0, 0.2]), min_size=90, max_size=90), cut=st.integers(60, 89))
def test_a_days_choice_needs_no_rows_older_than_the_lookback(engine, steps, cut):
    prices, level = {}, 100.0
    for day, step in enumerate(steps):
        level = min(max(level * step, 1e-6), 1e9)
        prices[day] = level
    daily = observed(engine, prices)
    start = FIRST + timedelta(days=cut)

    whole = {day: row for day, row in prices_of(engine, curated(engine, daily)).items() if day >= cut}
    short = prices_of(engine, curated(engine, daily.filter(daily.day >= start - LOOKBACK), start))

    assert short == whole
