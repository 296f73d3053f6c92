"""What parsers make of each source's answers, right and wrong. The shapes are made up; see shapes/README.md."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.market.connectors.connector import pack_assets
from mercato.market.connectors.equities import parse_splits
from mercato.market.connectors.registry import CONNECTORS
from mercato.market.layers.parsers import parser
from mercato.market.model import FIELDS, Parsed, RawDocument
from tests.market.connectors.conftest import EVM, MINT, NOON

SHAPES = Path(__file__).parent / "shapes"
ALPHA = {"alpha-made-up": "tok:alpha"}
PARSERS = {
    "coingecko.markets/1": ("coingecko_markets.json", {**ALPHA, "beta-made-up": "tok:beta"}),
    "coingecko.categories/1": ("coingecko_categories.json", {"artificial-intelligence": "ref:ai"}),
    "coingecko.global/1": ("coingecko_global.json", {"total": "ref:crypto"}),
    "coingecko.chart/1": ("coingecko_chart.json", ALPHA),
    "defillama.prices/1": (
        "defillama_prices.json",
        {"coingecko:alpha-made-up": "tok:alpha", f"solana:{MINT}": "tok:beta"},
    ),
    "defillama.chart/1": ("defillama_chart.json", {"coingecko:alpha-made-up": "tok:alpha"}),
    "defillama.stablecoins/1": ("defillama_stablecoins.json", {"901": "tok:mud", "all": "ref:stable"}),
    "defillama.chains/1": ("defillama_chains.json", {"Base": "ref:base"}),
    "geckoterminal.tokens/1": ("geckoterminal_tokens.json", {EVM.lower(): "tok:alpha"}),
    "dexscreener.tokens/1": ("dexscreener_tokens.json", {EVM.lower(): "tok:alpha"}),
    "equities.daily/1": ("equities_daily.csv", {"one.us": "eq:one"}),
    "sec.companyfacts/1": ("sec_companyfacts.json", {"": "eq:one"}),
    "sec.submissions/1": ("sec_submissions.json", {"": "eq:two"}),
    "sec.cover/1": ("sec_cover.htm", {"": "eq:two"}),
}


def read(name: str, content: bytes | None = None, **more: Any) -> Parsed:
    file, assets = PARSERS[name]
    options = {**pack_assets(assets), "filed": "2026-10-30", **more.pop("options", {})}
    body = (SHAPES / file).read_bytes() if content is None else content
    raw = RawDocument(body, name.partition(".")[0], name, NOON, "GET /made-up", options=options, **more)
    return parser(name)(raw)


def rows(parsed: Parsed) -> list[tuple[str, str, str, float]]:
    return [
        (row["asset_id"], row["field"], row["valid_time"].isoformat(), row["value"])
        for row in parsed.tables["observations"].to_pylist()
    ]


def values(parsed: Parsed) -> dict[tuple[str, str], float]:
    return {(asset, field): value for asset, field, _, value in rows(parsed)}


@pytest.mark.parametrize("name", PARSERS)
def test_contract_every_shape_is_read_without_a_schema_change(name: str) -> None:
    parsed = read(name)

    found = parsed.tables["observations"].to_pylist()
    assert [item for item in parsed.rejected if "schema change" in item.reason] == []
    assert found or name == "sec.submissions/1"
    assert {row["field"] for row in found} <= set(FIELDS)


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html>please wait</html>", id="another page"),
        pytest.param(b'{"status": {"error_code": 1}}', id="an error as JSON"),
        pytest.param(b'[1, "two", null]', id="another array"),
        pytest.param(b"\xff\xfe\x00\x81", id="not text"),
        pytest.param(b"[" * 100_000, id="too deep"),
        pytest.param(b'{"coins": 7, "data": 7, "prices": 7, "peggedAssets": 7}', id="other types"),
        pytest.param(b'{"prices": [[1, NaN]]}', id="not a JSON number"),
        pytest.param(b'"Date', id="an open quote"),
    ],
)
def test_garbage_becomes_a_reject_with_a_reason_and_no_rows(name: str, content: bytes) -> None:
    parsed = read(name, content)

    assert rows(parsed) == []
    assert parsed.rejected
    assert all(item.reason for item in parsed.rejected)


@pytest.mark.parametrize("name", [name for name in PARSERS if not name.startswith(("equities", "sec.cover"))])
def test_another_content_type_is_refused_by_name(name: str) -> None:
    parsed = read(name, media_type="text/html; charset=utf-8")

    assert [item.reason for item in parsed.rejected] == ["wrong content type: was 'text/html', expected JSON"]


@pytest.mark.parametrize("name", PARSERS)
def test_a_truncated_document_loses_only_itself(name: str) -> None:
    file, _ = PARSERS[name]
    content = (SHAPES / file).read_bytes()

    parsed = read(name, content[: len(content) // 2])

    assert parsed.rejected or rows(parsed)


@given(name=st.sampled_from(sorted(PARSERS)), content=st.binary(max_size=300))
def test_no_bytes_make_a_parser_raise(name: str, content: bytes) -> None:
    assert read(name, content).tables["observations"].num_rows >= 0


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(name=st.sampled_from(sorted(PARSERS)), data=st.data())
def test_no_changed_field_makes_a_parser_raise(name: str, data: st.DataObject) -> None:
    """Replaces one value anywhere in the shape by any JSON value."""
    file, _ = PARSERS[name]
    text = (SHAPES / file).read_text()
    pieces = [piece for piece in ('"1.11"', "1.11", "[]", "{}", '"id"', '"data"', '"prices"', '"end"') if piece in text]
    piece = data.draw(st.sampled_from([*pieces, text[:1]]))
    changed = text.replace(piece, json.dumps(data.draw(JSON_VALUES)), 1)

    assert read(name, changed.encode()).tables["observations"].num_rows >= 0


def test_markets_are_joined_by_vendor_id_and_never_by_ticker() -> None:
    parsed = read("coingecko.markets/1")

    assert values(parsed) == {
        ("tok:alpha", "price_usd"): 1.11,
        ("tok:alpha", "market_cap_usd"): 111e6,
        ("tok:alpha", "volume_usd_24h"): 11.1e6,
        ("tok:alpha", "supply_circulating"): 100e6,
        ("tok:alpha", "supply_total"): 200e6,
        ("tok:beta", "price_usd"): 2.22,
        ("tok:beta", "volume_usd_24h"): 0.0,
        ("tok:beta", "supply_total"): 1e9,
        ("tok:beta", "supply_max"): 1e9,
    }
    assert (parsed.skipped, parsed.rejected) == (1, ())


def test_an_unverified_supply_of_zero_is_unknown_and_not_zero() -> None:
    assert ("tok:beta", "market_cap_usd") not in values(read("coingecko.markets/1"))


def test_markets_in_another_currency_are_refused() -> None:
    parsed = read("coingecko.markets/1", options={"vs_currency": "eth"})

    assert [item.reason for item in parsed.rejected] == ["wrong currency: was 'eth', expected 'usd'"]


def test_one_bad_coin_does_not_cost_the_others() -> None:
    coins = json.loads((SHAPES / "coingecko_markets.json").read_text())
    coins[0]["last_updated"] = "whenever"
    coins.insert(1, "not a coin")

    parsed = read("coingecko.markets/1", json.dumps(coins).encode())

    assert {asset for asset, _ in values(parsed)} == {"tok:beta"}
    assert [(item.row, item.reason.partition(":")[0]) for item in parsed.rejected] == [
        (1, "not a time"),
        (2, "schema change"),
    ]


def test_a_price_that_is_text_of_a_number_is_read_and_other_text_rejected() -> None:
    coins = json.loads((SHAPES / "coingecko_markets.json").read_text())
    coins[0]["current_price"], coins[1]["current_price"] = "1.5", "cheap"

    parsed = read("coingecko.markets/1", json.dumps(coins).encode())

    assert values(parsed)["tok:alpha", "price_usd"] == 1.5
    assert [item.reason for item in parsed.rejected] == ["not a number: price_usd of tok:beta"]


def test_an_exact_midnight_point_is_the_close_of_the_day_before() -> None:
    prices = [row for row in rows(read("coingecko.chart/1")) if row[1] == "price_usd"]

    assert [(time[:10], value) for _, _, time, value in prices] == [
        ("2026-11-12", 1.11),
        ("2026-11-13", 1.22),
        ("2026-11-14", 1.33),
        ("2026-11-15", 1.44),
    ]
    assert prices[0][2] == "2026-11-12T23:59:59.999000+00:00"


def test_prices_of_low_confidence_are_rejected_with_that_reason() -> None:
    parsed = read("defillama.prices/1", options={"min_confidence": "0.9"})

    assert rows(parsed) == [("tok:alpha", "price_usd", "2026-11-15T11:58:20+00:00", 1.11)]
    assert [item.reason for item in parsed.rejected] == ["low confidence: was 0.4, below 0.9"]
    assert parsed.skipped == 1


def test_stablecoins_are_summed_over_those_pegged_to_the_dollar() -> None:
    parsed = read("defillama.stablecoins/1")

    assert values(parsed) == {
        ("tok:mud", "supply_circulating"): 1_000_000.5,
        ("tok:mud", "price_usd"): 1.0,
        ("ref:stable", "market_cap_usd"): 1_500_000.5,
    }


def test_dexscreener_takes_the_deepest_pools_price_and_sums_the_rest() -> None:
    parsed = read("dexscreener.tokens/1")

    assert values(parsed) == {
        ("tok:alpha", "price_usd"): 1.11,
        ("tok:alpha", "liquidity_usd"): 50_100.5,
        ("tok:alpha", "volume_usd_24h"): 1_010.5,
    }
    assert parsed.skipped == 1


def test_geckoterminal_reads_numbers_written_as_text() -> None:
    assert values(read("geckoterminal.tokens/1")) == {
        ("tok:alpha", "price_usd"): 1.11,
        ("tok:alpha", "liquidity_usd"): 1_111_111.5,
        ("tok:alpha", "volume_usd_24h"): 22_222.5,
    }


def test_equities_reject_days_without_close_and_keep_the_others() -> None:
    parsed = read("equities.daily/1")

    assert [(time[:10], field, value) for _, field, time, value in rows(parsed) if field == "price_usd"] == [
        ("2024-06-07", "price_usd", 11.1),
        ("2024-06-10", "price_usd", 12.2),
    ]
    assert [item.row for item in parsed.rejected] == [3, 4]


def test_closes_before_a_split_are_put_back_to_what_was_traded() -> None:
    parsed = read("equities.daily/1", options={"splits": "2024-06-10:10"})

    closes = [round(value, 6) for _, field, _, value in rows(parsed) if field == "price_usd"]
    assert closes == [111.0, 12.2]


@pytest.mark.parametrize("text", ["2024-06-10", "2024-06-10:ten", "soon:2"])
def test_a_split_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="splits was"):
        parse_splits(text)


def test_shares_are_known_from_the_day_they_were_filed_and_restatements_keep_both() -> None:
    found = read("sec.companyfacts/1").tables["observations"].to_pylist()

    told = [(row["valid_time"].date(), row["observed_at"].date(), row["value"]) for row in found]
    assert [(str(day), str(filed), value) for day, filed, value in told] == [
        ("2026-01-20", "2026-01-30", 1_000_000.0),
        ("2026-01-20", "2026-03-15", 1_000_500.0),
        ("2026-10-20", "2026-10-30", 1_050_000.0),  # two classes in one filing
    ]


def test_a_cover_adds_up_its_classes_and_counts_each_once() -> None:
    (row,) = read("sec.cover/1").tables["observations"].to_pylist()

    assert (row["asset_id"], row["field"], row["value"]) == ("eq:two", "shares_outstanding", 5_860_000_001.0)
    assert row["valid_time"].isoformat() == "2026-10-23T00:00:00+00:00"
    assert row["observed_at"].isoformat() == "2026-10-30T00:00:00+00:00"


def test_classes_that_are_assets_of_their_own_get_their_own_shares() -> None:
    split = pack_assets({"CommonClassAMember": "eq:two-a", "CommonClassBMember": "eq:two-b"})

    assert values(read("sec.cover/1", options=split)) == {
        ("eq:two-a", "shares_outstanding"): 5_000_000_000.0,
        ("eq:two-b", "shares_outstanding"): 860_000_001.0,
    }


def test_a_class_that_nobody_asked_for_is_skipped() -> None:
    parsed = read("sec.cover/1", options=pack_assets({"CommonClassAMember": "eq:two-a"}))

    assert values(parsed) == {("eq:two-a", "shares_outstanding"): 5_000_000_000.0}
    assert parsed.skipped == 1


def test_a_company_that_reports_by_class_has_no_facts_and_no_rejects() -> None:
    parsed = read("sec.companyfacts/1", b'{"cik": 2, "facts": {"dei": {}, "us-gaap": {}}}')

    assert (rows(parsed), parsed.rejected) == ([], ())


def test_every_connector_names_its_licence_and_how_often_it_is_fetched() -> None:
    assert all(item.licence and item.title and item.every.total_seconds() >= 3600 for item in CONNECTORS.values())
