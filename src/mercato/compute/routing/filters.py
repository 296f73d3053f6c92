"""What keeps a provider from being asked at all, each by its name. A filtered provider is never asked."""

from __future__ import annotations

from datetime import datetime

from mercato.compute.model import Need, Offer, Provider, Standing, Surface, Wish
from mercato.compute.routing.health import Health

ASKED = frozenset({Standing.PROBATION, Standing.ACTIVE})
SURFACES = {Surface.EMBEDDINGS: "embeddings"}  # what an offer must say beyond being an offer
TEN_THOUSAND = 10_000
ANYONE = Wish()
PROOFS = {"hardware": frozenset({"hardware", "attested"}), "attested": frozenset({"attested"})}  # what is enough


def offered(provider: Provider, offer: Offer, need: Need, moment: datetime) -> str:
    """Returns what in provider and offer rules them out for a need, "" if nothing does."""
    if provider.standing not in ASKED:
        return f"standing: {provider.standing}"
    if offer.model != need.model:
        return "model"
    if offer.until is not None and offer.until <= moment:
        return "expired"
    if need.prompt + need.completion > offer.context:
        return "context"
    needed = need.features if need.surface not in SURFACES else need.features | {SURFACES[need.surface]}
    if not needed <= offer.features:
        return f"features: {', '.join(sorted(needed - offer.features))}"
    return "" if need.wish is ANYONE or need.wish == ANYONE else wished(provider, offer, need.wish)


def wished(provider: Provider, offer: Offer, wish: Wish) -> str:
    """Returns what the request itself rules out, "" if nothing."""
    names = {provider.id, provider.name}
    if wish.only and not names & wish.only:
        return "only"
    if names & wish.ignore:
        return "ignore"
    if not wish.fallbacks and wish.order and not names & set(wish.order):
        return "order"
    if wish.zdr and not provider.zdr:
        return "zdr"
    if wish.tee and offer.tee not in PROOFS[wish.tee]:
        return "tee"
    most = wish.max_price
    if most and (offer.price.prompt > most.prompt or offer.price.completion > most.completion):
        return "price"
    return ""


def lived(health: Health, offer: Offer, need: Need, now: float) -> str:
    """Returns what in our experience rules a provider out now, "" if nothing."""
    if now < health.cold_until:
        return "cooling"
    if health.breaker.state(now) == "open":
        return "breaker"
    if health.inflight + 1 > min(health.limit, offer.concurrency):
        return "full"
    if need.wish.min_quality and health.quality() * TEN_THOUSAND < need.wish.min_quality:
        return "quality"
    return ""
