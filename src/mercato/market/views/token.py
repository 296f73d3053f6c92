"""One token: its figures on the day, its history, what is known of it, and where that is from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from mercato.core.errors import NotFound
from mercato.market.model import Asset, Figure, Query, Result, Segment
from mercato.market.report.model import Exhibit
from mercato.market.report.notice import simulated_of
from mercato.market.report.snapshot import Snapshot
from mercato.market.views.parts import Headline, Shown, exhibit, headlines
from mercato.market.views.tokens import TIERS
from mercato.market.words import label, said

if TYPE_CHECKING:
    from mercato.market.service import Market

SECTORS = {"ai-agents": "AI agents", "ai-infrastructure": "AI infrastructure"}
#: Title, how it is drawn, and the figure that the newest value of the chart is.
CHARTS = (
    ("Price", "lines:day:price", "price"),
    ("Market cap", "lines:day:cap", "cap"),
    ("Volume, one day", "lines:day:volume", "volume"),
    ("Below its highest close", "underwater:day:drawdown", "drawdown"),
)


def context(market: Market, snapshot: Snapshot | None, asset_id: str, as_of: date | None) -> Mapping[str, object]:
    """Returns the page of one asset; NotFound where no such asset is known."""
    asset = next((item for item in market.assets() if item.asset_id == asset_id), None)
    if asset is None:
        raise NotFound(f"asset was {asset_id!r}, which is not known", hint="see the list of tokens at /market/tokens")
    day = as_of or (snapshot.report.as_of if snapshot else market.clock.now().date())
    result = market.metric("token", Query(day, params={"asset": asset_id}))
    figures = {item.name: item for item in result.figures}
    return {
        "title": asset.symbol or asset.name or asset_id,
        "asset": asset,
        "day": day,
        "simulated": simulated_of(result.figures),
        "headlines": _headlines(figures),
        "shown": _shown(result, figures),
        "facts": _facts(asset, figures),
        "supply": _supply(figures),
        "rebound": _rebound(snapshot, asset_id) if snapshot and snapshot.report.as_of == day else None,
        "sources": _sources(market, result),
    }


def _headlines(figures: Mapping[str, Figure]) -> list[Headline]:
    return headlines(
        (figures.get("price"), "Price", figures.get("change-week"), "in a week"),
        (figures.get("cap"), "Market cap", None, ""),
        (figures.get("volume"), "Volume, one day", None, ""),
        (figures.get("supply"), "Circulating supply", None, ""),
        (figures.get("drawdown"), "Below its highest close", None, ""),
        (figures.get("gain-to-peak"), "To be back there it must gain", None, ""),
    )


def _shown(result: Result, figures: Mapping[str, Figure]) -> list[Shown]:
    """Returns the charts of what is known on two days or more."""
    daily, day = result.grids[0], result.query.as_of
    asked = urlencode({"as_of": day, "param": f"asset={result.query.params['asset']}"})
    csv, found = f"/api/market/metrics/token/{daily.name}.csv?{asked}", []
    for title, chart, name in CHARTS:
        at = daily.columns.index(chart.rpartition(":")[2])
        if sum(row[at] is not None for row in daily.rows) > 1:
            about = f"{title} by day, up to {day}."
            found.append(exhibit(Exhibit(daily, title, chart, about), day, csv, figures[name].id))
    return found


def _facts(asset: Asset, figures: Mapping[str, Figure]) -> list[tuple[str, str]]:
    """Returns what the universe says of an asset."""
    facts = [
        ("Kind", asset.kind),
        ("Sector", SECTORS.get(asset.sector, asset.sector) or "none"),
        ("Home chain", label(asset.home_chain) if asset.home_chain else "unknown"),
        ("Launched on", label(asset.platform) if asset.platform else "no platform known"),
        *([("Wraps", label(asset.wraps))] if asset.wraps else []),
        ("Id", asset.asset_id),
    ]
    return [*facts, *((f"Deployed on {_chain(text)}", text) for text in asset.deployments)]


def _chain(deployment: str) -> str:
    """Returns the chain of a CAIP-10 or CAIP-19 text by its name."""
    chain = deployment.partition("/")[0]
    return label(chain if chain.count(":") < 2 else chain.rpartition(":")[0])


def _supply(figures: Mapping[str, Figure]) -> list[tuple[str, str, Figure | None]]:
    """Returns what the cap rests on: name, words and the figure behind them."""
    tier, age, most, peak = (figures.get(name) for name in ("supply-tier", "price-age", "supply-max", "peak"))
    return [
        ("Supply known by", TIERS.get((tier.value if tier else None) or "", "unknown"), tier),
        ("Maximum supply", said(most.value, most.unit) if most else "unknown", most),
        ("Age of its price", said(age.value, age.unit) if age else "unknown", age),
        ("Highest close", said(peak.value, peak.unit) if peak else "unknown", peak),
    ]


def _rebound(snapshot: Snapshot, asset_id: str) -> Mapping[str, str | None] | None:
    """Returns the token's row in the ranking of rebounds, None where it was left out of it."""
    grid = snapshot.book.grid("rebounds", "ranking")
    at = grid.columns.index("asset_id") if grid else 0
    row = next((row for row in grid.rows if row[at] == asset_id), None) if grid else None
    return dict(zip(grid.columns, row, strict=True)) if grid and row else None


def _sources(market: Market, result: Result) -> list[Segment]:
    behind = set(result.inputs.raw_shas)
    return [item for item in market.segments() if item.sha in behind]
