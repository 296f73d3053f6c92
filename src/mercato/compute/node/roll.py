"""Who may offer through a tunnel, and what the gateway keeps of it.

The hub asks a `Roll`; one in the database is the gateway's, the one here lives in memory, for tests and for trying out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from mercato.compute.model import PROVIDERS, ModelSpec, Provider, ProviderId, Receipt, Standing
from mercato.compute.node.offers import Offering
from mercato.core.errors import Conflict

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

    def specs(self) -> Mapping[str, ModelSpec]:
        """Returns the models as they should be served, by id."""
        ...


class MemoryRoll:
    """A roll that forgets everything with its process. `welcome` lets keys in that nobody approved."""

    def __init__(
        self, *, welcome: bool = True, most: int = 1_000, specs: Mapping[str, ModelSpec] | None = None
    ) -> None:
        self.providers: dict[str, Provider] = {}
        self.offerings: dict[ProviderId, Offering] = {}
        self.signatures: dict[str, str] = {}
        self.objections: dict[str, str] = {}
        self._welcome, self._most, self._specs = welcome, most, dict(specs or {})

    async def arrived(self, who: Stranger) -> Provider:
        """Returns the provider with that key, made PENDING where it is new; Conflict where it may not come in."""
        found = self.providers.get(who.key)
        if found is None:
            if not self._welcome or len(self.providers) >= self._most:
                raise Conflict(f"key was {who.key!r}, which is not known", hint="ask the gateway's operator to add it")
            found = Provider(PROVIDERS.new(), who.name, Standing.PENDING, key=who.key)
        if found.standing in REFUSED:
            raise Conflict(f"provider was {found.standing.value!r}", hint="it may not offer here any more")
        self.providers[who.key] = replace(found, name=who.name, region=who.region, zdr=who.zdr)
        return self.providers[who.key]

    async def offered(self, provider: ProviderId, offering: Offering) -> Provider:
        """Keeps a verified document of offers in the place of the last one; returns the provider as it stands now."""
        self.offerings[provider] = offering
        return self.providers[offering.key]

    async def advanced(self, provider: ProviderId) -> Provider:
        """Moves a PENDING provider to PROBATION, after its first offer was tried; returns it as it stands now."""
        found = next(one for one in self.providers.values() if one.id == provider)
        if found.standing is Standing.PENDING:
            found = self.providers[found.key] = replace(found, standing=Standing.PROBATION)
        return found

    async def countersigned(self, provider: ProviderId, receipt: Receipt, signature: str) -> None:
        """Keeps the node's signature below a receipt's hash."""
        self.signatures[receipt.request] = signature

    async def objected(self, provider: ProviderId, receipt: Receipt, why: str) -> None:
        """Keeps that a node does not agree to a receipt, in its words."""
        self.objections[receipt.request] = why

    async def unsigned(self, provider: ProviderId) -> list[Receipt]:
        """Returns receipts that a provider has not answered yet: none, as none are kept here."""
        return []

    def specs(self) -> Mapping[str, ModelSpec]:
        """Returns the models as they should be served, by id."""
        return self._specs
