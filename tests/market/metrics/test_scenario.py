"""Scenarios (M14): what a multiple needs, how often it happened at the time, what an exit pays."""

import csv
import gzip
import math
from datetime import date, timedelta
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.core.errors import InvalidInput
from mercato.market.metrics import base_rates as history
from mercato.market.metrics import scenario, subject
from mercato.market.metrics.level import members
from mercato.market.metrics.plan import cents, usd_text
from mercato.market.metrics.series import asset_closes, beta, level_closes, worst_fall
from mercato.market.model import Query
from mercato.market.testing import days, inputs
from tests.market.metrics.golden import compare
from tests.profiles import examples

LAST = date(2025, 3, 31)
STABLE = (
    "BUSD DAI EURC EURS FDUSD FEI FRAX GUSD HUSD PAX PAXG PYUSD RLUSD SAI SUSD TUSD USD1 USDC USDD USDK USDN USDP USDT "
    "USDe UST USTC VAI XAUT XAUt"  # codespell:ignore vai
)


def ending(values, asset="a", **more):
    return days(asset, LAST - timedelta(days=len(values) - 1), values, **more)


def point(asset, day, price, cap):
    both = (("price_usd", price), ("market_cap_usd", cap))
    return [{"asset_id": asset, "field": field, "day": day, "value": value} for field, value in both]


