"""Trading and providing: Uniswap v2 and those who copied it, and v3 through QuoterV2 and SwapRouter02.

A trade's price impact is measured against the pool's own price before it, fee of the pool included.
"""

from __future__ import annotations

from mercato.chains import Address
from mercato.core.events import Json
from mercato.kit.actions import Argument, Catalogue, Ground
from mercato.kit.errors import BadArgument
from mercato.kit.evm.actions.contracts import approvals, ask, step
from mercato.kit.evm.actions.signatures import interface
from mercato.kit.model import FULL_BPS, Plan, Trade

ACTIONS = Catalogue()
PATIENCE = 600  # seconds after which a trade is void
ROUTER = Argument("router", "address", "The router's contract.")
SELL = Argument("sell", "address", "The token to sell.")
BUY = Argument("buy", "address", "The token to buy.")
AMOUNT = Argument("amount", "units", "How much to sell, in base units.")
SLIPPAGE = Argument("slippage_bps", "whole", "How much less than quoted may come, in bps.", 50, optional=True)
FEE = Argument("fee", "whole", "The pool's fee in millionths: 100, 500, 3000 or 10000.")
_V2 = interface(
    "factory() view returns (address)", "getAmountsOut(uint256,address[]) view returns (uint256[])",
    "swapExactTokensForTokens(uint256,uint256,address[],address,uint256) returns (uint256[])",
    "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256) returns (uint256,uint256,uint256)",
    "removeLiquidity(address,address,uint256,uint256,uint256,address,uint256) returns (uint256,uint256)",
)  # fmt: skip
_FACTORY = interface("getPair(address,address) view returns (address)")
PAIR = interface(
    "getReserves() view returns (uint112,uint112,uint32)", "token0() view returns (address)",
    "totalSupply() view returns (uint256)",
)  # fmt: skip
V3 = interface(
    "factory() view returns (address)",
    "exactInputSingle([address,address,uint24,address,uint256,uint256,uint160]) returns (uint256)",
)
V3_FACTORY = interface("getPool(address,address,uint24) view returns (address)")
V3_POOL = interface("slot0() view returns (uint160,int24,uint16,uint16,uint16,uint8,bool)")
_QUOTER = interface(
    "quoteExactInputSingle([address,address,uint256,uint24,uint160]) returns (uint256,uint160,uint32,uint256)"
)


@ACTIONS.action(
    "swap-v2", "Sells a token for another in a pair of Uniswap v2 or a copy of it.",
    ROUTER, SELL, BUY, AMOUNT, SLIPPAGE,
    effects="`amount` of `sell` leaves for the pair, at least the quote less the slippage of `buy` comes",
)  # fmt: skip
def swap_v2(ground: Ground, router: Address, sell: Address, buy: Address, amount: int, slippage_bps: int) -> Plan:
    """Returns the approval that is needed, and the trade."""
    kept, got = reserves(ground, router, sell, buy)
    quoted = ask(ground.chain, router, _V2, "getAmountsOut", amount, [sell, buy])[-1]
    least = _less(quoted, slippage_bps)
    trade = step(
        "Trade", router, _V2, "swapExactTokensForTokens", amount, least, [sell, buy], ground.account, _void(ground)
    )
    paid, bought = _names(ground, sell, buy)
    steps = (*approvals(ground.chain, ground.account, sell, router, amount), trade)
    return Plan(steps, (paid, bought), Trade(paid, bought, got, kept))


