"""What a client of a Solana node is told when something is wrong: codes, words and data as nodes give them.

The numbers are the node's own (Agave, `rpc-client-api/src/custom_error.rs`), by which clients know what happened.
"""

from __future__ import annotations

from mercato.chains.errors import BadCall, StaleSnapshot
from mercato.chains.facade.faults import INTERNAL, PARAMS, REQUEST, Fault
from mercato.core.errors import InvalidInput, MercatoError, NotFound

PREFLIGHT, SIGNATURES, NO_BLOCK, SKIPPED = -32002, -32003, -32004, -32007
VERSION, CONTEXT = -32015, -32016


def of(error: MercatoError) -> Fault:
    """Returns what a client is told of one of our errors."""
    match error:
        case BadCall() | InvalidInput() | StaleSnapshot():
            return Fault(PARAMS, f"Invalid param: {error}")
        case NotFound():
            return Fault(NO_BLOCK, str(error))
    return Fault(INTERNAL, str(error))


def params(words: str) -> Fault:
    """Returns the fault of parameters that cannot be right."""
    return Fault(PARAMS, words)


def request(words: str) -> Fault:
    """Returns the fault of a request that cannot be met as it was asked."""
    return Fault(REQUEST, words)
