"""What goes wrong on a chain.

MercatoError
    Conflict
        Reverted             (Terminal)    the contract refused; carries its reason and its raw data
        StaleSnapshot        (Terminal)    a snapshot was reverted out of order
        Diverged             (Terminal)    the journal of an embedded chain does not come out as it was written
    SourceError
        Unreachable          (Transient)   the node did not answer, or not in time
        BadAnswer            (Transient)   the node answered something that cannot be right
    InvalidInput
        UnknownSigner        (Terminal)    nobody here can sign for that account
        BadCall              (Terminal)    arguments do not fit the ABI, or the transaction cannot be right
    RealChainRefused         (Refused)     the fuse for real chains is in
"""

from __future__ import annotations

from mercato.core.errors import Conflict, InvalidInput, MercatoError, Refused, SourceError, Terminal


class Reverted(Conflict):
    """The contract refused. `reason` is its text, "" where it gave none; `data` is what it returned."""

    code = "reverted"

    def __init__(self, reason: str, data: bytes = b"", *, hint: str = "") -> None:
        said = repr(reason) if reason else f"data 0x{data.hex()}" if data else "nothing"
        super().__init__(f"contract reverted, its reason was {said}", hint=hint, reason=reason)
        self.reason, self.data = reason, data


class StaleSnapshot(Conflict):
    """A snapshot was reverted that is no longer the newest one, or was never taken."""

    code = "stale-snapshot"


class Diverged(Conflict):
    """The journal of an embedded chain is damaged, or its blocks come out otherwise than they were written."""

    code = "diverged"


class Unreachable(SourceError):
    """The node did not answer, or not in time."""

    code = "unreachable"


class BadAnswer(SourceError):
    """The node answered with an error of its own, or something that cannot be right."""

    code = "bad-answer"


class UnknownSigner(InvalidInput):
    """Nobody here can sign for that account."""

    code = "unknown-signer"


class BadCall(InvalidInput):
    """The arguments do not fit the ABI, or the transaction cannot be right."""

    code = "bad-call"


class RealChainRefused(MercatoError, Refused, Terminal):
    """The fuse for real chains is in: nothing is sent to a network where money is real."""

    code = "real-chain-refused"
    status = 403
