"""The chains room: one port over an embedded EVM, a local node and any JSON-RPC endpoint.

Everything above speaks to `Chain`; which adapter stands behind it is a setting. Values without a place here are in
`chains.model`, addresses in `chains.addresses`, keys in `chains.signing`, doubles in `chains.testing`.
"""

from mercato.chains.abi import Deployed, Interface, deploy, keccak
from mercato.chains.errors import Reverted
from mercato.chains.model import Address, Call, Chain, Controls, Hash, Log, LogQuery, Receipt, Signer
from mercato.chains.opening import open_chain

__all__ = [
    "Address",
    "Call",
    "Chain",
    "Controls",
    "Deployed",
    "Hash",
    "Interface",
    "Log",
    "LogQuery",
    "Receipt",
    "Reverted",
    "Signer",
    "deploy",
    "keccak",
    "open_chain",
]
