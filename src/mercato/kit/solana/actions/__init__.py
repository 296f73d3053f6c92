"""The actions on Solana. `catalogue()` returns all of them; each is defined once, beside those of its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mercato.kit.actions import Catalogue as _Catalogue

if TYPE_CHECKING:
    from mercato.kit.solana.jupiter import Router as _Router


def catalogue(router: _Router | None = None) -> _Catalogue:
    """Returns every action on Solana by its name; `router` knows ways to trade; without one nobody is asked."""
    from mercato.kit import prices
    from mercato.kit.solana.actions import lookups, minting, money, raw, reading, risk, speaking, staking, tokens
    from mercato.kit.solana.actions.trading import trading

    found = _Catalogue()
    for part in (money, tokens, minting, staking, lookups, speaking, reading, raw, risk, prices):
        found.update(part.ACTIONS)
    found.update(trading(router))
    return found


__all__ = ["catalogue"]
