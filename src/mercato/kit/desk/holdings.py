"""What accounts hold, as far as a chain tells: the port that every kind of chain fills."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from mercato.chains.errors import BadAnswer, Unreachable
from mercato.chains.fuse import DEVELOPMENT
from mercato.chains.solana.clusters import MAINNET

MOST = 60  # assets that one page asks for


@dataclass(frozen=True, slots=True)
class Holding:
    """What an account holds of an asset: base units, None where nobody tells. `says` is what a token, which no policy
    knows, calls itself: text from outside."""

    asset: str
    units: int | None
    says: str = ""


class Purse(Protocol):
    """A chain, as far as it tells what accounts hold."""

    @property
    def name(self) -> str:
        """The chain's CAIP-2 name."""

    @property
    def coin(self) -> str:
        """The CAIP-19 name of the chain's own money."""

    def balance(self, address: str, asset: str) -> int | None:
        """Returns the base units that an account holds; None where the asset does not tell. Unreachable."""

    def says(self, asset: str) -> str:
        """Returns what an asset calls itself; "" where it does not. Unreachable."""


def made_up(chain: str) -> bool:
    """Returns whether the money of a chain, by its CAIP-2 name, is nobody's: a development chain, or a test network."""
    kind, _, reference = chain.partition(":")
    if kind == "solana":
        return chain != str(MAINNET)
    return kind == "eip155" and reference.isdecimal() and int(reference) in DEVELOPMENT


def holdings(purse: Purse, address: str, assets: Iterable[str], known: Iterable[str]) -> list[Holding]:
    """Returns what an account holds of each asset on the purse's chain; unknown from where the chain stops to answer.

    Assets that are not `known` are asked for their name too.
    """
    found, silent, named = [], False, set(known)
    ours = sorted(asset for asset in assets if asset.startswith(purse.name + "/") and asset != purse.coin)
    for asset in [purse.coin, *ours][:MOST]:
        units, says = None, ""
        try:
            if not silent:
                units = purse.balance(address, asset)
                says = purse.says(asset) if asset not in named and asset != purse.coin else ""
        except (Unreachable, BadAnswer):
            silent = True
        found.append(Holding(asset, units, says))
    return found
