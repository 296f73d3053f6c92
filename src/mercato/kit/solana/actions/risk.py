"""What somebody can still do to whoever holds a token: rights that are not given up, fees, hooks, frozen accounts.

The answer has the same shape on every chain. What could not be found out is null, and `unknown` says why.
"""

from __future__ import annotations

from mercato.chains.solana.model import TOKEN_2022, Address
from mercato.core.events import Json
from mercato.kit.actions import Catalogue
from mercato.kit.solana.actions.holdings import TOKEN, Token, fee_now, token_of
from mercato.kit.solana.actions.minting import holders
from mercato.kit.solana.plan import Ground

ACTIONS = Catalogue()
#: What each right means for holders, in words of ours. Nothing of the token's own text is in the answer.
_MEANS = {
    "mint": "somebody can make more of it",
    "freeze": "somebody can freeze holders' accounts",
    "permanent-delegate": "somebody can take it from any holder",
    "transfer-hook": "somebody can choose a program that runs in each transfer",
    "transfer-fee": "somebody can change what a transfer costs",
    "pause": "somebody can stop all transfers",
    "close": "somebody can close the mint once nothing of it is left",
    "metadata": "somebody can change its name and symbol",
    "metadata-pointer": "somebody can change where its name and symbol lie",
}


@ACTIONS.reading("token-risk", "Tells what others can do to whoever holds a token.", TOKEN)
def token_risk(ground: Ground, token: Address) -> Json:
    """Returns rights that somebody holds, what a transfer costs, and what is not known."""
    found = token_of(ground.cluster, token)
    rules, fee = found.rules, fee_now(ground.cluster, found)
    given = {name: holder for name, holder in holders(found).items() if holder}
    risks = [means for name, means in _MEANS.items() if name in given]
    risks += ["a program runs in each transfer, and may refuse it"] if rules.hook else []
    risks += ["a part of each transfer is kept back"] if fee and fee.bps and fee.most else []
    risks += ["new accounts begin frozen"] if rules.born_frozen else []
    risks += ["it cannot be sent"] if not rules.transferable else []
    risks += ["all transfers are stopped"] if rules.paused else []
    return {
        "token": token, "standard": "token-2022" if found.program == TOKEN_2022 else "spl-token",
        "decimals": found.state.decimals, "supply": str(found.state.supply),
        "authorities": _listed(given, found),
        "tax_bps": {"transfer": fee.bps if fee else 0, "buy": None, "sell": None},
        "tax_most": str(fee.most) if fee else None,
        "frozen_by_default": rules.born_frozen, "liquidity": None, "risks": [*risks],
        "unknown": _unknown(found),
    }  # fmt: skip


def _listed(given: dict[str, Address], token: Token) -> list[Json]:
    listed: list[Json] = [{"power": name, "holder": holder, "note": ""} for name, holder in given.items()]
    if token.rules.hook:
        listed.append({"power": "transfer-hook", "holder": token.rules.hook, "note": "the program that runs"})
    if token.rules.fee and token.rules.fee.collector:
        listed.append({"power": "transfer-fee", "holder": token.rules.fee.collector, "note": "gets what is kept back"})
    return listed


def _unknown(token: Token) -> list[Json]:
    """Returns what this action cannot find out, and why."""
    said = [
        "tax of buying and selling: no trade was tried",
        "liquidity: pools on Solana are not read here",
    ]
    if token.rules.hook:
        said.append("what the hook does: a program can do anything")
    if token.rules.unread:
        said.append(f"extensions that are not read here: {', '.join(map(str, token.rules.unread))}")
    return [*said]
