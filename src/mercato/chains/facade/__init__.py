"""The façade: the embedded chain as a node that any wallet or script can speak to.

JSON-RPC 2.0 over HTTP and WebSocket on loopback: `Facade(chain).start()`.
"""

from mercato.chains.facade.limits import Limits
from mercato.chains.facade.server import Facade

__all__ = ["Facade", "Limits"]
