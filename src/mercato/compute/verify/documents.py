"""Question and answer of a request as somebody brings them who kept them: read again once they fit the signed receipt.

The gateway drops what it audited, so it can only judge again what comes back: a file of JSON,

    {"request": "req_…", "asked": "the body that was sent", "answered": "the body, or the events, that came"}

whose texts have the hashes that the request's receipt holds. Comments that the gateway adds to a stream are no part of
these, and may be left in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from mercato.compute.books.receipts import digest, faults
from mercato.compute.errors import Declined, Unreached
from mercato.compute.gateway import asking, responses
from mercato.compute.gateway.asking import Asked
from mercato.compute.gateway.checks import Bounds
from mercato.compute.gateway.sse import DONE, Events
from mercato.compute.gateway.tally import Said, Tally
from mercato.compute.model import End, Receipt, Surface
from mercato.compute.verify import vectors
from mercato.compute.verify.exhibit import Kept
from mercato.core.errors import InvalidInput

MOST = 64 << 20  # octets of one text
OURS = re.compile(rb"^: (?:keep-alive|x-cost-micro=\d+)\n\n", re.MULTILINE)
STREAMS = (b"data:", b"event:", b":")
OVER = ("response.completed", "response.incomplete")


@dataclass(frozen=True, slots=True)
class Documents:
    """What somebody brings of one request."""

    request: str
    asked: bytes
    answered: bytes

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Documents:
        """Returns what a file holds; InvalidInput where that is something else."""
        found = [body.get(name) for name in ("request", "asked", "answered")]
        texts = [it for it in found if isinstance(it, str) and 0 < len(it) <= MOST]
        if len(texts) != len(found):
            hint = "an object with the texts request, asked and answered"
            raise InvalidInput("documents were not those of a request", hint=hint)
        request, asked, answered = (it.encode(errors="replace") for it in texts)
        return cls(request.decode(), asked, answered)

    def kept(self, receipt: Receipt, gateway: str, provider: str, *, synced: bool = False) -> Kept:
        """Returns what an audit would have kept of it. `gateway` and `provider` are public keys.

        InvalidInput where the receipt is not sound, is of another question or answer, or of one that was cut off.
        """
        if wrong := faults(receipt, gateway, provider):
            raise InvalidInput(f"receipt of {receipt.request} is not sound: {wrong[0]}", hint="see `receipt verify`")
        if digest(self.asked) != receipt.asked:
            raise InvalidInput(f"question is not that of {receipt.request}", hint=_HINT)
        plain = OURS.sub(b"", self.answered)
        answered = next((it for it in (self.answered, plain) if digest(it) == receipt.answered), None)
        if answered is None:
            raise InvalidInput(f"answer is not that of {receipt.request}", hint=_HINT)
        if receipt.end is not End.DONE:
            raise InvalidInput(
                f"answer of {receipt.request} ended as {receipt.end.value!r}", hint="nobody judges those"
            )
        try:
            return _kept(self.asked, answered, receipt, synced)
        except (Declined, Unreached, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise InvalidInput(
                f"documents of {receipt.request} were not readable: {error!s:.100}", hint=_HINT
            ) from None


_HINT = "bring the bodies as they were sent and received, octet by octet"


def _kept(asked: bytes, answered: bytes, receipt: Receipt, synced: bool) -> Kept:
    surface = _surface(json.loads(asked), answered)
    read = _asked(surface, asked)
    if surface is Surface.EMBEDDINGS:
        tally = Tally(surface)
        tally.answer(answered)
        given = read.body.values.get("input")
        sampled = vectors.drawn(given, tally.vectors, Random(receipt.hash))
        return Kept(surface, {**read.body.values, "input": list(sampled.inputs)}, sampled=sampled)
    said = _response(answered) if surface is Surface.RESPONSES else _said(surface, answered)
    return Kept(surface, read.body.values, tuple(said), synced)


def _surface(body: Mapping[str, Any], answered: bytes) -> Surface:
    if "messages" in body:
        return Surface.CHAT
    if "prompt" in body:
        return Surface.COMPLETIONS
    plain = not answered.startswith(STREAMS) and json.loads(answered).get("object") == "list"
    return Surface.EMBEDDINGS if plain else Surface.RESPONSES


def _asked(surface: Surface, raw: bytes) -> Asked:
    bounds = Bounds(choices=1024)
    return responses.ask(raw, bounds) if surface is Surface.RESPONSES else asking.read(surface, raw, bounds)


def _said(surface: Surface, answered: bytes) -> list[Said]:
    tally = Tally(surface)
    if not answered.startswith(STREAMS):
        tally.answer(answered)
        return tally.said()
    for event in Events().feed(answered):
        if event.data and event.data != DONE:
            tally.event(event.data)
    return tally.said()


def _response(answered: bytes) -> list[Said]:
    """Returns what a response says, whole or in events, the last of which holds all of it."""
    if answered.startswith(STREAMS):
        events = [json.loads(event.data) for event in Events().feed(answered) if event.data]
        body = [event["response"] for event in events if event.get("type") in OVER][-1]
    else:
        body = json.loads(answered)
    parts = {"output_text": "", "refusal": "", "reasoning_text": ""}
    calls = []
    for item in body["output"]:
        if item["type"] == "function_call":
            calls.append((str(item["name"]), str(item["arguments"])))
        for part in item.get("content") or ():
            parts[part["type"]] += part.get("text") or part.get("refusal") or ""
    why = str((body.get("incomplete_details") or {}).get("reason"))
    end = {"max_output_tokens": "length", "content_filter": "content_filter"}.get(why, "stop")
    return [Said(parts["output_text"], parts["reasoning_text"], parts["refusal"], end, tuple(calls))]
