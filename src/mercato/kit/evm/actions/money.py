"""Holding and sending: balances, transfers, allowances, wrapping, items of collections."""

from __future__ import annotations

from mercato.chains import Address
from mercato.chains.model import ZERO
from mercato.core.events import Json
from mercato.kit.actions import Argument, Catalogue, Ground
from mercato.kit.errors import BadArgument
from mercato.kit.evm.actions.contracts import ERC20, ask, step
from mercato.kit.evm.actions.signatures import interface
from mercato.kit.model import Plan, Step

ACTIONS = Catalogue()
TOKEN = Argument("token", "address", "The token's contract.")
TO = Argument("to", "address", "Who gets it.")
AMOUNT = Argument("amount", "units", "How much, in the token's base units.")
SPENDER = Argument("spender", "address", "Who may spend.")
_WETH = interface("deposit()", "withdraw(uint256)")
_ITEMS = interface("safeTransferFrom(address,address,uint256)", "ownerOf(uint256) view returns (address)")
PERMIT2 = Address("0x000000000022d473030f116ddee9f6b43ac78ba3")  # the same on every chain that has it
_PERMIT2 = interface("approve(address,address,uint160,uint48)")


@ACTIONS.reading(
    "balance", "Tells how much an account has.",
    Argument("token", "address", "The token's contract; left out, the chain's own money.", optional=True),
    Argument("owner", "address", "Whose balance; left out, the acting account's.", optional=True),
)  # fmt: skip
def balance(ground: Ground, token: Address | None, owner: Address | None) -> Json:
    """Returns base units as text, with decimals and symbol where a token tells them."""
    who = owner or ground.account
    if token is None:
        return {"owner": who, "units": str(ground.chain.balance(who)), "decimals": 18}
    units = ask(ground.chain, token, ERC20, "balanceOf", who)
    decimals = ask(ground.chain, token, ERC20, "decimals")
    return {"owner": who, "token": token, "units": str(units), "decimals": decimals}


@ACTIONS.action(
    "transfer-native", "Sends the chain's own money.", TO, Argument("amount", "units", "How much, in wei."),
    effects="the amount leaves the account for `to`",
)  # fmt: skip
def transfer_native(ground: Ground, to: Address, amount: int) -> Plan:
    """Returns one transaction without data."""
    _somebody(to)
    return Plan((Step("Send money", to, b"", _some(amount)),))


@ACTIONS.action(
    "transfer", "Sends a token (ERC-20).", TOKEN, TO, AMOUNT, effects="the amount of the token leaves for `to`"
)
def transfer(ground: Ground, token: Address, to: Address, amount: int) -> Plan:
    """Returns one call of `transfer`."""
    _somebody(to)
    return Plan((step("Send a token", token, ERC20, "transfer", to, _some(amount)),), _erc20(ground, token))


@ACTIONS.action(
    "approve", "Allows somebody to spend a token (ERC-20), up to an amount and until it is revoked.",
    TOKEN, SPENDER, AMOUNT, effects="an allowance of `spender`; nothing moves yet",
)  # fmt: skip
def approve(ground: Ground, token: Address, spender: Address, amount: int) -> Plan:
    """Returns one call of `approve`."""
    _somebody(spender)
    return Plan((step("Allow spending", token, ERC20, "approve", spender, _some(amount)),), _erc20(ground, token))


@ACTIONS.action(
    "approve-until", "Allows somebody to spend a token through Permit2, up to an amount and until a time.",
    TOKEN, SPENDER, AMOUNT, Argument("expires", "whole", "When it ends, in Unix seconds."),
    Argument("register", "address", "Permit2's contract, if not at its usual address.", PERMIT2, optional=True),
    effects="an allowance of `spender` with an end; Permit2 itself needs an allowance before it can be used",
)  # fmt: skip
def approve_until(
    ground: Ground, token: Address, spender: Address, amount: int, expires: int, register: Address
) -> Plan:
    """Returns one call of Permit2's `approve`."""
    _somebody(spender)
    if not ground.chain.time() < expires < 2**48 or amount >= 2**160:
        raise BadArgument(f"expires was {expires}, amount {amount}", hint="in the future, and below 2**160")
    made = step("Allow spending for a time", register, _PERMIT2, "approve", token, spender, _some(amount), expires)
    return Plan((made,), _erc20(ground, token))


@ACTIONS.action(
    "revoke", "Takes an allowance of a token (ERC-20) back.", TOKEN, SPENDER, effects="`spender` may spend nothing more"
)
def revoke(ground: Ground, token: Address, spender: Address) -> Plan:
    """Returns one call of `approve` with 0."""
    return Plan((step("Take the allowance back", token, ERC20, "approve", spender, 0),), _erc20(ground, token))


@ACTIONS.action(
    "wrap", "Turns the chain's own money into its token (WETH9).",
    Argument("token", "address", "The wrapping contract."), Argument("amount", "units", "How much, in wei."),
    effects="as much of the token comes as money leaves",
)  # fmt: skip
def wrap(ground: Ground, token: Address, amount: int) -> Plan:
    """Returns one call of `deposit`."""
    return Plan((step("Wrap", token, _WETH, "deposit", value=_some(amount)),), _erc20(ground, token))


@ACTIONS.action(
    "unwrap", "Turns the wrapping token (WETH9) back into the chain's own money.",
    Argument("token", "address", "The wrapping contract."), Argument("amount", "units", "How much, in wei."),
    effects="as much money comes as leaves of the token",
)  # fmt: skip
def unwrap(ground: Ground, token: Address, amount: int) -> Plan:
    """Returns one call of `withdraw`."""
    return Plan((step("Unwrap", token, _WETH, "withdraw", _some(amount)),), _erc20(ground, token))


@ACTIONS.action(
    "transfer-item", "Sends one item of a collection (ERC-721).",
    Argument("collection", "address", "The collection's contract."),
    Argument("item", "units", "The item's number."), TO,
    effects="the item leaves for `to`",
)  # fmt: skip
def transfer_item(ground: Ground, collection: Address, item: int, to: Address) -> Plan:
    """Returns one call of `safeTransferFrom`."""
    _somebody(to)
    made = step("Send an item", collection, _ITEMS, "safeTransferFrom", ground.account, to, item)
    return Plan((made,), (f"{ground.chain.name}/erc721:{collection}/{item}",))


def _erc20(ground: Ground, *tokens: Address) -> tuple[str, ...]:
    return tuple(f"{ground.chain.name}/erc20:{token}" for token in tokens)


def _some(amount: int) -> int:
    if amount == 0:
        raise BadArgument("amount was 0", hint="expected base units above 0")
    return amount


def _somebody(to: Address) -> None:
    if to == ZERO:
        raise BadArgument(f"address was {to!r}, which is nobody's", hint="what is sent there is lost")
