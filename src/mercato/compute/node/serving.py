"""What a node does for a request, whichever gateway it came from: its own limits first, then its upstream.

Prompts and answers pass through memory and are neither kept nor logged; the daybook has counts and hashes.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from mercato.compute.model import Offer, Usage
from mercato.compute.node.attesting import Parts
from mercato.compute.node.caps import Meter
from mercato.compute.node.daybook import Daybook, Line
from mercato.compute.node.frames import Ask
from mercato.compute.node.upstream import TAIL, Upstream, claimed
from mercato.compute.node.wording import parsed
from mercato.compute.tee.words import FEATURE
from mercato.core.clock import Clock, SystemClock
from mercato.core.errors import InvalidInput

LOOKS = re.compile(r"/(attestation/report|signature/[A-Za-z0-9._:%-]{1,200})\?[A-Za-z0-9._~%=&+-]{1,600}")
PATHS = frozenset({"/chat/completions", "/completions", "/embeddings"})
PASSED = frozenset({"content-type", "accept", "x-request-id"})  # of the gateway's headers
GIVEN = frozenset({"content-type", "retry-after"})  # of the upstream's
MOST_BODY = 40_000_000  # octets of one request
MOST_BODIES = 256 * 1024 * 1024  # octets of all requests that are not handed to the upstream yet
LARGE = 1 << 20  # from here on, JSON is read in a thread, so that other requests go on
RECENT = 10_000  # requests that a receipt may still come for

Say = Callable[..., None]  # say(what, **facts): one line of the node's log


class Refusal(Exception):
    """An answer that the node gives itself, in OpenAI's words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def body(self) -> bytes:
        """Returns the answer's body."""
        kind = "rate_limit_error" if self.status == 429 else "invalid_request_error"
        error = {"message": self.message, "type": kind, "param": None, "code": self.code}
        return json.dumps({"error": error}).encode()


@dataclass(slots=True)
class Serving:
    """The shop behind every connection: what is offered, by its name at the upstream, and what may still be done."""

    upstream: Upstream
    offers: Mapping[str, Offer]
    meter: Meter
    daybook: Daybook
    say: Say
    clock: Clock = field(default_factory=SystemClock)
    draining: bool = False
    bodies: int = 0
    recent: dict[str, Line] = field(default_factory=dict)
    signed: dict[str, str] = field(default_factory=dict)  # the hash of the receipt that was signed, by its request
    owed: set[str] = field(default_factory=set)  # requests whose receipt has not come
    look: Callable[[], Awaitable[Mapping[str, Parts]]] | None = None  # what each model is made of now

    def admit(self, ask: Ask) -> None:
        """Checks what can be checked before the body is here; Refusal where the answer is no."""
        if self.draining:
            raise Refusal(503, "draining", "this node is leaving")
        if not ask.length and LOOKS.match(ask.path):
            return
        if ask.path not in PATHS or not ask.length:
            raise Refusal(404, "not_found", f"this node serves POST on {', '.join(sorted(PATHS))}")
        if ask.length > MOST_BODY:
            raise Refusal(413, "too_large", f"a request may have {MOST_BODY} octets")
        if self.bodies + ask.length > MOST_BODIES:
            raise Refusal(503, "busy", "too many large requests at once")

    def shown(self, path: str) -> str:
        """Returns where the upstream has what proves its machine, or signs an answer; Refusal where the path names no
        offer that says it is in one. The model may be called as we do, or as the upstream does."""
        place, _, query = path.partition("?")
        given = dict(parse_qsl(query))
        for name, offer in self.offers.items():
            if FEATURE in offer.features and given.get("model") in (name, offer.model):
                return f"{place}?{urlencode(given | {'model': name})}"
        raise Refusal(404, "model_not_found", "this node offers no such model in a trusted machine")

    async def offer(self, body: bytes) -> Offer:
        """Returns the offer that a request is for; Refusal where it names none: other models behind the same upstream
        are nobody's business."""
        try:
            read = await asyncio.to_thread(_model, body) if len(body) > LARGE else _model(body)
        except InvalidInput:
            raise Refusal(400, "invalid_request", "body was no JSON object") from None
        found = self.offers.get(read)
        if found is None:
            raise Refusal(404, "model_not_found", "this node does not offer that model")
        return found

    async def parts(self) -> Mapping[str, Parts]:
        """Returns the hashes of what each model is served with now, as far as that can be seen."""
        if self.look:
            return await self.look()
        return {offer.model: offer.parts for offer in self.offers.values()}

    def begin(self) -> None:
        """Takes a request in; Refusal where a cap of the node's owner is reached."""
        if reached := self.meter.begin(self.clock.now()):
            raise Refusal(429, "node_limit", f"this node's own limit is reached: {reached}")

    def ended(self, visit: Visit) -> None:
        """Counts and writes down what became of a request that `begin` let in."""
        now = self.clock.now()
        usage = claimed(bytes(visit.tail)) if visit.status == 200 else Usage()
        worth = self.meter.end(now, usage, visit.offer.price)
        line = Line(
            now.isoformat(timespec="milliseconds"), visit.request, visit.offer.model, visit.status, visit.end,
            visit.ms(), usage.prompt, usage.completion, usage.cached, worth, visit.hash.hexdigest(),
        )  # fmt: skip
        try:
            self.daybook.write(line)
        except OSError as error:  # such as a full disk: what is served goes on, and the caps hold until a restart
            self.say("daybook not written", why=error.strerror)
        self.say("served", request=visit.request, model=visit.offer.model, status=visit.status, end=visit.end)
        self.recent[visit.request] = line
        if line.end == "done" and line.worth and visit.request.startswith("req_"):
            self.owed.add(visit.request)
        if len(self.recent) > RECENT:
            oldest = next(iter(self.recent))
            del self.recent[oldest]
            self.signed.pop(oldest, None)
            self.owed.discard(oldest)


@dataclass(slots=True)
class Visit:
    """One request at the upstream: what came back so far. Times are seconds of the event loop's clock."""

    request: str
    offer: Offer
    began: float
    status: int = 0
    end: str = "upstream-error"
    tail: bytearray = field(default_factory=bytearray)
    hash: Any = field(default_factory=hashlib.sha256)

    def passed(self, piece: bytes) -> None:
        """Notes a piece of the answer: its hash, and its last octets, where the usage is."""
        self.hash.update(piece)
        self.tail += piece
        if len(self.tail) > 2 * TAIL:
            del self.tail[:-TAIL]

    def ms(self) -> int:
        """Returns how long it has taken, in milliseconds."""
        return int((asyncio.get_running_loop().time() - self.began) * 1000)


def outgoing(ask: Ask) -> dict[str, str]:
    """Returns the headers that the upstream gets; the gateway's others stay here."""
    return {"content-type": "application/json"} | {name: ask.headers[name] for name in PASSED & set(ask.headers)}


def _model(body: bytes) -> str:
    found = parsed(body, most=MOST_BODY, what="request").get("model")
    return found if isinstance(found, str) else ""
