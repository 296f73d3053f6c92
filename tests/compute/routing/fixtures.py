"""Builders for the tests of routing: providers with a price, needs, and how attempts end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

from mercato.compute.model import Attempt, End, Need, Offer, Price, Provider, ProviderId, Standing, Surface, Usage
from mercato.compute.routing import Candidate, Router

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def candidate(name: str, price: int = 1000, *, standing: Standing = Standing.ACTIVE, **offer: Any) -> Candidate:
    provider = Provider(ProviderId(name), name, standing, zdr=offer.pop("zdr", False))
    values: dict[str, Any] = {"model": "m", "price": Price(price, 2 * price), "context": 8192, "concurrency": 8}
    return Candidate(provider, Offer(provider.id, **{**values, **offer}))


def need(**values: Any) -> Need:
    return Need(**{"surface": Surface.CHAT, "model": "m", "prompt": 500, "completion": 100, **values})


def attempt(
    name: str = "a", error: str = "", end: End = End.DONE, first_ms: int = 200, whole_ms: int = 1200
) -> Attempt:
    return Attempt(ProviderId(name), NOON, first_ms, whole_ms, 200, end, error)


def live(router: Router, name: str, times: int = 1, *, now: float = 0.0, **values: Any) -> None:
    """One attempt after the other, each of which ends the same way."""
    for _ in range(times):
        router.began(ProviderId(name), now)
        router.ended(ProviderId(name), attempt(name, **values), Usage(500, 100), now)


def proven(candidates: Sequence[Candidate], rng: Random | None = None) -> Router:
    """A router to which every candidate has proven itself alike."""
    router = Router(rng=rng or Random(1))
    for each in candidates:
        live(router, each.provider.id, 40)
    return router


def firsts(router: Router, asked: Need, candidates: Sequence[Candidate], times: int, now: float = 0.0) -> list[str]:
    return [router.order(asked, candidates, now, NOON)[0].provider.name for _ in range(times)]
