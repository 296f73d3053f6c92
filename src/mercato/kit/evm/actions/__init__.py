"""The actions on EVM chains. `catalogue()` returns all of them; each is defined once, beside those of its kind."""

from mercato.kit.actions import Catalogue as _Catalogue


def catalogue() -> _Catalogue:
    """Returns every action on EVM chains by its name."""
    from mercato.kit import prices
    from mercato.kit.evm.actions import chain, data, launching, money, signing, trading, vaults

    found = _Catalogue()
    for part in (money, trading, vaults, launching, signing, chain, data, prices):
        found.update(part.ACTIONS)
    return found


__all__ = ["catalogue"]
