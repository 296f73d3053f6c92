"""The mechanisms by name: each factory makes a fresh venue for an economy, at its makers' recommended settings."""

from collections.abc import Callable

from mercato.lab.mechanisms.auctions import AUCTIONS
from mercato.lab.mechanisms.port import Venue
from mercato.lab.mechanisms.trades import TRADES
from mercato.lab.model import Economy

MECHANISMS: dict[str, Callable[[Economy], Venue]] = {**TRADES, **AUCTIONS}
"""Name of a mechanism -> what makes a fresh launch of it."""

__all__ = ["MECHANISMS"]
