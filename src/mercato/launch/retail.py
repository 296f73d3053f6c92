"""Who takes part in a retail tranche: the attester's word that an identity stands for a bidder, as a credential.

The chain sees a hash that only the attester can make of an identity, so a list of well-known names does not tell who
bids; the same identity always gives the same hash, so it counts once per auction.
"""

from __future__ import annotations

from mercato.chains import Address, Chain, Signer, keccak
from mercato.core.errors import Conflict, InvalidInput
from mercato.launch.auctions import contracts
from mercato.launch.contracts import at
from mercato.launch.credentials import attestation, attested
from mercato.launch.model import Launch

LETTERS = 200
DAY = 86_400  # a window may be extended by hours


def admit(chain: Chain, launch: Launch, bidder: Address, identity: str, attester: Signer) -> bytes:
    """Returns the credential with which a bidder may bid retail until the auction's window ends at the latest.

    Conflict where the launch has no retail tranche, or another attester.
    """
    held = contracts(launch)
    if held.gate is None:
        raise Conflict(f"launch {launch.id!r} has no retail tranche", hint="bid at a level")
    named = at(chain, "identity_gate", held.gate).read("ATTESTER")
    if named != attester.address:
        raise Conflict(f"attester was {attester.address}, the gate names {named}", hint="set its key")
    hidden = identity_hash(identity, attester)
    deadline = held.ends + DAY
    digest = attestation(chain, held.gate, held.auction, bidder, hidden, deadline)
    return attested(hidden, deadline, attester.digest(digest))


def identity_hash(identity: str, attester: Signer) -> bytes:
    """Returns the 32 bytes that stand for an identity, such as `x:somebody`, as only its attester can."""
    name = identity.strip().casefold()
    if not 0 < len(name) <= LETTERS:
        raise InvalidInput(f"identity was {identity[:80]!r}", hint=f"expected 1 to {LETTERS} letters, as x:somebody")
    return keccak(attester.digest(keccak(b"Mercato identity\n" + name.encode())))
