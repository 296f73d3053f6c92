"""What is known before acting: what gas costs, what a pool holds, and what others can do to a token's holders."""

from __future__ import annotations

from mercato.chains import Address, Call
from mercato.core.events import Json
from mercato.kit.actions import Argument, Catalogue, Ground
from mercato.kit.errors import BadArgument
from mercato.kit.evm.actions.contracts import ERC20, ask
from mercato.kit.evm.actions.risk import Finding, Trial, examine
from mercato.kit.evm.actions.trading import FEE, PAIR, ROUTER, V3, V3_FACTORY, V3_POOL, pair_of, reserves
from mercato.kit.evm.rehearsal import NATIVE

ACTIONS = Catalogue()
TOKEN = Argument("token", "address", "The token's contract.")
FIRST = Argument("first", "address", "One token.")
SECOND = Argument("second", "address", "The other token.")
#: What each right means for holders, in words of ours. Nothing of the token's own text is in an answer.
_MEANS = {
    "owner": "somebody owns the contract, with whatever rights it gives an owner",
    "mint": "somebody can make more of it",
    "pause": "somebody can stop all transfers",
    "freeze": "somebody can freeze holders' accounts",
    "upgrade": "somebody can replace its code",
}


@ACTIONS.reading(
    "gas", "Tells what gas costs now, and how much of it a call would use.",
    Argument("to", "address", "Whom to call; left out, only the price is told.", optional=True),
    Argument("data", "hex", "The call's data.", "0x", optional=True),
    Argument("value", "units", "How much money goes with it, in wei.", "0", optional=True),
)  # fmt: skip
def gas(ground: Ground, to: Address | None, data: bytes, value: int) -> Json:
    """Returns wei per gas as text: the next block's base fee, the median tip of recent blocks, and twice the base fee
    with that tip, which holds for six full blocks; and the gas of the call, which is least where the chain says so."""
    found = ground.chain.fees()
    price: dict[str, Json] = {
        "asset": f"{ground.chain.name}/{NATIVE}", "base_fee": str(found.base), "tip": str(found.tip),
        "offer": str(2 * found.base + found.tip),
    }  # fmt: skip
    if to is None:
        return price
    (outcome,) = ground.chain.simulate([Call(ground.account, to, data, value)])
    if not outcome.succeeded:
        raise BadArgument(f"call of {to} would fail", hint="see `dry-run` of `call` for the contract's reason")
    used = outcome.gas_used
    return {**price, "gas": used, "costs": str(used * (found.base + found.tip))}


@ACTIONS.reading("pool-v2", "Tells what a pair of Uniswap v2 holds.", ROUTER, FIRST, SECOND)
def pool_v2(ground: Ground, router: Address, first: Address, second: Address) -> Json:
    """Returns base units of both tokens and of the pair's shares; their ratio is its price, before fees."""
    pair = pair_of(ground, router, first, second)
    one, other = reserves(ground, router, first, second)
    return {
        "pool": pair, "first": first, "second": second, "first_units": str(one), "second_units": str(other),
        "shares": str(ask(ground.chain, pair, PAIR, "totalSupply")),
    }  # fmt: skip


@ACTIONS.reading("pool-v3", "Tells the price of a pool of Uniswap v3 and what it holds.", ROUTER, FIRST, SECOND, FEE)
def pool_v3(ground: Ground, router: Address, first: Address, second: Address, fee: int) -> Json:
    """Returns base units of both tokens, and `root_price`: the square root of the second's units for each of the
    first's, times 2^96, where the first has the lower address; otherwise the other way round."""
    factory = Address(ask(ground.chain, router, V3, "factory"))
    pool = Address(ask(ground.chain, factory, V3_FACTORY, "getPool", first, second, fee))
    if not int(pool, 16):
        raise BadArgument(f"tokens were {first!r} and {second!r}, which have no pool of {fee}", hint="try another fee")
    held = [str(ask(ground.chain, token, ERC20, "balanceOf", pool)) for token in (first, second)]
    root = ask(ground.chain, pool, V3_POOL, "slot0")[0]
    return {
        "pool": pool, "first": first, "second": second, "first_units": held[0], "second_units": held[1],
        "root_price": str(root),
    }  # fmt: skip


@ACTIONS.reading(
    "token-risk", "Tells what others can do to whoever holds a token.", TOKEN,
    Argument("router", "address", "A router of Uniswap v2, to measure liquidity and what trades cost.", optional=True),
    Argument("quote", "address", "The token that it is traded for there.", optional=True),
)  # fmt: skip
def token_risk(ground: Ground, token: Address, router: Address | None, quote: Address | None) -> Json:
    """Returns rights that somebody holds, what transfers and trades keep back, liquidity, and what is not known."""
    supply = ask(ground.chain, token, ERC20, "totalSupply")
    pair = pair_of(ground, router, token, quote) if router and quote else None
    held = bool(ask(ground.chain, token, ERC20, "balanceOf", ground.account))
    trial = Trial(ground.chain, token, ground.account, held, pair, router, quote)
    found = examine(trial)
    pool: Json = None
    if pair and router and quote:
        own, other = reserves(ground, router, token, quote)
        pool = {
            "pool": pair, "quote": f"{ground.chain.name}/erc20:{quote}", "units": str(other), "token_units": str(own)
        }  # fmt: skip
    decimals = trial.ask(ERC20, "decimals")
    return {
        "token": token, "standard": "erc20", "decimals": decimals, "supply": str(supply),
        "authorities": [{"power": power, "holder": who, "note": note} for power, who, note in found.rights],
        "tax_bps": {**found.taxes}, "tax_most": None, "frozen_by_default": None, "liquidity": pool,
        "risks": _risks(found, pool), "unknown": _unknown(found, pool, decimals),
    }  # fmt: skip


def _risks(found: Finding, pool: Json) -> list[Json]:
    powers = {power for power, _, _ in found.rights}
    risks: list[Json] = [means for power, means in _MEANS.items() if power in powers]
    risks += ["a part of each transfer is kept back"] if found.taxes["transfer"] else []
    risks += ["a part of what is bought is kept back"] if found.taxes["buy"] else []
    risks += ["a part of what is sold is kept back"] if found.taxes["sell"] else []
    risks += ["it cannot be sold to this pool"] if found.barred else []
    risks += ["the pool is empty"] if isinstance(pool, dict) and pool["units"] == "0" else []
    return risks


def _unknown(found: Finding, pool: Json, decimals: int | None) -> list[Json]:
    said: list[Json] = [*found.unknown, "tax: what its code may take later is not known, only what it takes now"]
    said += [] if pool else ["liquidity: no pool was named"]
    said += [] if decimals is not None else ["decimals: the token does not tell"]
    return [*said, "rights given in another way than by an owner, as by roles"]
