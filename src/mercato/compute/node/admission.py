"""The first trial of a node that nobody knows: each of its offers is asked once, before it may serve anybody.

It shows only that something answers in the right shape; whether it is the model that was promised is for audits, and
a node on probation is audited at every request.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from mercato.compute.errors import Unreached
from mercato.compute.gateway.line import Line, Patience, whole
from mercato.compute.model import PARTS, ModelSpec, Offer
from mercato.compute.node.wording import inner, items, parsed
from mercato.core.errors import InvalidInput
from mercato.core.events import Json

PATIENCE = Patience(connect=5.0, first=60.0, idle=30.0, total=120.0)
MOST = 1 << 20  # octets of a trial's answer: an embedding of 4,096 numbers has about 90,000
HEADERS = {"content-type": "application/json", "accept": "application/json", "x-request-id": "trial"}


def unfit(offer: Offer, spec: ModelSpec | None) -> str:
    """Returns why an offer cannot be of the model as it should be served, or ""."""
    if spec is None:
        return ""
    for what, told, right in _compared(offer, spec):
        if right and told not in right and (told or spec.strict):
            was = repr(told) if told else "not told"
            return f"{what} was {was}, expected {' or '.join(right)}"
    if lacking := sorted(spec.features - offer.features):
        return f"features lacked {', '.join(lacking)}"
    if offer.context > spec.context:
        return f"context was {offer.context}, the model has {spec.context}"
    return ""


def _compared(offer: Offer, spec: ModelSpec) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Yields what an offer tells beside what is right, nothing where anything is."""
    rights = dict(zip(PARTS, (spec.weights, spec.tokenizer, spec.template), strict=True))
    for part, right in rights.items():
        yield f"hash of its {part}", offer.parts.get(part, ""), right
    yield "quantisation", offer.quant, [spec.quant] if spec.quant else []
    engine = dict(offer.engine)
    for name, value in spec.engine.items():
        yield f"engine's {name}", engine.get(name, ""), [value]


async def sound(line: Line, offer: Offer) -> str:
    """Returns what is wrong with a node's answer to one small request for this offer, or ""."""
    wrong = await _wrong(line, offer, embeds=False)
    return await _wrong(line, offer, embeds=True) if wrong and "embeddings" in offer.features else wrong


async def _wrong(line: Line, offer: Offer, *, embeds: bool) -> str:
    try:
        answer = await _asked(line, offer, embeds)
        found = items(answer, "data" if embeds else "choices", most=16)
        if not found:
            return "answer was empty"
        first = inner(found[0], "first of the answer")
        items(first, "embedding", most=100_000) if embeds else inner(first.get("message"), "message")
    except (InvalidInput, Unreached) as wrong:
        return str(wrong)
    return ""


async def _asked(line: Line, offer: Offer, embeds: bool) -> Mapping[str, Json]:
    model = offer.upstream or offer.model
    path = "/embeddings" if embeds else "/chat/completions"
    chat = {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 8, "temperature": 0}
    body = {"model": model, **({"input": "hello"} if embeds else chat)}
    reply = await line.open(path, json.dumps(body).encode(), HEADERS, deadline=PATIENCE)
    if reply.status != 200:
        await reply.close()
        raise InvalidInput(f"answer's status was {reply.status}", hint="expected 200")
    answer = await whole(reply, MOST, InvalidInput("answer was too long", hint=f"at most {MOST} octets"))
    return parsed(answer, most=MOST, what="answer")
