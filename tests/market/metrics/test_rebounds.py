"""Rebounds: exact dates, bands by the cap of a week before, filters, and distances to the high."""

import csv
import gzip
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.core.errors import InvalidInput
from mercato.market.metrics.rebounds import ranked, rebounds, refusals
from mercato.market.model import Query
from mercato.market.testing import days, inputs

LAST = date(2025, 2, 14)


def token(asset_id, before, now, *, age=30, high=None, **more):
    """Daily rows that stay at `before` until a week ago and then at `now`; an optional high on the first day."""
    prices = [before] * (age - 6) + [now] * 7
    prices[0] = high or prices[0]
    return days(asset_id, LAST - timedelta(days=age), prices, **{"volume": 1e6, **more})


def pool(asset_id, value, day=LAST):
    return {"asset_id": asset_id, "field": "liquidity_usd", "day": day, "value": value}


def ask(duck, *tokens, pools=(), **params):
    panel = [row for rows in tokens for row in rows]
    return rebounds(inputs(duck, panel=panel, curated=pools), Query(as_of=LAST, params=params))


def grid(result, name="ranking"):
    found = next(item for item in result.grids if item.name == name)
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


def test_a_token_is_ranked_in_the_band_of_its_cap_a_week_ago(duck):
    result = ask(duck, token("a", 9e6, 20e6), token("b", 10e6, 10e6), token("c", 1e9, 0.5e9), token("d", 999e6, 1e9))

    assert [(row["asset_id"], row["band"], row["return"]) for row in grid(result)] == [
        ("a", "micro", "1.22222222"),
        ("d", "mid", "0.001001001"),
        ("b", "small", "0"),
        ("c", "large", "-0.5"),
    ]


def test_the_drawdown_from_the_high_and_the_gain_to_it_are_shown(duck):
    [row] = grid(ask(duck, token("a", 1e6, 2e6, high=8e6)))

    assert (row["high_close"], row["high_close_day"]) == ("8000000", "2025-01-15")
    assert (row["drawdown"], row["required_gain"]) == ("-0.75", "3")


def test_the_breadth_tells_a_rebound_from_a_rising_market(duck):
    result = ask(duck, token("a", 1e6, 2e6), token("b", 1e6, 1.05e6), token("c", 1e6, 0.9e6), token("d", 1e6, 1e6))

    assert result.figure("risen-share", band="all").value == "0.5"
    assert result.figure("rebounded-share", band="all").value == "0.25"
    assert result.figure("median-return", band="all").value == "0.025"
    assert result.figure("tokens", band="micro").value == "4"
    assert result.figure("risen-share", band="large").value is None


def test_the_days_are_calendar_days_not_rows(duck):
    rows = [row for row in token("a", 1e6, 2e6) if row["day"] != LAST - timedelta(days=7)]
    result = ask(duck, rows)

    assert grid(result) == []
    assert grid(result, "left-out") == [{"asset_id": "a", "symbol": "A", "reasons": "no-price-at-both-ends"}]


def test_prices_older_than_a_day_do_not_count(duck):
    rows = token("a", 1e6, 2e6)
    old = [*rows[:-1], {**rows[-1], "price_age": 2, "state": "carried"}]

    assert grid(ask(duck, old)) == []


@pytest.mark.parametrize(
    ("facts", "reasons"),
    [
        ({}, []),
        ({"listed_days": 13}, ["young"]),
        ({"liquidity": 249_999.0}, ["illiquid"]),
        ({"liquidity": 10_000.0, "cap": 10**12}, []),
        ({"liquidity": 9_999.0, "cap": 10**12}, ["illiquid"]),
        ({"liquidity": None, "volume": None}, []),
        ({"volume": 99_999.0}, ["low-volume"]),
        ({"change": None}, ["no-return"]),
    ],
)
def test_filters_refuse_what_is_known_to_be_thin_or_young(facts, reasons):
    row = {"listed_days": 14, "liquidity": 250_000.0, "volume": 100_000.0, "cap": 10**15, "change": 0.1}

    assert refusals({**row, **facts}) == reasons


def test_liquidity_is_the_latest_of_the_last_week_and_unknown_is_flagged(duck):
    pools = [pool("a", 1e6), pool("a", 1.0, LAST - timedelta(days=1)), pool("b", 1.0, LAST - timedelta(days=8))]
    result = ask(duck, token("a", 1e8, 2e8), token("b", 1e8, 2e8), pools=pools)

    assert [(row["asset_id"], row["liquidity"], row["unknown"]) for row in grid(result)] == [
        ("a", "1000000", ""),
        ("b", None, "liquidity"),
    ]
    assert "liquidity-unknown" in result.flags


def test_a_price_of_zero_a_week_ago_gives_no_return(duck):
    result = ask(duck, token("a", 0.0, 2e6))

    assert [row["reasons"] for row in grid(result, "left-out")] == ["no-return"]


def test_a_threshold_that_is_no_number_is_refused(duck):
    with pytest.raises(InvalidInput, match="threshold was 'nan'"):
        ask(duck, token("a", 1.0, 2.0), threshold="nan")


@given(
    changes=st.lists(st.sampled_from([0.1, 0.1 + 1e-12, 0.2, -0.5]), max_size=8),
    order=st.randoms(use_true_random=False),
)
def test_the_ranking_is_the_same_in_any_order(changes, order):
    rows = [{"asset_id": f"t{n}", "change": change} for n, change in enumerate(changes)]
    mixed = list(rows)
    order.shuffle(mixed)

    assert ranked(rows) == ranked(mixed)


def test_grass_rose_56_9_percent_in_a_week_and_was_49_7_percent_down(duck, research):
    with gzip.open(research / "bybit_daily_ohlcv_ai_and_majors.csv.gz", "rt") as lines:
        closes = [
            (date.fromisoformat(row["date"]), float(row["close"]))
            for row in csv.DictReader(lines)
            if row["symbol"] == "GRASS" and row["date"] <= LAST.isoformat()
        ]
    rows = [{**days("grass", day, [close])[0], "listed_days": n} for n, (day, close) in enumerate(closes)]
    [row] = grid(rebounds(inputs(duck, panel=rows), Query(as_of=LAST)))

    assert float(row["return"]) == pytest.approx(0.569, abs=0.0005)
    assert float(row["drawdown"]) == pytest.approx(-0.497, abs=0.0005)
