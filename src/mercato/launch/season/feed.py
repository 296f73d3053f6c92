"""Brings the pools of a local economy into the market, as those of any chain, from the chain's index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from mercato.chains.service import Indexer
from mercato.launch.listing import listings
from mercato.launch.service import Launches
from mercato.market.connectors.onchain import Follower, Indexed, Listing
from mercato.market.connectors.onchain import Market as Followed

SOURCE = "simulated:local"  # every figure on it says so


class Market(Followed, Protocol):
    """What the feed needs of the market room: its service is one."""

    def withdraw(self, source: str) -> int:
        """Takes back all that a source said."""


class Feed:
    """Follows the pools of launches; `sectors` names the market sectors of symbols."""

    def __init__(self, market: Market, indexer: Indexer, launches: Launches, sectors: Mapping[str, str]) -> None:
        self._market, self._launches, self._sectors = market, launches, sectors
        self._logs = Indexed(indexer)
        self._chain = str(indexer.chain.name)
        self._follower = Follower(market, self._logs, self._chain, SOURCE, self._listings)

    def follow(self) -> None:
        """Brings what happened at the pools since the last time into the market."""
        if found := self._listings():
            self._logs.watch(found)
            self._follower.follow(self._launches.clock.now())

    def forget(self) -> None:
        """Takes back what an earlier season said, and begins to follow from the chain's first block."""
        self._market.withdraw(SOURCE)
        self._follower.restart()

    def _listings(self) -> Sequence[Listing]:
        quote = self._launches.deployment.quote
        return listings(self._launches.launches(), self._chain, quote, self._sectors)
