"""Doubles of the compute room for tests: stub providers that are real HTTP servers on loopback, a roll in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mercato.compute.errors import Unreached
from mercato.compute.fleet import replies
from mercato.compute.fleet.behaviour import Behaviour, Manner
from mercato.compute.fleet.stub import Stub
from mercato.compute.fleet.toy import Toy
from mercato.compute.model import PROVIDERS, ModelSpec, Provider, ProviderId, Receipt, Standing
from mercato.compute.node.offers import Offering
from mercato.compute.node.roll import REFUSED, Stranger
from mercato.compute.verify import synced
from mercato.compute.verify.exhibit import Exhibit
from mercato.compute.verify.match import Match
from mercato.core.errors import Conflict
from mercato.core.events import Json


def stub(
    behaviour: Behaviour | str = Behaviour.HONEST, *, models: Sequence[str] = ("toy",), key: str = "", **measures: Any
) -> Stub:
    """Returns a provider to be opened with `with`; `measures` are the fields of `Manner`, such as rate or delay.

    `stub("truncate", after=2)` cuts after two tokens; its `url` ends in /v1, `asked` holds what came, `open` counts
    what is in flight, `left` what its callers gave up. With a `key`, callers must send it.
    """
    return Stub(Manner(Behaviour(behaviour), **measures), models, key)


class ToyChecker:
    """A reference that is the toy model itself, without a network. While `away`, it cannot be reached."""

    name = "toy"
    provider = ProviderId("prov_checker")

    def __init__(self) -> None:
        self.away = False
        self.asked = 0

    async def check(self, exhibit: Exhibit, model: str) -> Match | None:
        """Returns how an answer matches what the toy model would have said; Unreached while it is away."""
        if self.away:
            raise Unreached("connect", "toy checker is away")
        self.asked += 1
        asked = replies.Asked("/v1/chat/completions", {}, dict(exhibit.body))
        words = exhibit.answer.split()
        found = replies.ranks(Toy(), asked.text(), words)
        same = found.count(1)
        if exhibit.seeded and asked.seeded:
            told = replies.scores(Toy(), asked.text(), words)
            same = synced.matching([(next(iter(it)), it) for it in told], *asked.seeded)
        return Match(len(found), same) if found else None


class MemoryRoll:
    """A roll that forgets everything with its process. `welcome` lets keys in that nobody approved."""

    def __init__(
        self, *, welcome: bool = True, most: int = 1_000, specs: Mapping[str, ModelSpec] | None = None
    ) -> None:
        self.providers: dict[str, Provider] = {}
        self.offerings: dict[ProviderId, Offering] = {}
        self.signatures: dict[str, str] = {}
        self.objections: dict[str, str] = {}
        self.contradictions: list[tuple[ProviderId, Mapping[str, Json], Mapping[str, Json]]] = []
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

    async def contradicted(
        self, provider: ProviderId, first: Mapping[str, Json], second: Mapping[str, Json]
    ) -> None:  # fmt: skip
        """Keeps what a provider signed that cannot both be true, and ejects it."""
        self.contradictions.append((provider, first, second))
        found = next(one for one in self.providers.values() if one.id == provider)
        self.providers[found.key] = replace(found, standing=Standing.EJECTED)

    def specs(self) -> Mapping[str, ModelSpec]:
        """Returns the models as they should be served, by id."""
        return self._specs
