"""Prices of the market room, for what an agent's acts came to: what its panel says of a day, three days old at most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from fractions import Fraction
from typing import Any, Protocol

from mercato.core.chain import Asset as Name
from mercato.core.clock import Clock
from mercato.core.errors import InvalidInput
from mercato.kit.profit import Price
from mercato.market import Asset, Query

#: The market room's name of the money of chains that pay in it.
COINS = {
    "eip155:1/slip44:60": "ethereum",
    "eip155:10/slip44:60": "ethereum",
    "eip155:8453/slip44:60": "ethereum",
    "eip155:42161/slip44:60": "ethereum",
    "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/slip44:501": "solana",
}

RECENT = ("fresh", "carried")  # states of the panel's prices


class Market(Protocol):
    """What this needs of the market room: its service is one."""

    @property
    def clock(self) -> Clock:
        """Returns the clock."""

    def assets(self) -> list[Asset]:
        """Returns every known asset."""

    def segments(self) -> Sequence[Any]:
        """Returns the documents in force."""

    def inputs(self, query: Query) -> AbstractContextManager[Any]:
        """Gives what metrics read."""


class Prices:
    """Prices by asset and day. `made_up` says that the market holds simulated data."""

    def __init__(self, market: Market) -> None:
        self._market = market

    @property
    def made_up(self) -> bool:
        """Whether some of the market's data is simulated."""
        return any(str(item.source).startswith("simulated") for item in self._market.segments())

    def of(self, assets: Iterable[str]) -> Price:
        """Returns the prices of these assets, by their CAIP-19 names; None for days without one."""
        names = self._names(set(assets))
        found: dict[tuple[str, date], Fraction] = {}
        if names and self._market.segments():
            found = self._read(sorted(set(names.values())))
        return lambda asset, day: found.get((names.get(asset, ""), day))

    def _names(self, wanted: set[str]) -> Mapping[str, str]:
        found = {asset: COINS[asset] for asset in wanted & set(COINS)}
        for item in self._market.assets():
            found |= {name: item.asset_id for text in item.deployments if (name := _named(text)) in wanted}
        return found

    def _read(self, ids: Sequence[str]) -> dict[tuple[str, date], Fraction]:
        with self._market.inputs(Query(as_of=self._market.clock.now().date())) as inputs:
            panel = inputs.panel
            known = panel.filter(panel.asset_id.isin(ids), panel.price.notnull(), panel.state.isin(RECENT))
            rows = inputs.engine.rows(known.select("asset_id", "day", "price"))
        return {(row["asset_id"], row["day"]): Fraction(str(row["price"])) for row in rows}


def _named(text: str) -> str:
    try:
        return str(Name.parse(text))
    except InvalidInput:
        return ""
