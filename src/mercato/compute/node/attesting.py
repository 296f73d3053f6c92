"""A node's word on which weights it serves now, to a gateway that asks: bound to the question and to its own offers.

    {"kind": "weights", "gateway": "gw.example", "key": "…", "nonce": "…", "offers": "SIGNATURE OF THE DOCUMENT",
     "at": ms, "weights": {"qwen3-8b": "SHA-256"}, "signature": "…"}

An honest node looks at its server anew and names only models whose weights are those that it offered; of others it says
nothing, and takes them back. Without hardware that signs, it is the node's word; but what it signed it cannot deny.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mercato.compute.model import canonical
from mercato.compute.node.keyfile import NodeKey, verifies
from mercato.compute.node.offers import LATEST, millis
from mercato.compute.node.wording import inner, number, text
from mercato.core.errors import InvalidInput
from mercato.core.events import Json

PURPOSE = "weights"
MOST = 64  # models
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Question:
    """What a gateway asks: its name, a nonce of this question, and the signature of the offers it asks about."""

    gateway: str
    nonce: str
    offers: str


def attested(key: NodeKey, asked: Question, weights: Mapping[str, str], now: datetime) -> dict[str, Json]:
    """Returns a node's signed answer: the weights of each model that it speaks for."""
    named: dict[str, Json] = dict(sorted(weights.items()))
    body: dict[str, Json] = {
        "kind": PURPOSE, "gateway": asked.gateway, "key": key.public, "nonce": asked.nonce, "offers": asked.offers,
        "at": millis(now), "weights": named,
    }  # fmt: skip
    return body | {"signature": key.sign(PURPOSE, canonical(body))}


def read(body: Mapping[str, Json], *, key: str, asked: Question, gateways: frozenset[str]) -> dict[str, str]:
    """Returns the weights that a document attests, by model; InvalidInput where it is no answer to what was asked."""
    if body.get("kind") != PURPOSE or len(body) != 8:
        raise InvalidInput(f"attestation had the fields {sorted(body)!r:.200}", hint="see the example of this format")
    number(body, "at", 0, LATEST)
    told = (text(body, "key", most=64), text(body, "nonce", most=64), text(body, "offers", most=128))
    if told != (key, asked.nonce, asked.offers) or text(body, "gateway", most=255) not in gateways:
        raise InvalidInput("attestation was of another question", hint="name the nonce and the offers that were asked")
    bare = {name: value for name, value in body.items() if name != "signature"}
    if not verifies(key, PURPOSE, canonical(bare), text(body, "signature", most=128)):
        raise InvalidInput("attestation was not signed by its key", hint="sign the canonical JSON without `signature`")
    weights = inner(body.get("weights"), "weights")
    if len(weights) > MOST or not all(isinstance(it, str) and _HASH.fullmatch(it) for it in weights.values()):
        raise InvalidInput(f"weights were {str(weights)[:120]!r}", hint="a SHA-256 as hexadecimal for each model")
    return {model: str(hash) for model, hash in weights.items()}
