"""The desk of a market that is open: where its sources are fetched from."""

from __future__ import annotations

from mercato.core.clock import Clock
from mercato.market.connectors.fetch import Desk
from mercato.market.connectors.settings import SourceSettings
from mercato.market.service import Market


def desk_of(market: Market, settings: SourceSettings, clock: Clock) -> Desk:
    """Returns the desk of a market: it commits, it remembers, and answers on their way lie in its folder."""
    return Desk(market, market, settings, clock, market.folders.root / "fetch")
