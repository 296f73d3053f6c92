"""The connectors that exist, by name. The list is explicit: a source is here or it is not fetched."""

from __future__ import annotations

from mercato.core.errors import NotFound
from mercato.market.connectors import coingecko, defillama, dexscreener, equities, geckoterminal, sec
from mercato.market.connectors.connector import Connector

CONNECTORS: dict[str, Connector] = {
    item.name: item
    for item in (
        coingecko.MARKETS,
        coingecko.DAILY,
        coingecko.HOURLY,
        defillama.NOW,
        defillama.DAILY,
        geckoterminal.CONNECTOR,
        dexscreener.CONNECTOR,
        equities.CONNECTOR,
        sec.CONNECTOR,
    )
}


def connector(name: str) -> Connector:
    """Returns the connector of that name; NotFound lists the known ones."""
    if name not in CONNECTORS:
        raise NotFound(f"source was {name!r}, which is unknown", hint=f"known sources: {', '.join(CONNECTORS)}")
    return CONNECTORS[name]
