"""How much gas a wallet should offer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mercato.chains.evm.engine import GAS_LIMIT
from mercato.chains.evm.local import LocalChain
from mercato.chains.model import Call

TIP = 10**9  # wei per gas: what wallets are told to offer
TRANSFER = 21_000
CLOSE = 64  # the answer may exceed the least by one part in this many
STIPEND = 2_300  # what a call that sends wei must have left


def estimate(chain: LocalChain, call: Call) -> int:
    """Returns gas with which the call does all that it would do with plenty; raises Reverted where none lets it.

    Mostly that is the gas that the call uses. More is needed while it runs where some is given back at the end or held
    back from a nested call (EIP-150, EIP-3529); then the least is searched for. A contract may catch that a nested call
    ran out of gas and go on, so success is not enough: it must write the same logs and return the same.
    """
    asked = replace(call, gas=None)
    chain.call(asked)
    if call.to is not None and not call.data and not chain.code(call.to):
        return TRANSFER
    whole = chain.measure(asked)

    def enough(gas: int) -> bool:
        tried = chain.measure(replace(call, gas=gas))
        return (tried.succeeded, tried.output, tried.logs) == (whole.succeeded, whole.output, whole.logs)

    return least(whole.gas_used, enough)


def least(used: int, enough: Callable[[int], bool]) -> int:
    """Returns an amount that is enough, from what is used on, and at most a part in CLOSE above the least such."""
    low, high = used - 1, GAS_LIMIT
    for guess in (used, used + used // CLOSE + STIPEND):
        if enough(guess):
            high = guess
            break
        low = guess
    while high - low > 1 + low // CLOSE and high > used:
        middle = min((low + high) // 2, low * 2)  # the least is rarely far above what is used
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
