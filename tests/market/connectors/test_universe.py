"""What the shipped universe makes the sources ask for, and the shares that ship beside it."""

import csv
from collections import Counter
from importlib.resources import files

from mercato.market.connectors.connector import Context
from mercato.market.connectors.places import DEXSCREENER, home_addresses, place
from mercato.market.connectors.registry import CONNECTORS, connector
from mercato.market.connectors.sec import companies
from mercato.market.connectors.settings import SourceSettings
from mercato.market.universe import shipped
from tests.market.connectors.conftest import NOON

ASSETS = sorted(shipped().assets.values(), key=lambda item: item.asset_id)
SETTINGS = SourceSettings(contact="tests@mercato.invalid", equities_url="https://closes.invalid/{lower}.csv")


def test_every_source_has_something_to_ask_of_the_shipped_universe() -> None:
    context = Context(ASSETS, SETTINGS, NOON)

    assert [name for name, item in CONNECTORS.items() if not item.plan(context)] == []


def test_one_vendor_id_means_one_asset() -> None:
    shared = {"sec_cik", "sec_class", "splits"}
    pairs = Counter((vendor, name) for asset in ASSETS for vendor, name in asset.ids.items() if vendor not in shared)

    assert [pair for pair, count in pairs.items() if count > 1] == []


def test_every_deployment_can_be_read() -> None:
    assert all(place(item) for asset in ASSETS for item in asset.deployments)
    assert sum(len(found) for found in home_addresses(ASSETS, DEXSCREENER).values()) > 10


def test_the_classes_of_alphabet_are_asked_for_apart() -> None:
    alphabet = dict(companies(ASSETS))["0001652044"]

    assert alphabet["CommonClassAMember"] == alphabet["CommonClassBMember"] == "equity:googl"
    assert alphabet["CapitalClassCMember"] == "equity:goog"


def test_a_month_of_snapshots_and_daily_history_fits_the_budget() -> None:
    context = Context(ASSETS, SETTINGS, NOON)
    hourly = len(connector("coingecko").plan(context)) * 24 * 31
    daily = len(connector("coingecko-daily").plan(context)) * 31
    weekly = len(connector("coingecko-hourly").plan(context)) * 5

    assert hourly + daily + weekly <= SETTINGS.coingecko_monthly_calls


def test_the_shipped_shares_are_of_known_equities_and_positive() -> None:
    text = files("mercato.market").joinpath("examples/giants_shares.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))

    assert {row["asset_id"] for row in rows} <= {asset.asset_id for asset in ASSETS if asset.kind == "equity"}
    assert {row["field"] for row in rows} == {"shares_outstanding"}
    assert all(10**9 < int(row["value"]) < 10**11 for row in rows)
    assert len({(row["asset_id"], row["valid_time"]) for row in rows}) == len(rows)
