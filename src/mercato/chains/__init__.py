"""The chains room: one port over an embedded EVM, a local node and any JSON-RPC endpoint.

Everything above speaks to `Chain`; which adapter stands behind it is a setting.
"""

from mercato.chains.model import Address, Block, Call, Chain, Controls, Hash, Log, LogQuery, Outcome, Receipt, Signer

__all__ = [
    "Address",
    "Block",
    "Call",
    "Chain",
    "Controls",
    "Hash",
    "Log",
    "LogQuery",
    "Outcome",
    "Receipt",
    "Signer",
]
