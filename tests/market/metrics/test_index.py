"""Sector index: caps, reconstitution, delisting, migration and continuity."""

import itertools
from datetime import date, timedelta
from math import isclose

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.market.metrics.basket import cap_factors, choose, rebalance_days, reconstitute
from mercato.market.metrics.index import chain, sector_index, spans, tracks
from mercato.market.model import Query
from mercato.market.testing import days, inputs
from tests.profiles import examples

FIRST = date(2025, 1, 1)


def index(duck, *rows, days_=40, **more):
    panel = [row for asset in rows for row in asset]
    return sector_index(inputs(duck, panel=panel, **more), Query(as_of=FIRST + timedelta(days=days_ - 1)))


def value(result, name="index", variant="capped"):
    return result.figure(name, variant=variant).value


def grid(result, name):
    found = next(item for item in result.grids if item.name == name)
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


def test_the_first_day_is_1000_and_one_token_follows_its_price(duck):
    result = index(duck, days("a", FIRST, [2.0, 3.0]), days_=2)

    assert value(result, "base-day") == "2025-01-01"
    assert value(result) == value(result, variant="uncapped") == value(result, variant="all-members") == "1500"
    assert value(result, "since-base") == "0.5"


def test_supply_growth_is_no_performance(duck):
    rows = days("a", FIRST, [2.0]) + days("a", FIRST + timedelta(days=1), [4.0], supply=2.0)
    result = index(duck, rows, days_=2)

    assert {value(result, variant=name) for name in ("capped", "uncapped", "all-members")} == {"1000"}


def test_two_tokens_weigh_half_each_when_capped_and_by_cap_when_not(duck):
    result = index(duck, days("a", FIRST, [9.0, 18.0]), days("b", FIRST, [1.0, 1.0]), days_=2)

    assert value(result) == "1500"  # 1/n = 50 % each: (2 + 1) / 2
    assert value(result, variant="uncapped") == "1900"
    assert value(result, "largest-weight") == "0.5"


def test_a_newcomer_waits_for_its_age_and_does_not_move_the_index(duck):
    old = days("a", FIRST, [1.0] * 95)
    new = days("b", FIRST + timedelta(days=10), [5.0] * 85)
    result = index(duck, old, new, days_=95)
    entered = {row["from"] for row in grid(result, "constituents") if row["asset_id"] == "b"}

    assert entered == {"2025-03-01", "2025-04-01"}  # born on 11 January: 16 days old at the freeze of 1 February
    assert {row["capped"] for row in grid(result, "daily")} == {"1000"}


def test_a_member_without_a_price_for_a_week_counts_zero_from_that_day_and_stays_there(duck):
    dead = days("b", FIRST, [1.0] * 5) + days("b", FIRST + timedelta(days=5), [0.0] * 2, price=1.0, state="inactive")
    back = days("b", FIRST + timedelta(days=7), [50.0] * 3)
    result = index(duck, days("a", FIRST, [1.0] * 10), dead + back, days_=10)

    assert [row["uncapped"] for row in grid(result, "daily")] == ["1000"] * 5 + ["500"] * 5


def test_a_token_that_a_monthly_source_prices_is_neither_in_the_first_basket_nor_a_loss(duck):
    sparse = days("b", FIRST, [1.0]) + [
        {**days("b", FIRST + timedelta(days=n), [1.0], price_age=n, state=state)[0], "cap": cap}
        for n, state, cap in [(n, "stale", 10**6) for n in range(1, 8)] + [(8, "inactive", 0), (9, "inactive", 0)]
    ]
    result = index(duck, days("a", FIRST, [1.0] * 10), sparse, days_=10)

    assert {row["uncapped"] for row in grid(result, "daily")} == {"1000"}
    assert {row["asset_id"] for row in grid(result, "constituents")} == {"a"}


def test_a_migration_continues_by_its_unit_factor(duck):
    old = days("old", FIRST, [4.0] * 3) + days("old", FIRST + timedelta(days=3), [4.0] * 2, weight=0)
    new = days("new", FIRST + timedelta(days=3), [1.0, 1.1], supply=2.0)  # price 0.5 and 0.55
    moves = [{"from_asset": "old", "to_asset": "new", "day": FIRST + timedelta(days=3), "factor": 8.0}]
    result = index(duck, old, new, days_=5, migrations=moves)

    assert [row["capped"] for row in grid(result, "daily")] == ["1000", "1000", "1000", "1000", "1100"]


def test_an_index_whose_last_member_died_ends(duck):
    rows = days("a", FIRST, [1.0] * 20) + days("a", FIRST + timedelta(days=20), [0.0] * 20, state="inactive")
    result = index(duck, rows, days("b", FIRST + timedelta(days=10), [1.0] * 85), days_=70)

    assert value(result) is None
    assert "ended" in result.figure("index", variant="capped").flags


def test_without_any_price_there_is_no_index(duck):
    result = index(duck, days("a", FIRST, [None] * 3), days_=3)

    assert value(result) is None
    assert value(result, "base-day") is None


def candidate(asset_id, *, age=100, volume=1e6, tier="B", cap=10**12, priced=30):
    return {
        "asset_id": asset_id, "symbol": asset_id, "day": date(2025, 3, 1), "listed_days": age, "volume_30d": volume,
        "supply_tier": tier, "cap": cap, "priced_30d": priced, "price": 1.0, "supply": 1.0,
    }  # fmt: skip


ENOUGH = [candidate(f"t{number}") for number in range(10)]


