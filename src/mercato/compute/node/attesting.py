"""A node's word on what it serves now, to a gateway that asks: bound to the question and to its own offers.

    {"kind": "weights", "gateway": "gw.example", "key": "…", "nonce": "…", "offers": "SIGNATURE OF THE DOCUMENT",
     "at": ms, "weights": {"qwen3-8b": "SHA-256"}, "tokenizer": {…}, "template": {…}, "signature": "…"}

An honest node looks at its server anew and names only models that are what it offered, in all their parts; of others it
says nothing, and takes them back. `tokenizer` and `template` came later, and are there only where something is told.
Without hardware that signs, it is the node's word; but what it signed it cannot deny.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mercato.compute.model import PARTS, canonical
from mercato.compute.node.keyfile import NodeKey, verifies
from mercato.compute.node.offers import LATEST, millis
from mercato.compute.node.wording import inner, number, text
from mercato.core.errors import InvalidInput
from mercato.core.events import Json

PURPOSE = "weights"
MOST = 64  # models
_HASH = re.compile(r"[0-9a-f]{64}")
_FIELDS = {"kind", "gateway", "key", "nonce", "offers", "at", "weights", "signature"}
Parts = Mapping[str, str]
"""Hashes of a model by what they are of, one of `PARTS`."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a gateway asks: its name, a nonce of this question, and the signature of the offers it asks about."""

    gateway: str
    nonce: str
    offers: str


def attested(key: NodeKey, asked: Question, models: Mapping[str, Parts], now: datetime) -> dict[str, Json]:
    """Returns a node's signed answer: what each model that it speaks for is made of."""
    named: dict[str, dict[str, Json]] = {part: {} for part in PARTS}
    for model, parts in sorted(models.items()):
        for part, hash in parts.items():
            named[part][model] = hash
    body: dict[str, Json] = {
        "kind": PURPOSE, "gateway": asked.gateway, "key": key.public, "nonce": asked.nonce, "offers": asked.offers,
        "at": millis(now), **{part: hashes for part, hashes in named.items() if hashes or part in _FIELDS},
    }  # fmt: skip
    return body | {"signature": key.sign(PURPOSE, canonical(body))}


def read(body: Mapping[str, Json], *, key: str, asked: Question, gateways: frozenset[str]) -> dict[str, dict[str, str]]:
    """Returns what a document attests of each model; InvalidInput where it is no answer to what was asked."""
    if body.get("kind") != PURPOSE or set(body) - set(PARTS) != _FIELDS - set(PARTS):
        raise InvalidInput(f"attestation had the fields {sorted(body)!r:.200}", hint="see the example of this format")
    number(body, "at", 0, LATEST)
    told = (text(body, "key", most=64), text(body, "nonce", most=64), text(body, "offers", most=128))
    if told != (key, asked.nonce, asked.offers) or text(body, "gateway", most=255) not in gateways:
        raise InvalidInput("attestation was of another question", hint="name the nonce and the offers that were asked")
    bare = {name: value for name, value in body.items() if name != "signature"}
    if not verifies(key, PURPOSE, canonical(bare), text(body, "signature", most=128)):
        raise InvalidInput("attestation was not signed by its key", hint="sign the canonical JSON without `signature`")
    for part in PARTS:
        _check(inner(body.get(part, {}), part), part)
    return by_model(body)


def by_model(body: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Returns what an attestation says of each model, its form not looked at."""
    found: dict[str, dict[str, str]] = {}
    for part in PARTS:
        for model, hash in body.get(part, {}).items():
            found.setdefault(model, {})[part] = hash
    return found


def other(offered: Mapping[str, Any], models: Mapping[str, Parts]) -> str:
    """Returns what was attested otherwise than a document of offers has it, such as `weights of 'm'`, or "".

    Only what both tell can be other."""
    promised = {it["model"]: it for it in offered["offers"]}
    for model, parts in sorted(models.items()):
        for part, hash in parts.items():
            if promised.get(model, {}).get(part) not in (None, "", hash):
                return f"{part} of {model!r}"
    return ""


def _check(hashes: Mapping[str, Json], part: str) -> None:
    if len(hashes) > MOST or not all(isinstance(it, str) and _HASH.fullmatch(it) for it in hashes.values()):
        raise InvalidInput(f"{part} were {str(hashes)[:120]!r}", hint="a SHA-256 as hexadecimal for each model")
