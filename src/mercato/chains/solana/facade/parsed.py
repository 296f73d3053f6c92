"""Token accounts and mints as `jsonParsed` shows them. Amounts are text of base units; decimals only place a point."""

from __future__ import annotations

import json
from collections.abc import Callable

from mercato.chains.solana.ledger import Holding
from mercato.chains.solana.model import TOKEN, Account, Address
from mercato.chains.solana.tokens import Mint, TokenAccount, mint, token_account

Json = dict[str, object]
NAMES = {True: "spl-token", False: "spl-token-2022"}
#: Extensions that say all by being there; of any other, only that it is there is told.
BARE = {7: "immutableOwner", 9: "nonTransferable", 13: "nonTransferableAccount"}


def amount_json(amount: int, decimals: int) -> Json:
    """Returns an amount of a token: exact as text, and as a number for clients of old."""
    whole, rest = divmod(amount, 10**decimals)
    digits = f"{rest:0{decimals}d}".rstrip("0") if decimals else ""
    text = f"{whole}.{digits}" if digits else str(whole)
    return {"amount": str(amount), "decimals": decimals, "uiAmount": json.loads(text), "uiAmountString": text}


def account_data(account: Account, look: Callable[[Address], Account | None]) -> Json | None:
    """Returns the data of a token account or mint as an object; None for any other, which is shown as bytes."""
    if found := token_account(account):
        of = mint(look(found.mint))
        info = _token(found, of.decimals) if of else None
        kind = "account"
    else:
        made = mint(account)
        info, kind = (_mint(made) if made else None), "mint"
    if info is None:
        return None
    program = NAMES[account.owner == TOKEN]
    return {"program": program, "parsed": {"info": info, "type": kind}, "space": len(account.data)}


def holding_json(held: Holding) -> Json:
    """Returns a balance of a token before or after a transaction."""
    return {
        "accountIndex": held.place,
        "mint": held.account.mint,
        "owner": held.account.owner,
        "programId": held.program,
        "uiTokenAmount": amount_json(held.account.amount, held.decimals),
    }


def _token(found: TokenAccount, decimals: int) -> Json:
    shown: Json = {
        "isNative": found.native is not None,
        "mint": found.mint,
        "owner": found.owner,
        "state": found.state,
        "tokenAmount": amount_json(found.amount, decimals),
    }
    if found.delegate:
        shown |= {"delegate": found.delegate, "delegatedAmount": amount_json(found.delegated, decimals)}
    if found.native is not None:
        shown["rentExemptReserve"] = amount_json(found.native, decimals)
    if found.closer:
        shown["closeAuthority"] = found.closer
    return shown | _extensions(found.extensions)


def _mint(found: Mint) -> Json:
    shown: Json = {
        "decimals": found.decimals,
        "freezeAuthority": found.freezer,
        "isInitialized": True,
        "mintAuthority": found.authority,
        "supply": str(found.supply),
    }
    return shown | _extensions(found.extensions)


def _extensions(found: tuple[int, ...]) -> Json:
    shown = [{"extension": BARE.get(kind, "unparseableExtension")} for kind in found]
    return {"extensions": shown} if shown else {}
