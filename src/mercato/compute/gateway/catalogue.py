"""Who serves what: upstreams of the settings, providers that registered an address, nodes that dialled in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from mercato.compute.gateway.line import Line
from mercato.compute.model import PROVIDERS, Offer, Price, Provider, ProviderId, Standing
from mercato.compute.routing.router import Candidate
from mercato.core.ids import encode

if TYPE_CHECKING:
    from mercato.compute.settings import Upstream

Pair = tuple[Provider, Offer]
#: Seconds after which sources are asked again.
FRESH = 1.0


@dataclass(frozen=True, slots=True)
class Source:
    """Somewhere that providers come from: who may be asked now, and the way to one of them, None where it has none."""

    pairs: Callable[[], Iterable[Pair]]
    line: Callable[[ProviderId], Line | None]


class Catalogue:
    """All candidates by model. `look` asks the sources again where that was longer ago than a second."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = tuple(sources)
        self._asked = -FRESH
        self._models: dict[str, list[Candidate]] = {}

    def look(self, now: float) -> None:
        """Brings the catalogue up to date; `now` is in seconds of a clock that only goes forward."""
        if now - self._asked < FRESH:
            return
        self._asked = now
        models: dict[str, list[Candidate]] = {}
        for source in self._sources:
            for provider, offer in source.pairs():
                models.setdefault(offer.model, []).append(Candidate(provider, offer))
        self._models = models

    def candidates(self, model: str) -> Sequence[Candidate]:
        """Returns who offers a model, whether they may be asked or not."""
        return self._models.get(model, ())

    def models(self) -> Mapping[str, Sequence[Candidate]]:
        """Returns every model that somebody offers."""
        return self._models

    def providers(self) -> list[Provider]:
        """Returns every provider once, by name."""
        found = {one.provider.id: one.provider for each in self._models.values() for one in each}
        return sorted(found.values(), key=lambda provider: provider.name)

    def line(self, provider: ProviderId) -> Line | None:
        """Returns the way to a provider; None where it just left."""
        return next((line for source in self._sources if (line := source.line(provider))), None)


def named(name: str) -> ProviderId:
    """Returns the id of an upstream of the settings: the same for its name in every process."""
    tail = int.from_bytes(hashlib.sha256(f"upstream:{name}".encode()).digest()[:16], "big")
    number = tail & ((1 << 80) - 1) & ~(0xF << 76) & ~(0b11 << 62) | 0x7 << 76 | 0b10 << 62
    return PROVIDERS.type(f"{PROVIDERS.prefix}_{encode(UUID(int=number))}")


def listed(upstreams: Mapping[str, Upstream]) -> list[Pair]:
    """Returns the upstreams of the settings as providers with offers; who runs the gateway answers for them."""
    pairs = []
    for name, upstream in upstreams.items():
        provider = Provider(
            named(name), name, Standing.ACTIVE, url=upstream.url, region=upstream.region, zdr=upstream.zdr
        )
        for model, one in upstream.models.items():
            price = Price(one.prompt, one.completion, one.cached)
            offer = Offer(
                provider.id, model, price, one.context, upstream=one.upstream or model, features=one.features,
                quant=one.quant, concurrency=one.concurrency,
            )  # fmt: skip
            pairs.append((provider, offer))
    return pairs
