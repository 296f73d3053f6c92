"""The façade: the embedded cluster as a node that any Solana client can speak to.

JSON-RPC 2.0 over HTTP and WebSocket on loopback: `SolanaFacade(cluster).start()`.
"""

from mercato.chains.facade.limits import Limits
from mercato.chains.solana.facade.server import SolanaFacade

__all__ = ["Limits", "SolanaFacade"]