def months(asset, prices, cap=5e8, first=24 * 12):
    """Curated month starts from January 2024; None where the asset has left."""
    starts = [(date(2000 + (first + at) // 12, (first + at) % 12 + 1, 1), price) for at, price in enumerate(prices)]
    return [row for day, price in starts if price is not None for row in point(asset, day, price, cap)]


def ask(duck, panel=(), curated=(), assets=(), as_of=LAST, **params):
    query = Query(as_of=as_of, params={name: str(value) for name, value in params.items()})
    return scenario.scenario(inputs(duck, panel=panel, curated=curated, assets=assets), query)


def token(asset_id, **more):
    return {"asset_id": asset_id, "kind": "token", "sector": "ai-agents", **more}


def value(result, name, **dims):
    return result.figure(name, **dims).value


def test_the_required_cap_is_in_exact_micro_dollars(duck):
    panel = [*ending([2_000_000.000001] * 40, supply_max=3.0), *ending([6_000_000.0] * 40, asset="b")]

    result = ask(duck, panel, asset="a", multiple=10, dilution=0.5)

    assert value(result, "required-cap", asset="a") == "30000000.000015"
    assert value(result, "required-cap-fully-diluted", asset="a") == "60000000.00003"
    assert float(value(result, "required-of-sector", asset="a")) == pytest.approx(3.75)
    assert float(value(result, "required-of-record", asset="a")) == pytest.approx(5)
    assert value(result, "record-cap", of=f"b on {LAST - timedelta(days=39)}") == "6000000.00"
    assert {scenario.ADVICE} <= set.intersection(*(set(figure.flags) for figure in result.figures))


def test_without_dilution_the_assumption_is_said(duck):
    result = ask(duck, ending([2_000_000.0] * 40), asset="a")

    assert "no-dilution-assumed" in result.figure("required-cap", asset="a").flags


@pytest.mark.parametrize(
    ("budget", "multiple", "part", "proceeds"),
    [(5000, 100, 1 / 2, "250000.00"), (5000, 10, 10 / 11, "45454.54"), (500, 100, 10 / 11, "45454.54")],
)
def test_the_exit_of_a_million_dollar_pool_is_as_published(duck, budget, multiple, part, proceeds):
    result = ask(duck, ending([2e8] * 40), asset="a", budget=budget, multiple=multiple, pool_usd=1_000_000)

    assert float(value(result, "exit-part")) == pytest.approx(part)
    assert value(result, "exit-proceeds") == proceeds
    assert "pool-assumed" in result.figure("pool").flags


def test_an_unknown_pool_stays_unknown(duck):
    result = ask(duck, ending([2e8] * 40), asset="a")

    assert "pool-unknown" in result.flags
    names = ("pool", "exit-part", "exit-proceeds", "entry-cost", "size", "size-bound")
    assert {value(result, name) for name in names} == {None}


def test_a_known_pool_is_used_while_it_is_recent(duck):
    def pool(day, depth):
        return {"asset_id": "a", "field": "liquidity_usd", "day": day, "value": depth}

    rows = [pool(LAST - timedelta(days=29), 8e5), pool(LAST - timedelta(days=31), 4e5), pool(LAST, None)]

    assert value(ask(duck, ending([2e8] * 40), rows, asset="a"), "pool") == "800000"
    assert value(ask(duck, ending([2e8] * 40), rows[1:2], asset="a"), "pool") is None


@pytest.mark.parametrize("budget", ["499.99", "5000.01", "1000.001", "NaN", "many", "-500", "1e9"])
def test_a_budget_outside_500_to_5000_or_below_a_cent_is_refused(budget):
    with pytest.raises(InvalidInput, match="budget was"):
        cents(budget)


@pytest.mark.parametrize(
    ("name", "given_text"), [("multiple", "9"), ("multiple", "101"), ("asset", "nobody"), ("leverage", "3")]
)
def test_a_wrong_parameter_is_refused(duck, name, given_text):
    with pytest.raises(InvalidInput):
        ask(duck, ending([2e8] * 3), **{name: given_text})


@given(st.integers(50_000, 500_000))
def test_money_text_round_trips(amount):
    assert cents(usd_text(amount) or "") == amount


def test_with_no_asset_named_the_largest_of_the_sector_stands(duck):
    result = ask(duck, [*ending([2e8] * 3), *ending([3e8] * 3, asset="b"), *ending([9e8] * 3, asset="c", weight=0)])

    assert value(result, "cap", asset="b") == "300000000.00"
    assert "largest-of-sector" in result.flags


def test_without_data_nothing_is_invented(duck):
    result = ask(duck)

    assert {"no-data", "cap-unknown", "pool-unknown", "no-base-rates", scenario.ADVICE} == set(result.flags)
    told = {figure.name for figure in result.figures if figure.value is not None}
    assert told == {"budget", "mark"}


def test_a_token_that_left_counts_as_a_loss_and_survivors_stand_beside(duck):
    rows = [
        *months("up", [1.0, 12.0, *[2.0] * 12]),
        *months("gone", [1.0, 0.4, *[None] * 12]),
        *months("back", [1.0, None, 11.0, *[None] * 9, 0.9, 0.9]),
    ]
    found = history.outcomes(points(duck, rows, date(2025, 3, 1)))
    january = {row["asset_id"]: row for row in duck.rows(found) if row["month"] == 2024 * 12 + 1}

    assert [(january[name]["touch"], january[name]["end"]) for name in ("up", "gone", "back")] == [
        (12.0, 2.0), (0.4, None), (11.0, 0.9),
    ]  # fmt: skip
    (row,) = duck.rows(history.rates(found.filter(found.month == 2024 * 12 + 1), 10))
    assert {name: row[name] for name in ("starts", "hits", "hits_100", "left", "below_half", "survivor_hits")} == {
        "starts": 3, "hits": 2, "hits_100": 0, "left": 1, "below_half": 1, "survivor_hits": 2,
    }  # fmt: skip


def points(engine, rows, last, assets=None):
    ids = sorted({row["asset_id"] for row in rows})
    found = inputs(engine, curated=rows, assets=assets or [token(name) for name in ids])
    return history.points(found.curated, found.assets, last)


def test_a_start_needs_its_twelve_months_to_have_passed(duck):
    found = history.outcomes(points(duck, months("a", [1.0] * 13), date(2025, 1, 31)))

    assert [row["month"] for row in duck.rows(found)] == [2024 * 12 + 1]


def test_stablecoins_and_wrapped_tokens_have_no_base_rate(duck):
    rows = [row for name in ("a", "usd", "wrapped", "share") for row in months(name, [1.0] * 13)]
    assets = [token("a"), token("usd", sector="Stablecoin"), token("wrapped", wraps="a"), token("share", kind="equity")]

    found = duck.rows(points(duck, rows, date(2025, 1, 31), assets))

    assert {row["asset_id"] for row in found} == {"a"}


def test_a_point_is_the_first_known_day_of_the_first_week(duck):
    rows = [*point("a", date(2024, 1, 3), 3.0, 9e8), *point("a", date(2024, 1, 2), 2.0, 8e8)]
    rows += [*point("b", date(2024, 1, 8), 1.0, 8e8), {**point("c", date(2024, 1, 1), 1.0, 1.0)[0]}]
    rows += point("d", date(2024, 1, 1), 0.0, 5e8)

    assert duck.rows(points(duck, rows, date(2024, 1, 31))) == [
        {"asset_id": "a", "month": 2024 * 12 + 1, "year": 2024, "price": 2.0, "cap": 8e8}
    ]


@pytest.mark.parametrize(
    ("cap", "band"),
    [(0.0, "<30M"), (3e7, "30M-100M"), (2.99e8, "100M-300M"), (3e8, "300M-1B"), (1e9, "1B-10B"), (1e13, ">=10B")],
)
def test_a_band_holds_its_lower_bound(duck, cap, band):
    row = duck.rows(inputs(duck, curated=[{"value": cap}]).curated.select(band=history.band_of(_value())))

    assert (history.band_name(cap), row) == (band, [{"band": band}])


def _value():
    import ibis

    return ibis._.value


def test_size_is_bounded_by_loss_and_is_nothing_where_no_exit_would_pay(duck):
    curated = [row for at in range(40) for row in months(f"t{at}", [1.0, 50.0, *[3.0] * 12])]
    panel = ending([5e8] * 40)
    assets = [token("a"), *(token(f"t{at}") for at in range(40))]

    result = ask(duck, panel, curated, assets, asset="a", budget=1000, pool_usd=1e9, max_loss=0.1)
    shallow = ask(duck, panel, curated, assets, asset="a", budget=1000, pool_usd=2000, max_loss=0.1)

    assert (value(result, "size"), value(result, "size-bound")) == ("100.00", "max_loss")
    assert (value(shallow, "size"), value(shallow, "size-bound")) == ("0.00", "kelly")
    assert value(result, "touch-rate", band="300M-1B", year="2024") == "0.5"  # January touches, February does not
    assert value(result, "starts", band="300M-1B", year="2024") == "80"


def test_beta_and_the_worst_fall_make_the_joint_loss(duck):
    sector = [100.0 * math.exp(0.02 * (at % 2)) for at in range(60)]
    twice = [100.0 * math.exp(0.04 * (at % 2)) for at in range(60)]
    panel = [*ending(twice, asset="a", weight=0), *ending(sector, asset="s")]

    result = ask(duck, panel, asset="a", sector_fall=0.5)

    assert float(value(result, "beta")) == pytest.approx(2)
    assert float(value(result, "joint-loss")) == pytest.approx(0.75)
    measured = ask(duck, panel, asset="a")
    assert float(value(measured, "sector-fall")) == pytest.approx(1 - math.exp(-0.02))
    assert "worst-of-365-days" in measured.figure("sector-fall").flags


@settings(max_examples=examples(20), deadline=None)
@given(st.lists(st.none() | st.sampled_from([0.1, 0.5, 1.0, 5.0, 50.0]), min_size=1, max_size=20))
def test_outcomes_agree_with_a_plain_reading(duck, prices):
    found = history.outcomes(points(duck, months("a", prices), date(2030, 1, 1)))
    known = {at: price for at, price in enumerate(prices) if price is not None}
    last = max(known, default=0)
    expected = {
        2024 * 12 + 1 + at: (
            max((round(known[then] / price, 9) for then in known if at < then <= at + 12), default=0.0),
            round(known[at + 12] / price, 9) if at + 12 in known else None,
        )
        for at, price in known.items()
        if at + 12 <= last
    }

    assert {row["month"]: (row["touch"], row["end"]) for row in duck.rows(found)} == expected


@pytest.fixture(scope="module")
def listed(research):
    """Curated rows and assets of the 200 largest coins at each month start; a coin is its name and symbol together."""
    rows, assets = [], {}
    with gzip.open(research / "cmc_monthly_top200_2020_2025.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            name, text = f"{row['Name']}|{row['Symbol']}", row["snapshot_date"]
            sector = "stablecoin" if row["Symbol"] in STABLE.split() else ""
            assets[name] = {"asset_id": name, "kind": "token", "sector": sector}
            day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
            rows += point(name, day, float(row["Price"]), float(row["Market Cap"]))
    return rows, list(assets.values())


def test_the_published_base_rates_come_out_of_the_listing(duck, listed):
    rows, assets = listed
    found = history.outcomes(points(duck, rows, date(2025, 10, 1), assets))
    table = {row["year"]: row for row in duck.rows(history.rates(found, 10)) if row["band"] == "300M-1B"}

    def percent(column):
        return [round(100 * table[year][column] / table[year]["starts"], 1) for year in range(2020, 2025)]

    assert percent("hits_10") == [19.9, 2.1, 0.0, 0.8, 0.5]
    assert percent("hits_100") == [3.0, 0.1, 0.0, 0.0, 0.0]
    assert round(percent("below_half")[-1]) == 55
    ends = duck.rows(history.ends(found))
    assert round(median(row["counted"] for row in ends), 2) == 0.43
    assert round(median(row["end"] for row in ends if row["end"] is not None), 2) == 0.91


@pytest.mark.spark
def test_base_rates_agree_on_both_engines(duck, spark):
    rows = [*months("a", [1.0, 12.0, None, *[2.0] * 14]), *months("b", [1.0, 0.4, None, 7.0], cap=2e7)]
    rows += [{"asset_id": "a", "field": "supply_circulating", "day": date(2024, 3, 1), "value": 10.0}]
    rows += [{"asset_id": "a", "field": "price_usd", "day": date(2024, 3, 1), "value": 3.0}]
    assets = [token("a"), token("b", wraps=""), token("c", sector=None)]

    def points(given):
        return history.points(given.curated, given.assets, date(2030, 1, 1))

    def rates(given):
        return history.rates(history.outcomes(points(given)), 10)

    def outcomes(given):
        return history.outcomes(points(given))

    shared = {"curated": rows, "assets": assets}
    assert compare(duck, spark, points, ("asset_id", "month"), **shared) == 20
    assert compare(duck, spark, outcomes, ("asset_id", "month"), **shared) == 8
    assert compare(duck, spark, rates, ("year", "band"), **shared) == 2


@pytest.mark.spark
def test_surroundings_agree_on_both_engines(duck, spark):
    panel = [*ending([100.0, 90.0, 120.0, 60.0, 61.0]), *ending([5.0, 6.0, 5.0, 5.5, 5.0], asset="b")]
    query = Query(as_of=LAST)

    def sector(given):
        return level_closes(members(given.panel, "ai", None, LAST))

    def both(given):
        return beta(asset_closes(given.panel, "b", date(2025, 1, 1), LAST), sector(given))

    assert compare(duck, spark, both, ("days",), panel=panel) == 1
    assert compare(duck, spark, lambda g: worst_fall(sector(g)), ("days",), panel=panel) == 1
    assert compare(duck, spark, lambda g: subject.record(g.panel, "ai", query), ("day",), panel=panel) == 1
    assert compare(duck, spark, lambda g: subject.largest(g.panel, "ai", query), ("asset_id",), panel=panel) == 1
