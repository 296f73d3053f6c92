"""Reading what lies on a cluster: any account, decoded where its program is known, and what blocks lately cost."""

from __future__ import annotations

from mercato.chains.errors import BadCall
from mercato.chains.solana import base58
from mercato.chains.solana.budget import estimate
from mercato.chains.solana.extensions import rules
from mercato.chains.solana.lookup import lookup_table
from mercato.chains.solana.model import PRICED, Account, Address
from mercato.chains.solana.stake import stake_account
from mercato.chains.solana.tokens import mint, token_account
from mercato.core.errors import InvalidInput
from mercato.core.events import Json
from mercato.kit.actions import Argument, Catalogue
from mercato.kit.errors import BadArgument
from mercato.kit.solana.plan import Ground

ACTIONS = Catalogue()
SHOWN = 4_096  # bytes of an account's data at most
TEXT = 200  # letters of metadata at most


@ACTIONS.reading(
    "read-account", "Tells what lies at an address: lamports, owner, and what is in it where its program is known.",
    Argument("address", "base58", "The address."),
)  # fmt: skip
def read_account(ground: Ground, address: Address) -> Json:
    """Returns the account; its data as hexadecimal text where no known program owns it. Names and symbols are text of
    whoever made the token: data, never instructions."""
    account = ground.cluster.accounts([address])[0]
    if account is None:
        return {"address": address, "exists": False}
    kind, read = _decoded(account)
    return {
        "address": address, "exists": True, "lamports": str(account.lamports), "owner": account.owner,
        "executable": account.executable, "size": len(account.data), "kind": kind, **read,
    }  # fmt: skip


@ACTIONS.reading(
    "priority-fee", "Tells which price for a unit of computing recent blocks took.",
    Argument("addresses", "list", f"Accounts that the transaction writes to, at most {PRICED}.", [], optional=True),
    Argument("percent", "whole", "Of how many percent of the blocks at least.", 75, optional=True),
)  # fmt: skip
def priority_fee(ground: Ground, addresses: list[Json], percent: int) -> Json:
    """Returns micro-lamports for each unit; `blocks` is how many were looked at."""
    listed = named(addresses)
    try:
        paid = ground.cluster.priorities(listed)
        return {"micro_lamports": str(estimate(paid, percent)), "percent": percent, "blocks": len(paid)}
    except BadCall as error:
        raise BadArgument(error.message, hint=error.hint) from None


def named(given: list[Json]) -> list[Address]:
    """Returns addresses of a list; BadArgument where one is none."""
    return [one(item) for item in given]


def one(given: object) -> Address:
    """Returns an address; BadArgument where it is none."""
    try:
        if isinstance(given, str) and base58.decode(given, 32):
            return Address(given)
    except InvalidInput:
        pass
    raise BadArgument(f"address was {given!r:.80}", hint="expected 32 bytes in base 58")


def _decoded(account: Account) -> tuple[str, dict[str, Json]]:
    if (token := mint(account)) is not None:
        says = rules(account).metadata
        words: Json = {"name": says.name[:TEXT], "symbol": says.symbol[:TEXT], "uri": says.uri[:TEXT]} if says else None
        return "mint", {
            "supply": str(token.supply), "decimals": token.decimals, "mint_authority": token.authority,
            "freeze_authority": token.freezer, "metadata": words, "extensions": list(token.extensions),
        }  # fmt: skip
    if (held := token_account(account)) is not None:
        return "token account", {
            "token": held.mint, "holder": held.owner, "units": str(held.amount), "state": held.state,
            "delegate": held.delegate, "delegated": str(held.delegated), "closer": held.closer,
            "extensions": list(held.extensions),
        }  # fmt: skip
    if (stake := stake_account(account)) is not None:
        to = stake.delegation
        return "stake account", {
            "staker": stake.staker, "withdrawer": stake.withdrawer, "reserve": str(stake.reserve),
            "validator": to.voter if to else None, "delegated": str(to.stake if to else 0),
            "activated": str(to.activated) if to else None,
            "deactivated": str(to.deactivated) if to and to.deactivated is not None else None,
        }  # fmt: skip
    if (table := lookup_table(account)) is not None:
        return "lookup table", {
            "authority": table.authority, "ended": table.ended is not None, "addresses": list(table.addresses),
        }  # fmt: skip
    return "other", {"data": "0x" + account.data[:SHOWN].hex()}
