"""Holding and sending SOL."""

from __future__ import annotations

from mercato.chains.solana.model import Address
from mercato.chains.solana.tokens import transfer_lamports
from mercato.core.events import Json
from mercato.kit.actions import Argument, Catalogue
from mercato.kit.errors import BadArgument
from mercato.kit.solana.plan import Ground, SolanaPlan, plan

ACTIONS = Catalogue()
TO = Argument("to", "base58", "Who gets it: a wallet's address.")


@ACTIONS.reading(
    "balance", "Tells how much SOL an account has.",
    Argument("owner", "base58", "Whose balance; left out, the acting account's.", optional=True),
)  # fmt: skip
def balance(ground: Ground, owner: Address | None) -> Json:
    """Returns lamports as text."""
    who = owner or ground.account
    return {"owner": who, "units": str(ground.cluster.balance(who)), "decimals": 9}


@ACTIONS.action(
    "transfer-native", "Sends SOL.", TO, Argument("amount", "units", "How much, in lamports."),
    effects="the amount leaves the account for `to`",
)  # fmt: skip
def transfer_native(ground: Ground, to: Address, amount: int) -> SolanaPlan:
    """Returns one transfer of the system program."""
    if amount == 0:
        raise BadArgument("amount was 0", hint="expected lamports above 0")
    return plan("Send SOL", transfer_lamports(ground.account, to, amount))
