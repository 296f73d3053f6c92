"""Offers and documents of offers as a node would write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from mercato.compute.model import Offer, Price, ProviderId
from mercato.compute.node.keyfile import NodeKey
from mercato.compute.node.offers import Offering, signed, verified

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY, OTHER = NodeKey.new(), NodeKey.new()
GATEWAY = "gw.example"
ME = ProviderId("prov_1")


def offer(model: str = "tiny", **more: Any) -> Offer:
    fields: dict[str, Any] = {"price": Price(200_000, 600_000), "context": 4096, "features": frozenset({"tools"})}
    return Offer(ProviderId(""), model, **(fields | more))


def document(*offers: Offer, key: NodeKey = KEY, **more: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {"gateway": GATEWAY, "seq": 1, "issued": NOW, "until": NOW + timedelta(minutes=1)}
    return signed(offers or (offer(),), key, **(facts | more))


def check(body: dict[str, Any], **more: Any) -> Offering:
    facts: dict[str, Any] = {
        "key": KEY.public,
        "gateways": frozenset({GATEWAY}),
        "after": 0,
        "now": NOW,
        "provider": ME,
    }
    return verified(body, **(facts | more))
