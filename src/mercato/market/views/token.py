"""One token: its figures on the day, its history, and what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from mercato.core.errors import NotFound
from mercato.market.model import Asset, Query, Result
from mercato.market.report.model import Exhibit
from mercato.market.report.snapshot import Snapshot
from mercato.market.views.parts import Headline, exhibit
from mercato.market.views.tokens import TIERS
from mercato.market.words import label

if TYPE_CHECKING:
    from mercato.market.service import Market

LABELS = {
    "price": "Price",
    "cap": "Market cap",
    "change-week": "In a week",
    "drawdown": "Below its highest close",
    "gain-to-peak": "Needed to be back there",
    "volume": "Volume, one day",
    "supply": "Circulating supply",
    "supply-max": "Maximum supply",
}


def context(market: Market, snapshot: Snapshot | None, asset_id: str, as_of: date | None) -> Mapping[str, object]:
    """Returns the page of one asset; NotFound where no such asset is known."""
    asset = next((item for item in market.assets() if item.asset_id == asset_id), None)
    if asset is None:
        raise NotFound(f"asset was {asset_id!r}, which is not known", hint="see the list of tokens at /market/tokens")
    day = as_of or (snapshot.report.as_of if snapshot else market.clock.now().date())
    result = market.metric("token", Query(day, params={"asset": asset_id}))
    shown = [Headline(item, LABELS[item.name]) for item in result.figures if item.name in LABELS]
    return {
        "title": asset.symbol or asset_id,
        "asset": asset,
        "where": f"{asset_id}, as of the close of {day}",
        "headlines": shown,
        "shown": [exhibit(item) for item in _exhibits(result)],
        "facts": _facts(asset, result),
    }


def _exhibits(result: Result) -> list[Exhibit]:
    daily = result.grids[0]
    if len(daily.rows) < 2:
        return []
    return [
        Exhibit(daily, "Price", "lines:day:price"),
        Exhibit(daily, "Market cap", "lines:day:cap"),
        Exhibit(daily, "Below its highest close", "underwater:day:drawdown",
                "How far the price stands below its highest close so far."),
    ]  # fmt: skip


def _facts(asset: Asset, result: Result) -> list[tuple[str, str]]:
    tier = next((item.value for item in result.figures if item.name == "supply-tier"), None)
    facts = [
        ("Kind", asset.kind),
        ("Sector", asset.sector or "none"),
        ("Home chain", label(asset.home_chain) if asset.home_chain else "unknown"),
        ("Platform", asset.platform or "none"),
        ("Supply known by", TIERS.get(tier or "", "unknown")),
        ("Wraps", asset.wraps or "nothing"),
    ]
    return [*facts, *(("Deployment", text) for text in asset.deployments)]