@pytest.mark.parametrize(
    ("extra", "held", "is_in"),
    [
        (candidate("x"), (), True),
        (candidate("x", age=29), (), False),
        (candidate("x", age=30), (), True),
        (candidate("x", volume=249_999.0), (), False),
        (candidate("x", volume=200_000.0), ("x",), True),
        (candidate("x", volume=199_999.0), ("x",), False),
        (candidate("x", volume=None), (), False),
        (candidate("x", tier="C"), (), False),
        (candidate("x", priced=14), (), False),
        (candidate("x", priced=15), (), True),
    ],
)
def test_with_enough_known_tokens_the_rules_are_strict(extra, held, is_in):
    chosen, flags = choose([*ENOUGH, extra], FIRST, held, ())

    assert ("x" in {row["asset_id"] for row in chosen}) == is_in
    assert flags == []


def test_with_few_tokens_unknown_volume_passes_before_lower_tiers_do():
    unknown = [candidate(f"u{number}", volume=None) for number in range(5)]
    weak = [candidate("weak", tier="D")]
    enough, flags = choose([*ENOUGH[:5], *unknown, *weak], FIRST, (), ())
    fewer, more_flags = choose([*ENOUGH[:4], *unknown, *weak], FIRST, (), ())
    least, most_flags = choose(weak, FIRST, (), ())

    assert (len(enough), flags) == (10, ["liquidity-unknown"])
    assert (len(fewer), more_flags) == (10, ["liquidity-unknown", "supply-tier-relaxed"])
    assert (len(least), most_flags) == (1, ["supply-tier-relaxed", "few-constituents"])


def test_known_low_volume_never_passes():
    assert choose([candidate("x", volume=1.0)], FIRST, (), ())[0] == []


def test_a_month_without_anybody_keeps_the_basket_before():
    rows = [{**candidate("a", age=0), "day": FIRST}]

    assert [item.day for item in reconstitute(rows, FIRST, date(2025, 4, 1), [])] == [FIRST]


def test_reconstitution_is_on_the_first_of_a_month_that_had_its_freeze():
    assert rebalance_days(date(2024, 12, 28), date(2025, 3, 1)) == [date(2025, 2, 1), date(2025, 3, 1)]
    assert rebalance_days(date(2024, 12, 27), date(2025, 1, 31)) == [date(2025, 1, 1)]


@given(
    caps=st.dictionaries(st.text("abcdefgh", min_size=1, max_size=3), st.floats(1e-3, 1e12), min_size=1, max_size=40)
)
def test_no_capped_weight_exceeds_a_tenth_or_the_equal_weight(caps):
    factors = cap_factors(caps)
    weights = {key: caps[key] * factors[key] for key in caps}
    total = sum(weights.values())
    bound = max(0.1, 1 / len(caps))

    assert max(weights.values()) / total <= bound * (1 + 1e-9)
    assert all(0 < factor <= 1 + 1e-9 for factor in factors.values())
    by_cap = sorted(caps, key=lambda key: caps[key])
    assert all(weights[one] <= weights[two] * (1 + 1e-9) for one, two in itertools.pairwise(by_cap))


prices = st.lists(st.floats(1e-6, 1e6), min_size=95, max_size=95)


@settings(max_examples=examples(6), deadline=None)
@given(first=prices, second=prices, late=prices, supply=st.floats(1.0, 1e6))
def test_the_index_is_continuous_at_every_rebalance(duck, first, second, late, supply):
    panel = [*days("a", FIRST, first), *days("b", FIRST, second, supply=supply)]
    panel += days("c", FIRST + timedelta(days=20), late[:75])
    found = tracks(inputs(duck, panel=panel), Query(as_of=FIRST + timedelta(days=94)))

    for item in found.values():
        assert len(item.links) == 4
        for one, two in zip(item.links, item.links[1:], strict=False):
            assert isclose(two.before / one.divisor, two.after / two.divisor, rel_tol=1e-9)
            assert isclose(item.daily[two.day] or 0, two.index, rel_tol=1e-9)


@given(
    values=st.lists(st.floats(1e-3, 1e12), min_size=3, max_size=3),
    after=st.lists(st.floats(1e-3, 1e12), min_size=3, max_size=3),
)
def test_a_link_changes_the_divisor_and_never_the_index(values, after):
    rows = [{**candidate(name, cap=10**9), "day": day} for day in (FIRST, date(2025, 1, 27)) for name in "ab"]
    last = date(2025, 2, 2)
    baskets = reconstitute(rows, FIRST, last, [])
    second = date(2025, 2, 1)
    found = chain(
        baskets, {(0, FIRST): values[0], (0, second): values[1], (1, second): after[1], (1, last): after[2]}, last
    )

    assert isclose(found.daily[second] or 0, 1000 * values[1] / values[0], rel_tol=1e-9)
    assert isclose(found.daily[last] or 0, (found.daily[second] or 0) * after[2] / after[1], rel_tol=1e-9)


def test_a_migration_between_freeze_and_rebalance_starts_with_the_new_token():
    rows = [{**candidate("old", cap=10**9), "day": FIRST}]
    baskets = reconstitute(rows, FIRST, FIRST, [])
    moves = [{"from_asset": "old", "to_asset": "new", "day": FIRST + timedelta(days=2), "factor": 3.0}]

    assert [
        (row["asset_id"], row["uncapped"], row["start"].day, row["end"].day)
        for row in spans(baskets, date(2025, 1, 5), moves)
    ] == [
        ("old", 1.0, 1, 2),
        ("new", 3.0, 3, 5),
    ]
