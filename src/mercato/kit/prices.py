"""What the market room of this installation knows of a token, as an action: the same on every kind of chain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import date
from typing import Any, Protocol

from mercato.core.clock import Clock
from mercato.core.events import Json
from mercato.kit.actions import Argument, Catalogue
from mercato.kit.errors import BadArgument
from mercato.market import Asset, Figure, Query, Result

ACTIONS = Catalogue()
NAMES = ("price", "price-age", "cap", "supply", "supply-tier", "volume", "change-week", "drawdown")


class Market(Protocol):
    """What this needs of the market room: its service is one."""

    @property
    def clock(self) -> Clock:
        """Returns the clock."""

    def assets(self) -> list[Asset]:
        """Returns every known asset."""

    def inputs(self, query: Query) -> AbstractContextManager[Any]:
        """Gives what metrics read."""

    def answer(self, inputs: Any, name: str, query: Query) -> Result:
        """Returns a metric's figures, and keeps them."""


@ACTIONS.reading(
    "market-price", "Tells price, market cap, volume and pool liquidity of a token, as the market room has them.",
    Argument("asset", "text", "Its CAIP-19 name, or the market room's id, such as virtual-protocol."),
    Argument("day", "text", "As of which day (YYYY-MM-DD); left out, today.", optional=True),
)  # fmt: skip
def market_price(ground: object, asset: str, day: str | None) -> Json:
    """Returns each figure with its id, which leads to where it is from; null with a flag where it is unknown."""
    from mercato.market.opening import opened

    with opened() as market:
        return known(market, asset, day)


def known(market: Market, asset: str, day: str | None = None) -> Json:
    """Returns what a market knows of an asset on a day; BadArgument where it knows no such asset."""
    from mercato.market.report.notice import simulated_of

    found = _named(market.assets(), asset)
    query = Query(_day(day) or market.clock.now().date(), params={"asset": found})
    with market.inputs(query) as inputs:
        result = market.answer(inputs, "token", query)
        pools = _liquidity(inputs, found, query)
    figures = {item.name: item for item in result.figures}
    return {
        "asset": found, "day": query.as_of.isoformat(),
        "figures": {name: _shown(figures[name]) for name in NAMES if name in figures},
        "liquidity_usd": pools["value"] if pools else None,
        "liquidity_day": pools["day"].isoformat() if pools else None,
        "simulated": bool(simulated_of(result.figures)),
    }  # fmt: skip


def _liquidity(inputs: Any, asset: str, query: Query) -> Mapping[str, Any] | None:
    from mercato.market.metrics.numbers import plain
    from mercato.market.metrics.subject import pool

    rows: list[Mapping[str, Any]] = inputs.engine.rows(pool(inputs.curated, asset, query))
    return {"value": plain(rows[0]["value"]), "day": rows[0]["day"]} if rows else None


def _named(assets: Iterable[Asset], asset: str) -> str:
    wanted = asset.lower()
    for item in assets:
        if item.asset_id == asset or wanted in {name.lower() for name in item.deployments}:
            return item.asset_id
    raise BadArgument(
        f"asset was {asset!r:.120}, which the market room does not know", hint="see `mercato market assets`"
    )


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise BadArgument(f"day was {text!r:.40}", hint="expected YYYY-MM-DD") from None


def _shown(figure: Figure) -> Json:
    return {"value": figure.value, "unit": figure.unit, "id": figure.id, "flags": [*figure.flags]}
