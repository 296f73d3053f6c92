"""What a client can read: models, providers, receipts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mercato.compute.books.desk import Desk
from mercato.compute.books.keys import Key
from mercato.compute.books.receipts import body
from mercato.compute.gateway import answers
from mercato.compute.gateway.asgi import View
from mercato.compute.gateway.catalogue import Catalogue
from mercato.compute.gateway.client import Client
from mercato.compute.model import PARTS, Offer, ProviderId, Receipt
from mercato.compute.routing.router import Candidate, Router
from mercato.core.errors import NotFound


def views(
    catalogue: Catalogue, router: Router, desk: Desk,
    proven: Callable[[ProviderId, str], dict[str, Any] | None] = lambda provider, model: None,
) -> dict[str, View]:  # fmt: skip
    """Returns what can be read by paths, or their starts; `proven` tells what was found of a provider's machine."""

    async def models(client: Client, key: Key, path: str) -> None:
        found = [model(name, offers) for name, offers in catalogue.models().items()]
        await answers.say(client, 200, {"object": "list", "data": sorted(found, key=lambda model: str(model["id"]))})

    async def one_model(client: Client, key: Key, path: str) -> None:
        name = path.removeprefix("/v1/models/")
        offers = catalogue.candidates(name)
        if not offers:
            raise NotFound(f"model was {name[:100]!r}", hint="GET /v1/models lists those served here")
        await answers.say(client, 200, model(name, offers))

    async def providers(client: Client, key: Key, path: str) -> None:
        found: dict[str, dict[str, Any]] = {}
        for offers in catalogue.models().values():
            for one in offers:
                told = found.setdefault(one.provider.id, _provider(one, router))
                told["offers"].append(offer(one.offer) | {"tee": proven(one.provider.id, one.offer.model)})
        await answers.say(client, 200, {"object": "list", "data": sorted(found.values(), key=lambda one: one["name"])})

    async def receipt(client: Client, key: Key, path: str) -> None:
        name = path.removeprefix("/v1/receipts/")
        made = await desk.receipt(name)
        if made is None or made.key != key.id:  # that of another key is told of like one that does not exist
            raise NotFound(f"receipt was {name[:100]!r}, which this key has none of", hint="x-request-id names it")
        await answers.say(client, 200, shown(made) | {"attempts": await desk.attempts(name)})

    return {
        "/v1/models": models,
        "/v1/models/": one_model,
        "/v1/providers": providers,
        "/v1/receipts/": receipt,
    }


def shown(receipt: Receipt) -> dict[str, Any]:
    """Returns a receipt as JSON, as it was hashed and signed."""
    signed = {"hash": receipt.hash, "signature": receipt.signature, "countersigned": receipt.countersigned}
    return {"object": "receipt", "id": receipt.request, **body(receipt), **signed}


def model(name: str, offers: Sequence[Candidate]) -> dict[str, Any]:
    """Returns a model as those who offer it have it: the widest context, the lowest prices, all that it is made of."""
    return {
        "id": name,
        "object": "model",
        "created": 0,
        "owned_by": "mercato",
        "context": max(one.offer.context for one in offers),
        "features": sorted({feature for one in offers for feature in one.offer.features}),
        "price_micro": {
            "prompt": min(one.offer.price.prompt for one in offers),
            "completion": min(one.offer.price.completion for one in offers),
        },
        "providers": len(offers),
        **{part: sorted({one.offer.parts[part] for one in offers if part in one.offer.parts}) for part in PARTS},
    }


def _provider(one: Candidate, router: Router) -> dict[str, Any]:
    provider, health = one.provider, router.health(one.provider.id)
    return {
        "id": provider.id, "object": "provider", "name": provider.name, "standing": provider.standing.value,
        "region": provider.region, "zdr": provider.zdr, "key": provider.key, "stake": provider.stake,
        "success_bps": round(health.success() * 10_000), "quality_bps": round(health.quality() * 10_000),
        "served": health.served, "inflight": health.inflight, "offers": [],
    }  # fmt: skip


def offer(offer: Offer) -> dict[str, Any]:
    """Returns an offer as JSON; a part that it does not tell is null."""
    return {
        "model": offer.model, "context": offer.context, "features": sorted(offer.features), "quant": offer.quant,
        **{part: offer.parts.get(part) for part in PARTS}, "engine": dict(offer.engine),
        "price_micro": {
            "prompt": offer.price.prompt, "completion": offer.price.completion, "cached": offer.price.cached,
        },
    }  # fmt: skip
