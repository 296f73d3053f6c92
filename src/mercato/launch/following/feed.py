"""Brings the pools of live launches into the market from the chain's index: of a local economy as of any chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Protocol

from mercato.chains.fuse import DEVELOPMENT
from mercato.chains.service import Indexer
from mercato.launch.listing import listings
from mercato.launch.service import Launches
from mercato.launch.states import State
from mercato.market.connectors.onchain import Follower, Indexed, Listing
from mercato.market.connectors.onchain import Market as Followed
from mercato.market.model import SIMULATED, RawDocument

ONCHAIN = "onchain"


class Market(Followed, Protocol):
    """What the feed needs of the market room: its service is one."""

    def withdraw(self, source: str) -> int:
        """Takes back all that a source said."""


class Feed:
    """Follows the pools of launches. `source` is what observations are said to be from.

    `sectors` names the market sectors of symbols that are not plain agents.
    """

    def __init__(
        self,
        market: Market,
        indexer: Indexer,
        launches: Launches,
        *,
        source: str = ONCHAIN,
        sectors: Mapping[str, str] | None = None,
    ) -> None:
        self.source = source
        self._market, self._launches, self._sectors = market, launches, sectors or {}
        self._logs, self._chain = Indexed(indexer), str(indexer.chain.name)
        self._follower = Follower(market, self._logs, self._chain, source, self._listings)
        self._turn = Lock()

    def follow(self) -> None:
        """Brings what happened at the pools since the last time into the market."""
        with self._turn:
            if found := self._listings():
                self._logs.watch(found)
                self._follower.follow(self._launches.clock.now())

    def take(self, raw: RawDocument) -> None:
        """Brings a document of another kind in, from the same source."""
        self._market.ingest(raw)

    def forget(self) -> None:
        """Takes back what the source said, and begins to follow from the chain's first block."""
        self._market.withdraw(self.source)
        self._follower.restart()

    def _listings(self) -> Sequence[Listing]:
        live = self._launches.launches([State.LIVE])
        return listings(live, self._chain, self._launches.deployment.quote, self._sectors) if live else ()


def source_of(chain_id: int) -> str:
    """Returns what observations of a chain are said to be from: on a development chain all of it is made up."""
    return f"{SIMULATED}:chain-{chain_id}" if chain_id in DEVELOPMENT else ONCHAIN
