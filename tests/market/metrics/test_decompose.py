"""Decomposition: price, supply and membership by hand, and exactly summing for any panel."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.market.metrics.decompose import decompose
from mercato.market.metrics.level import sector_level
from mercato.market.model import Query
from mercato.market.testing import days, inputs
from tests.profiles import examples

FIRST = date(2025, 1, 1)
QUERY = Query(as_of=date(2025, 1, 3), days=2)
ONE = date(2025, 1, 1)
TWO, THREE = date(2025, 1, 2), date(2025, 1, 3)


def at(day, asset_id, price, supply, **more):
    return days(asset_id, day, [price * supply], supply=float(supply), **more)[0]


def values(result):
    return {item.name: item.value for item in result.figures}


def grid(result, name):
    return next(item for item in result.grids if item.name == name).rows


def test_price_supply_entry_and_exit_are_told_apart(duck):
    panel = [
        at(ONE, "a", 2.0, 10), at(TWO, "a", 3.0, 10), at(THREE, "a", 3.0, 12),
        at(ONE, "b", 5.0, 1), at(TWO, "b", 4.0, 1),
        at(THREE, "c", 7.0, 1),
    ]  # fmt: skip
    found = values(decompose(inputs(duck, panel=panel), QUERY))

    assert found["price"] == "9.00"  # a: +1 x 10, b: -1 x 1
    assert found["supply"] == "6.00"  # a: 3 x +2
    assert (found["entry"], found["exit"], found["membership"]) == ("7.00", "-4.00", "3.00")
    assert (found["level-start"], found["level-end"], found["change"]) == ("25.00", "43.00", "18.00")
    assert found["price-of-start"] == "0.36"


def test_price_and_supply_moving_together_use_the_old_supply_for_the_price(duck):
    panel = [at(ONE, "a", 2.0, 10), at(TWO, "a", 3.0, 20), at(THREE, "a", 3.0, 20)]
    found = values(decompose(inputs(duck, panel=panel), QUERY))

    assert (found["price"], found["supply"]) == ("10.00", "30.00")


def test_each_asset_and_each_passage_is_named(duck):
    panel = [
        at(ONE, "a", 2.0, 10),
        at(TWO, "a", 3.0, 10),
        at(THREE, "a", 3.0, 10),
        at(ONE, "b", 5.0, 1),
        at(THREE, "c", 7.0, 1),
    ]
    result = decompose(inputs(duck, panel=panel), QUERY)

    assert [row[0] for row in grid(result, "assets")] == ["a", "c", "b"]
    assert grid(result, "membership") == (
        ("2025-01-02", "b", "B", "exit", "5.00"),
        ("2025-01-03", "c", "C", "entry", "7.00"),
    )


def test_going_inactive_is_an_exit_not_a_supply_change(duck):
    panel = [at(ONE, "a", 2.0, 10), at(TWO, "a", 2.0, 10), at(THREE, "a", 2.0, 10)]
    panel += [
        at(ONE, "b", 4.0, 1),
        at(TWO, "b", 4.0, 1, state="stale"),
        {**at(THREE, "b", 4.0, 1), "cap": 0, "state": "inactive"},
    ]
    found = values(decompose(inputs(duck, panel=panel), QUERY))

    assert (found["price"], found["supply"], found["exit"]) == ("0.00", "0.00", "-4.00")


def test_a_vendor_cap_without_supply_splits_by_the_price(duck):
    panel = [{**at(day, "a", price, 1), "supply": None, "cap": cap * 10**6, "supply_tier": "V"}
             for day, price, cap in ((ONE, 2.0, 20), (TWO, 3.0, 30), (THREE, 3.0, 36))]  # fmt: skip
    found = values(decompose(inputs(duck, panel=panel), QUERY))

    assert (found["price"], found["supply"]) == ("10.00", "6.00")


def test_a_zero_price_before_divides_nothing(duck):
    panel = [{**at(day, "a", price, 1), "supply": None, "cap": cap * 10**6}
             for day, price, cap in ((ONE, 0.0, 0), (TWO, 3.0, 30), (THREE, 3.0, 30))]  # fmt: skip
    found = values(decompose(inputs(duck, panel=panel), QUERY))

    assert (found["price"], found["supply"], found["change"]) == ("30.00", "0.00", "30.00")


def test_without_a_level_at_the_start_nothing_is_split(duck):
    result = decompose(inputs(duck, panel=days("a", THREE, [5.0])), QUERY)

    assert values(result)["price"] is None
    assert values(result)["change"] is None
    assert "no-data-at-start" in result.flags


cells = st.one_of(
    st.none(),  # not a member on that day
    st.tuples(st.floats(0, 1e3), st.floats(1e-3, 1e9), st.sampled_from(["fresh", "stale", "inactive"])),
)


def panel_of(table):
    present = [
        (number, offset, *cell) for number, column in enumerate(table) for offset, cell in enumerate(column) if cell
    ]
    rows = [
        at(FIRST + timedelta(days=offset), f"t{number}", price, supply, state=state)
        for number, offset, price, supply, state in present
    ]
    return [{**row, "cap": row["cap"] * (row["state"] != "inactive")} for row in rows]


@settings(max_examples=examples(12), deadline=None)
@given(table=st.lists(st.lists(cells, min_size=4, max_size=4), min_size=1, max_size=4))
def test_the_effects_sum_to_the_change_of_the_level_exactly(duck, table):
    anchor = days("anchor", FIRST, [1.0, 1.5, 1.25, 1.0])
    given_ = inputs(duck, panel=[*anchor, *panel_of(table)])
    query = Query(as_of=FIRST + timedelta(days=3), days=3)
    found = {name: Decimal(value or 0) for name, value in values(decompose(given_, query)).items()}
    start = sector_level(given_, Query(as_of=FIRST)).figure("level").value
    end = sector_level(given_, Query(as_of=query.as_of)).figure("level").value

    assert found["change"] == Decimal(end or 0) - Decimal(start or 0)
    assert found["price"] + found["supply"] + found["membership"] == found["change"]
    assert found["entry"] + found["exit"] == found["membership"]
