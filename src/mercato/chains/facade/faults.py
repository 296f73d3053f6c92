"""What a JSON-RPC client is told when something is wrong: the codes and words that clients recognise.

They are an agreement between nodes and clients, of EIP-1474 and of the node that most clients were written against,
so they are not errors of `chains.errors`; `of` turns those into these.
"""

from __future__ import annotations

from mercato.chains.errors import BadCall, Reverted, StaleSnapshot, UnknownSigner
from mercato.core.errors import InvalidInput, MercatoError, NotFound

PARSE, REQUEST, METHOD, PARAMS, INTERNAL = -32700, -32600, -32601, -32602, -32603
SERVER, MISSING, LIMIT = -32000, -32001, -32005
REVERTED = 3


class Fault(Exception):
    """A JSON-RPC error: `data` is left out where it is None."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data

    def body(self) -> dict[str, object]:
        """Returns the `error` member of an answer."""
        found = {"code": self.code, "message": self.message, "data": self.data}
        return {name: value for name, value in found.items() if name != "data" or value is not None}


def of(error: MercatoError) -> Fault:
    """Returns what a client is told of one of our errors."""
    match error:
        case Reverted():
            return Fault(
                REVERTED, "execution reverted" + (f": {error.reason}" if error.reason else ""), "0x" + error.data.hex()
            )
        case UnknownSigner():
            return Fault(SERVER, "unknown account")
        case StaleSnapshot() | BadCall():
            return Fault(SERVER, str(error))
        case NotFound():
            return Fault(MISSING, str(error))
        case InvalidInput():
            return Fault(PARAMS, str(error))
    return Fault(INTERNAL, str(error))
