"""Contract tests on recorded answers and published schemas. They are not shipped: skipped where they are missing."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from mercato.market.connectors.connector import pack_assets
from mercato.market.layers.parsers import parser
from mercato.market.model import Parsed, RawDocument
from tests.market.connectors.conftest import NOON, research_data

SHAPES = Path(__file__).parent / "shapes"


def recorded(name: str) -> bytes:
    cassette = json.loads((research_data() / "fixtures" / f"coingecko_{name}.json").read_text())
    return json.dumps(cassette[0]["body"]).encode()


def read(name: str, content: bytes, assets: dict[str, str], **options: str) -> Parsed:
    return parser(name)(RawDocument(content, "x", name, NOON, "GET /", options={**pack_assets(assets), **options}))


def values(parsed: Parsed) -> dict[tuple[str, str], float]:
    return {(row["asset_id"], row["field"]): row["value"] for row in parsed.tables["observations"].to_pylist()}


def prices(parsed: Parsed) -> list[tuple[datetime, float]]:
    found = parsed.tables["observations"].to_pylist()
    return [(row["valid_time"], row["value"]) for row in found if row["field"] == "price_usd"]


def test_contract_coingecko_markets() -> None:
    parsed = read("coingecko.markets/1", recorded("coins_markets"), {"bitcoin": "btc"})

    assert parsed.rejected == ()
    assert values(parsed) == {
        ("btc", "price_usd"): 49053.0,
        ("btc", "market_cap_usd"): 917825524991.0,
        ("btc", "volume_usd_24h"): 61679663434.0,
        ("btc", "supply_circulating"): 18710831.0,
        ("btc", "supply_total"): 21000000.0,
        ("btc", "supply_max"): 21000000.0,
    }


def test_contract_coingecko_markets_in_another_currency_is_refused() -> None:
    parsed = read("coingecko.markets/1", recorded("coins_markets_multi_eth"), {"bitcoin": "btc"}, vs_currency="eth")

    assert values(parsed) == {}
    assert "wrong currency" in parsed.rejected[0].reason


def test_contract_coingecko_categories() -> None:
    parsed = read("coingecko.categories/1", recorded("categories_market"), {"decentralized-finance-defi": "ref:defi"})

    assert values(parsed)["ref:defi", "market_cap_usd"] == pytest.approx(136820578041.49733)
    assert parsed.rejected == ()
    assert parsed.skipped > 10


def test_contract_coingecko_global() -> None:
    parsed = read("coingecko.global/1", recorded("global"), {"total": "ref:crypto"})

    assert values(parsed)["ref:crypto", "market_cap_usd"] == 2142953338976.9612
    assert parsed.rejected == ()


def test_contract_coingecko_daily_chart_has_one_close_a_day() -> None:
    found = prices(read("coingecko.chart/1", recorded("market_chart_daily"), {"bitcoin": "btc"}))

    days = [time.date() for time, _ in found]
    assert (len(found), len(set(days))) == (91, 91)
    assert days == sorted(days)


def test_contract_an_exact_midnight_is_the_start_of_its_day_and_so_the_close_of_the_one_before() -> None:
    """The daily point at 00:00 equals the hourly point just after that midnight, not one at that day's end."""
    hourly = prices(read("coingecko.chart/1", recorded("market_chart_hourly"), {"bitcoin": "btc"}))
    daily = prices(read("coingecko.chart/1", recorded("market_chart_daily"), {"bitcoin": "btc"}))[-12:-1]

    for time, close in daily:
        nearest = min(hourly, key=lambda point: abs(point[0] - time))
        assert nearest[1] == pytest.approx(close, rel=1e-6)
        assert (nearest[0].date() - time.date()).days == 1


def schema_of(path: str) -> Any:
    document = json.loads((research_data() / "defillama_openapi_free.json").read_text())
    return document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]


def faults(value: Any, schema: Any, place: str = "$") -> list[str]:
    """Returns where a value breaks an OpenAPI schema: types, required keys, known properties. It uses no more."""
    kinds: dict[str, Any] = {"object": dict, "array": list, "number": (int, float), "string": str}
    if value is None and schema.get("nullable"):
        return []
    if not isinstance(value, kinds[schema["type"]]):
        return [f"{place} is {type(value).__name__}, not {schema['type']}"]
    if schema["type"] == "array":
        return [fault for item in value for fault in faults(item, schema["items"], f"{place}[]")]
    if schema["type"] != "object":
        return []
    known = schema.get("properties", {})
    missing = [f"{place} lacks {key}" for key in schema.get("required", []) if key not in value]
    inner = [fault for key in value if key in known for fault in faults(value[key], known[key], f"{place}.{key}")]
    return missing + inner


def coins_schema(path: str) -> Any:
    """The schema names one coin as an example of all: returns the schema of any coin."""
    (coin,) = schema_of(path)["properties"]["coins"]["properties"].values()
    return coin


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("defillama_prices.json", "/prices/current/{coins}"),
        ("defillama_prices.json", "/prices/historical/{timestamp}/{coins}"),
        ("defillama_chart.json", "/chart/{coins}"),
    ],
)
def test_contract_defillama_coin_shapes_follow_the_openapi_document(file: str, path: str) -> None:
    schema = coins_schema(path)
    coins = json.loads((SHAPES / file).read_text())["coins"]

    assert [fault for coin in coins.values() for fault in faults(coin, schema)] == []


@pytest.mark.parametrize(
    ("file", "path"), [("defillama_stablecoins.json", "/stablecoins"), ("defillama_chains.json", "/v2/chains")]
)
def test_contract_defillama_list_shapes_follow_the_openapi_document(file: str, path: str) -> None:
    assert faults(json.loads((SHAPES / file).read_text()), schema_of(path)) == []


def test_contract_the_check_against_the_openapi_document_finds_a_changed_shape() -> None:
    schema = coins_schema("/chart/{coins}")

    assert faults({"symbol": 1, "prices": [{"price": "x"}]}, schema) == [
        "$ lacks confidence",
        "$.symbol is int, not string",
        "$.prices[].price is str, not number",
    ]


def test_contract_defillama_has_the_parameters_that_plans_use() -> None:
    document = json.loads((research_data() / "defillama_openapi_free.json").read_text())

    names = {item["name"] for item in document["paths"]["/chart/{coins}"]["get"]["parameters"]}
    assert {"coins", "start", "span", "period"} <= names
    assert document["paths"]["/chart/{coins}"]["get"]["servers"][0]["url"] == "https://coins.llama.fi"
    assert document["paths"]["/stablecoins"]["get"]["servers"][0]["url"] == "https://stablecoins.llama.fi"
