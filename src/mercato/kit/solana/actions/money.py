"""Holding and sending SOL."""

from __future__ import annotations

from mercato.chains.solana.model import Address
from mercato.chains.solana.tokens import token_account, transfer_lamports
from mercato.core.events import Json
from mercato.kit.actions import Argument, Catalogue
from mercato.kit.errors import BadArgument
from mercato.kit.solana.actions.holdings import somebody, token_of
from mercato.kit.solana.plan import Ground, SolanaPlan, plan

ACTIONS = Catalogue()
TO = Argument("to", "base58", "Who gets it: a wallet's address.")


@ACTIONS.reading(
    "balance", "Tells how much an account has.",
    Argument("token", "base58", "The token's mint; left out, SOL.", optional=True),
    Argument("owner", "base58", "Whose balance; left out, the acting account's.", optional=True),
)  # fmt: skip
def balance(ground: Ground, token: Address | None, owner: Address | None) -> Json:
    """Returns base units as text: of a token what lies in the owner's associated account, of SOL lamports."""
    who = owner or ground.account
    if token is None:
        return {"owner": who, "units": str(ground.cluster.balance(who)), "decimals": 9}
    found = token_of(ground.cluster, token)
    held = token_account(ground.cluster.accounts([found.kept_by(who)])[0])
    units = held.amount if held and held.owner == who else 0
    return {"owner": who, "token": token, "units": str(units), "decimals": found.state.decimals}


@ACTIONS.action(
    "transfer-native", "Sends the chain's own money, SOL.", TO, Argument("amount", "units", "How much, in lamports."),
    effects="the amount leaves the account for `to`",
)  # fmt: skip
def transfer_native(ground: Ground, to: Address, amount: int) -> SolanaPlan:
    """Returns one transfer of the system program."""
    if amount == 0:
        raise BadArgument("amount was 0", hint="expected lamports above 0")
    somebody(ground.cluster.accounts([to])[0], to)
    return plan("Send SOL", transfer_lamports(ground.account, to, amount))
