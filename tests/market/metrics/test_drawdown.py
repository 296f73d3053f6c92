"""Drawdown of the level, the index and tokens, by hand and on real closes."""

import csv
import gzip
from datetime import date, timedelta

import pytest

from mercato.market.metrics.drawdown import drawdown, required_gain
from mercato.market.model import Query
from mercato.market.testing import days, inputs

FIRST = date(2025, 1, 1)
LAST = date(2025, 1, 4)


def at(asset_id, *rows):
    """Rows of one asset: (price, supply) by day, with an intraday high of 1.5 times the close."""
    return [
        {
            **days(asset_id, FIRST + timedelta(days=n), [price * supply], supply=float(supply))[0],
            "price_high": price * 1.5,
        }
        for n, (price, supply) in enumerate(rows)
    ]


def tokens(result):
    found = next(item for item in result.grids if item.name == "tokens")
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


def test_level_and_index_fall_apart_when_supply_grows(duck):
    result = drawdown(inputs(duck, panel=at("a", (2, 10), (4, 10), (2, 20), (1, 60))), Query(as_of=LAST))

    assert result.figure("drawdown", of="level").value == "0"  # 60 is the highest level
    assert result.figure("high-day", of="level").value == "2025-01-04"
    assert result.figure("drawdown", of="index-uncapped").value == "-0.75"
    assert result.figure("required-gain", of="index-uncapped").value == "3"
    assert result.figure("high-day", of="index-capped").value == "2025-01-02"
    assert result.figure("high", of="level").value == "60.00"


def test_the_first_day_of_a_tied_high_counts(duck):
    result = drawdown(inputs(duck, panel=at("a", (4, 1), (4, 1), (2, 1), (2, 1))), Query(as_of=LAST))

    assert result.figure("high-day", of="level").value == "2025-01-01"
    assert tokens(result)[0]["high_close_day"] == "2025-01-01"


def test_tokens_show_close_and_intraday_highs_and_the_gain_they_need(duck):
    panel = at("a", (2, 1), (4, 1), (3, 1), (1, 1)) + at("b", (1, 1), (1, 1), (1, 1), (1, 1))
    result = drawdown(inputs(duck, panel=panel), Query(as_of=LAST))

    assert [row["asset_id"] for row in tokens(result)] == ["a", "b"]
    assert tokens(result)[0] == {
        "asset_id": "a", "symbol": "A", "price": "1", "high_close": "4", "high_close_day": "2025-01-02",
        "drawdown": "-0.75", "required_gain": "3", "high_intraday": "6", "high_intraday_day": "2025-01-02",
        "drawdown_intraday": "-0.833333333", "state": "fresh",
    }  # fmt: skip


def test_a_sector_has_no_intraday_high(duck):
    result = drawdown(inputs(duck, panel=at("a", (2, 1))), Query(as_of=FIRST))

    assert result.figure("intraday-high", of="level").value is None
    assert result.figure("intraday-high", of="level").flags == ("not-simultaneous",)


@pytest.mark.parametrize(("depth", "gain"), [(0.0, 0.0), (-0.5, 1.0), (-1.0, None), (None, None)])
def test_a_total_loss_needs_no_finite_gain(depth, gain):
    assert required_gain(depth) == gain


def test_a_price_of_zero_throughout_gives_no_ratio(duck):
    result = drawdown(inputs(duck, panel=at("a", (0, 1), (0, 1), (0, 1), (0, 1))), Query(as_of=LAST))

    assert tokens(result)[0]["drawdown"] is None
    assert result.figure("drawdown", of="level").value is None


def test_without_data_nothing_is_invented(duck):
    result = drawdown(inputs(duck, panel=at("a", (2, 1))), Query(as_of=LAST))

    assert result.figure("drawdown", of="level").value is None
    assert "no-data" in result.flags


def closes(folder, symbol, until):
    with gzip.open(folder / "bybit_daily_ohlcv_ai_and_majors.csv.gz", "rt") as lines:
        rows = [row for row in csv.DictReader(lines) if row["symbol"] == symbol and row["date"] <= until]
    return [
        {**days(symbol, date.fromisoformat(row["date"]), [float(row["close"])])[0], "price_high": float(row["high"])}
        for row in rows
    ]


def test_virtual_was_69_5_percent_below_its_high_close_on_14_february_2025(duck, research):
    result = drawdown(inputs(duck, panel=closes(research, "VIRTUAL", "2025-02-14")), Query(as_of=date(2025, 2, 14)))
    [token] = tokens(result)

    assert token["high_close_day"] == "2025-01-01"
    assert float(token["high_close"]) == pytest.approx(4.62, abs=0.01)
    assert float(token["drawdown"]) == pytest.approx(-0.695, abs=0.0005)
    assert result.figure("drawdown", of="index-capped").value == token["drawdown"]


def test_goat_was_90_7_percent_below_its_high_close(duck, research):
    result = drawdown(inputs(duck, panel=closes(research, "GOAT", "2025-02-14")), Query(as_of=date(2025, 2, 14)))

    assert float(tokens(result)[0]["drawdown"]) == pytest.approx(-0.907, abs=0.0005)
