"""Who may offer through a tunnel, and what the gateway keeps of it.

The hub asks a `Roll`; the gateway's is in the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from mercato.compute.model import ModelSpec, Provider, ProviderId, Receipt, Standing
from mercato.compute.node.offers import Offering
from mercato.core.events import Json

REFUSED = frozenset({Standing.EJECTED})
SERVING = frozenset({Standing.PROBATION, Standing.ACTIVE})


@dataclass(frozen=True, slots=True)
class Stranger:
    """What a node says of itself when it dials in, its key proven: a name for people, a region, whether it keeps
    prompts, and which process it is. Nothing but the key is believed."""

    key: str
    name: str
    region: str
    zdr: bool
    instance: str = ""


class Roll(Protocol):
    """The gateway's memory of providers. Every call may take a transaction."""

    async def arrived(self, who: Stranger) -> Provider:
        """Returns the provider with that key, made PENDING where it is new; Conflict where it may not come in."""
        ...

    async def offered(self, provider: ProviderId, offering: Offering) -> Provider:
        """Keeps a verified document of offers in the place of the last one; returns the provider as it stands now."""
        ...

    async def advanced(self, provider: ProviderId) -> Provider:
        """Moves a PENDING provider to PROBATION, after its first offer was tried; returns it as it stands now."""
        ...

    async def countersigned(self, provider: ProviderId, receipt: Receipt, signature: str) -> None:
        """Keeps the node's signature below a receipt's hash."""
        ...

    async def objected(self, provider: ProviderId, receipt: Receipt, why: str) -> None:
        """Keeps that a node does not agree to a receipt, in its words."""
        ...

    async def unsigned(self, provider: ProviderId) -> list[Receipt]:
        """Returns receipts that a provider has not answered yet, the newest of the epoch that is open."""
        ...

    async def contradicted(
        self, provider: ProviderId, first: Mapping[str, Json], second: Mapping[str, Json]
    ) -> None:  # fmt: skip
        """Takes a provider's stake: it signed two documents that cannot both be true."""
        ...

    def specs(self) -> Mapping[str, ModelSpec]:
        """Returns the models as they should be served, by id."""
        ...
