"""How much gas a wallet should offer."""

from __future__ import annotations

from dataclasses import replace

from mercato.chains.evm.engine import GAS_LIMIT
from mercato.chains.evm.local import LocalChain
from mercato.chains.model import Call

TIP = 10**9  # wei per gas: what wallets are told to offer
TRANSFER = 21_000
CLOSE = 64  # the answer may exceed the least by one part in this many


def estimate(chain: LocalChain, call: Call) -> int:
    """Returns gas with which the call succeeds, counted as a real node counts; raises Reverted where none lets it.

    Mostly that is the gas that the call uses. More is needed while it runs where some is given back at the end or held
    back from a nested call (EIP-150, EIP-3529); then the least is searched for.
    """
    asked = replace(call, gas=None)
    chain.call(asked)
    if call.to is not None and not call.data and not chain.code(call.to):
        return TRANSFER
    used = chain.measure(asked).gas_used
    low, high = used - 1, GAS_LIMIT
    for guess in (used, used + used // CLOSE + 2_300):  # 2300 is what a call that sends wei must have left
        if chain.measure(replace(call, gas=guess)).succeeded:
            high = guess
            break
        low = guess
    while high - low > 1 + low // CLOSE and high > used:
        middle = min((low + high) // 2, low * 2)  # the least is rarely far above what is used
        if chain.measure(replace(call, gas=middle)).succeeded:
            high = middle
        else:
            low = middle
    return high
