"""Trading by an aggregator: it is asked for instructions, and believed in nothing but what the dry run shows."""

from __future__ import annotations

from mercato.chains.solana.model import Address
from mercato.chains.solana.tokens import WRAPPED
from mercato.kit.actions import Argument, Catalogue
from mercato.kit.errors import BadArgument
from mercato.kit.model import FULL_BPS, Trade
from mercato.kit.solana.actions.holdings import some, token_of
from mercato.kit.solana.jupiter import Router, Wish
from mercato.kit.solana.plan import Ground, SolanaPlan, plan


def trading(router: Router | None) -> Catalogue:
    """Returns the actions that ask a router; BadArgument by each of them where there is none."""
    actions = Catalogue()

    @actions.action(
        "swap-jupiter", "Sells a token for another by the way that Jupiter's /build names.",
        Argument("sell", "base58", "The token to sell; that of wrapped SOL sells SOL."),
        Argument("buy", "base58", "The token to buy; that of wrapped SOL buys SOL."),
        Argument("amount", "units", "How much to sell, in base units."),
        Argument("slippage_bps", "whole", "How much less than quoted may come, in bps.", 50, optional=True),
        Argument("least", "units", "How much has to come at least, in base units; left out, what is quoted counts.",
                 optional=True),
        effects="`amount` of `sell` leaves, at least the quote less the slippage of `buy` comes",
    )  # fmt: skip
    def swap(
        ground: Ground, sell: Address, buy: Address, amount: int, slippage_bps: int, least: int | None
    ) -> SolanaPlan:
        """Returns one transaction. Its price impact is measured against the price that the provider states."""
        if sell == buy or slippage_bps > FULL_BPS:
            raise BadArgument(f"sell was {sell!r}, slippage {slippage_bps}", hint="two tokens, 10000 bps at most")
        for token in (sell, buy):
            token_of(ground.cluster, token)
        if router is None:
            raise BadArgument("there is nobody to ask for trades", hint="open the kit by its settings")
        found = router.route(Wish(sell, buy, some(amount), slippage_bps, ground.account))
        if least is not None and found.least < least:
            raise BadArgument(f"least was {least}, offered is {found.least}", hint="sell more, or ask for less")
        trade = Trade(_asset(ground, sell), _asset(ground, buy), found.num, found.den)
        return plan("Trade", *found.steps, tables=found.tables, price=found.price, trade=trade)

    return actions


def _asset(ground: Ground, token: Address) -> str:
    return f"{ground.cluster.name}/" + ("slip44:501" if token == WRAPPED else f"token:{token}")
