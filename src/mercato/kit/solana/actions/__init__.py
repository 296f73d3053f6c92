"""The actions on Solana. `catalogue()` returns all of them; each is defined once, beside those of its kind."""

from mercato.kit.actions import Catalogue as _Catalogue


def catalogue() -> _Catalogue:
    """Returns every action on Solana by its name."""
    from mercato.kit.solana.actions import money

    found = _Catalogue()
    for part in (money.ACTIONS,):
        found.update(part)
    return found


__all__ = ["catalogue"]
