"""How much gas a wallet should offer."""

from __future__ import annotations

from mercato.chains.evm.engine import GAS_LIMIT
from mercato.chains.evm.local import LocalChain
from mercato.chains.model import Call

TIP = 10**9  # wei per gas: what wallets are told to offer
TRANSFER = 21_000
FACTOR, MORE = 4, 100_000  # above what the fast engine counts, which knows no cold accounts and slots
SIXTYFOURTH = 64


def estimate(chain: LocalChain, call: Call) -> int:
    """Returns gas with which the call succeeds; raises Reverted where no amount lets it.

    A plain transfer costs what it always costs. The exact engine's count gets the 64th that a nested call holds back.
    The fast engine counts too little, so its count is multiplied: enough here, and on a chain that counts fully
    usually too, but no measure of what it will cost there.
    """
    chain.call(Call(call.sender, call.to, call.data, call.value))
    if call.to is not None and not call.data and not chain.code(call.to):
        return TRANSFER
    (outcome,) = chain.simulate([Call(call.sender, call.to, call.data, call.value)])
    used = outcome.gas_used
    offered = used + used // SIXTYFOURTH * 2 + 10_000 if chain.exact_gas else used * FACTOR + MORE
    return min(offered, GAS_LIMIT)
