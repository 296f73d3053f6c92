"""Calls of contracts as steps of a plan, and questions to them."""

from __future__ import annotations

from typing import Any

from mercato.chains import Address, Call, Chain, Interface
from mercato.chains.errors import BadAnswer, BadCall, Reverted
from mercato.kit.errors import BadArgument
from mercato.kit.evm.actions.signatures import interface
from mercato.kit.model import Step

ERC20 = interface(
    "balanceOf(address) view returns (uint256)", "allowance(address,address) view returns (uint256)",
    "totalSupply() view returns (uint256)", "decimals() view returns (uint8)", "symbol() view returns (string)",
    "transfer(address,uint256) returns (bool)",
    "approve(address,uint256) returns (bool)",
)  # fmt: skip


def step(title: str, to: Address, of: Interface, function: str, *args: object, value: int = 0) -> Step:
    """Returns a call as a step."""
    return Step(title, to, of.encode(function, *args), value)


def ask(chain: Chain, to: Address, of: Interface, function: str, *args: object, sender: Address | None = None) -> Any:
    """Returns what a contract answers; BadArgument where it is no contract that understands the question."""
    try:
        data = chain.call(Call(sender or to, to, of.encode(function, *args), gas=5_000_000))
        return of.decode(function, data, len(args))
    except (Reverted, BadAnswer, BadCall) as error:
        raise BadArgument(
            f"contract was {to!r}, which does not answer {function!r}: {error.message[:160]}",
            hint="is it the right one?",
        ) from None


def approvals(chain: Chain, owner: Address, token: Address, spender: Address, units: int) -> tuple[Step, ...]:
    """Returns the approval of exactly so much, where less is allowed; to 0 first, as some tokens want it."""
    allowed = ask(chain, token, ERC20, "allowance", owner, spender)
    if allowed >= units:
        return ()
    reset = (step("Take back the old allowance", token, ERC20, "approve", spender, 0),) if allowed else ()
    return (*reset, step("Allow exactly this amount", token, ERC20, "approve", spender, units))
