"""The desk of a market that is open: where its sources are fetched from."""

from __future__ import annotations

from typing import Protocol

from mercato.core.clock import Clock
from mercato.market.connectors.fetch import Desk, Room
from mercato.market.connectors.settings import SourceSettings
from mercato.market.connectors.state import Notebook
from mercato.market.layers.files import Folders


class OpenMarket(Room, Notebook, Protocol):
    """A market that commits documents, remembers for its sources, and has folders: the room's service is one."""

    folders: Folders


def desk_of(market: OpenMarket, settings: SourceSettings, clock: Clock) -> Desk:
    """Returns the desk of a market; answers on their way lie in its own folder."""
    return Desk(market, market, settings, clock, market.folders.root / "fetch")
