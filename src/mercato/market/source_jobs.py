"""Fetching what is due, as a job of the server. Nothing is asked of the outside unless `sources.automatic` is on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from mercato.core.settings import load
from mercato.market.connectors.desk import desk_of
from mercato.market.connectors.fetch import Desk
from mercato.market.connectors.settings import SourceSettings
from mercato.market.connectors.sources import Health, due, fetch_or_say, health
from mercato.store.model import Schedule
from mercato.store.run import Run

if TYPE_CHECKING:
    from mercato.market.service import Market

FETCH = "market.fetch"
SCHEDULE = Schedule(FETCH, FETCH, every=timedelta(minutes=5))


def desk(market: Market) -> Desk:
    """Returns the market's desk, with the settings of its own data folder."""
    settings = load(SourceSettings, home=market.home, partial=True).of(SourceSettings)
    return desk_of(market, settings, market.clock)


def sources(market: Market) -> list[Health]:
    """Returns how every source is doing; asks nobody."""
    return health(desk(market))


def fetched(market: Market, run: Run) -> None:
    """Fetches what is due, one source after another; what a source did wrong is remembered with it, not raised."""
    found = desk(market)
    if not found.settings.automatic:
        return
    for name in due(found):
        run.check()
        fetch_or_say(name, found)