@ACTIONS.action(
    "add-liquidity-v2", "Puts two tokens into a pair of Uniswap v2.", ROUTER,
    Argument("first", "address", "One token."), Argument("second", "address", "The other token."),
    Argument("first_amount", "units", "At most so much of the first, in base units."),
    Argument("second_amount", "units", "At most so much of the second, in base units."), SLIPPAGE,
    effects="both amounts leave for the pair, as far as its price takes them; shares of the pair come",
)  # fmt: skip
def add_liquidity_v2(
    ground: Ground, router: Address, first: Address, second: Address, first_amount: int, second_amount: int,
    slippage_bps: int,
) -> Plan:  # fmt: skip
    """Returns the approvals that are needed, and the deposit."""
    pair = pair_of(ground, router, first, second)
    one, other = reserves(ground, router, first, second)
    if not one or not other:
        raise BadArgument(f"pair was {pair!r}, which is empty", hint="whoever is first sets its price: use `call`")
    given = first_amount if first_amount * other // one <= second_amount else second_amount * one // other
    taken = (given, given * other // one)  # exactly, so that no allowance is left
    steps = [
        *approvals(ground.chain, ground.account, first, router, taken[0]),
        *approvals(ground.chain, ground.account, second, router, taken[1]),
        step("Add to the pair", router, _V2, "addLiquidity", first, second, *taken,
             _less(taken[0], slippage_bps), _less(taken[1], slippage_bps), ground.account, _void(ground)),
    ]  # fmt: skip
    return Plan(tuple(steps), (*_names(ground, first, second), *_names(ground, pair)))


@ACTIONS.action(
    "remove-liquidity-v2", "Takes two tokens out of a pair of Uniswap v2.", ROUTER,
    Argument("first", "address", "One token."), Argument("second", "address", "The other token."),
    Argument("shares", "units", "How many shares of the pair to give back."), SLIPPAGE,
    effects="the shares leave, both tokens come in proportion",
)  # fmt: skip
def remove_liquidity_v2(
    ground: Ground, router: Address, first: Address, second: Address, shares: int, slippage_bps: int
) -> Plan:
    """Returns the approval that is needed, and the withdrawal."""
    pair = pair_of(ground, router, first, second)
    one, other = reserves(ground, router, first, second)
    supply = ask(ground.chain, pair, PAIR, "totalSupply") or 1
    least = (_less(one * shares // supply, slippage_bps), _less(other * shares // supply, slippage_bps))
    made = step(
        "Take out of the pair", router, _V2, "removeLiquidity", first, second, shares, *least, ground.account,
        _void(ground),
    )  # fmt: skip
    steps = (*approvals(ground.chain, ground.account, pair, router, shares), made)
    return Plan(steps, (*_names(ground, first, second), *_names(ground, pair)))


@ACTIONS.reading(
    "quote-v3", "Tells what a trade on Uniswap v3 would give.",
    Argument("quoter", "address", "QuoterV2's contract."), SELL, BUY, AMOUNT, FEE,
)  # fmt: skip
def quote_v3(ground: Ground, quoter: Address, sell: Address, buy: Address, amount: int, fee: int) -> Json:
    """Returns base units of `buy` as text."""
    return {
        "sell": sell,
        "buy": buy,
        "amount": str(amount),
        "gets": str(_quoted(ground, quoter, sell, buy, amount, fee)),
    }


@ACTIONS.action(
    "swap-v3", "Sells a token for another in one pool of Uniswap v3, through SwapRouter02.", ROUTER,
    Argument("quoter", "address", "QuoterV2's contract."), SELL, BUY, AMOUNT, FEE, SLIPPAGE,
    effects="`amount` of `sell` leaves for the pool, at least the quote less the slippage of `buy` comes",
)  # fmt: skip
def swap_v3(
    ground: Ground, router: Address, quoter: Address, sell: Address, buy: Address, amount: int, fee: int,
    slippage_bps: int,
) -> Plan:  # fmt: skip
    """Returns the approval that is needed, and the trade."""
    least = _less(_quoted(ground, quoter, sell, buy, amount, fee), slippage_bps)
    factory = ask(ground.chain, router, V3, "factory")
    pool = Address(ask(ground.chain, Address(factory), V3_FACTORY, "getPool", sell, buy, fee))
    root = ask(ground.chain, pool, V3_POOL, "slot0")[0]  # sqrt(token1 / token0) * 2^96
    num, den = (root * root, 2**192) if sell < buy else (2**192, root * root)
    made = step(
        "Trade", router, V3, "exactInputSingle", (sell, buy, fee, ground.account, amount, least, 0)
    )  # fmt: skip
    paid, bought = _names(ground, sell, buy)
    steps = (*approvals(ground.chain, ground.account, sell, router, amount), made)
    return Plan(steps, (paid, bought), Trade(paid, bought, num, den))


def _quoted(ground: Ground, quoter: Address, sell: Address, buy: Address, amount: int, fee: int) -> int:
    asked = (sell, buy, amount, fee, 0)
    return int(ask(ground.chain, quoter, _QUOTER, "quoteExactInputSingle", asked, sender=ground.account)[0])


def pair_of(ground: Ground, router: Address, first: Address, second: Address) -> Address:
    """Returns the pair of two tokens; BadArgument where there is none."""
    factory = Address(ask(ground.chain, router, _V2, "factory"))
    found = Address(ask(ground.chain, factory, _FACTORY, "getPair", first, second))
    if not int(found, 16):
        raise BadArgument(f"tokens were {first!r} and {second!r}, which have no pair", hint="check the router")
    return found


def reserves(ground: Ground, router: Address, first: Address, second: Address) -> tuple[int, int]:
    """Returns what the pair of two tokens holds of each."""
    zero, one, _ = ask(ground.chain, pair_of(ground, router, first, second), PAIR, "getReserves")
    return (zero, one) if first < second else (one, zero)


def _names(ground: Ground, *tokens: Address) -> tuple[str, ...]:
    return tuple(f"{ground.chain.name}/erc20:{token}" for token in tokens)


def _less(units: int, bps: int) -> int:
    if bps >= FULL_BPS:
        raise BadArgument(f"slippage_bps was {bps}", hint="expected less than 10000")
    return units * (FULL_BPS - bps) // FULL_BPS


def _void(ground: Ground) -> int:
    return ground.chain.time() + PATIENCE
