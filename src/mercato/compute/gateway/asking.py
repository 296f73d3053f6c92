"""Reads what a request asks for: its body, checked member by member, as a `Need` and as bytes to send on.

What is wrong is refused with the member's name; what we do not know goes on as it came, or is refused where the
settings deny it. Nothing is filled in: a request without `max_tokens` may cost what its model's context holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mercato.compute.errors import Declined, Unreached
from mercato.compute.gateway import body as bodies
from mercato.compute.gateway import checks, wishes
from mercato.compute.gateway.body import Body
from mercato.compute.gateway.checks import Bounds, wrong
from mercato.compute.model import Need, Offer, Surface, Usage

#: Tokens that an answer is taken to have where the request sets no bound: for routing only, never for money.
TYPICAL = 512
#: Octets of an average token: for routing only. Money takes each octet for a token where it cannot count.
OCTETS = 4
PREFIX_CHARACTERS = 4096
ROLE = b'"role"'
#: A bound on tokens that only the context of a model makes smaller, for what is not text.
MEDIA = 1_000_000_000
MEDIA_FEATURES = frozenset(checks.SEEN.values())
#: Members that a model reads.
_TEXTS = ("tools", "functions", "input", "prompt", "suffix", "messages")
_HOUSE = frozenset({"provider", "model", "stream_options"})
COMMON = frozenset(
    {"model", "provider", "stream", "stream_options", "n", "stop", "temperature", "top_p", "seed", "user", "metadata",
     "frequency_penalty", "presence_penalty", "logit_bias", "max_tokens", "logprobs", "service_tier"}
)  # fmt: skip
KNOWN = {
    Surface.CHAT: COMMON
    | {"messages", "tools", "tool_choice", "parallel_tool_calls", "response_format", "max_completion_tokens",
       "top_logprobs", "reasoning_effort", "modalities", "prediction", "store", "functions", "function_call",
       "safety_identifier", "prompt_cache_key", "verbosity"},
    Surface.COMPLETIONS: COMMON | {"prompt", "suffix", "echo", "best_of"},
    Surface.EMBEDDINGS: frozenset({"model", "provider", "input", "encoding_format", "dimensions", "user"}),
}  # fmt: skip


#: Members of a chat that are read by no model, or are counted as text by themselves.
_ASKED = KNOWN[Surface.CHAT] - {"prediction"}
#: Members of a message whose octets are counted as text of the prompt.
READ = frozenset({"role", "content", "name", "tool_calls"})


class Voice(Protocol):
    """Puts an answer into another API's words."""

    def whole(self, raw: bytes) -> bytes:
        """Returns a whole answer."""

    def event(self, data: bytes) -> bytes:
        """Returns the events for one event of the answer; nothing for a comment."""

    def done(self) -> bytes:
        """Returns the events that end the answer."""

    def cut(self, error: Unreached, code: str) -> bytes:
        """Returns the event that tells that the answer broke off."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that may be sent. `most` bounds its tokens, a completion of 0 standing for all that a context holds;
    `octets` counts the text that a model reads, and `messages` the pieces it comes in; `usage` tells that the client
    wants the usage event of a stream. `voice` makes, for a request's id, what puts a chat into another API's words."""

    need: Need
    body: Body
    digest: str
    most: Usage
    choices: int = 1
    octets: int = 0
    messages: int = 1
    usage: bool = False
    voice: Callable[[str], Voice] | None = None

    def raw(self, model: str) -> bytes:
        """Returns the body for a provider that knows the model by this name."""
        values: dict[str, str | Mapping[str, object]] = {"model": model}
        if self.need.stream:
            values["stream_options"] = {**(self.body.get("stream_options") or {}), "include_usage": True}
        return self.body.changed(values, _HOUSE)

    def words(self) -> str:
        """Returns the text that a model reads, piece after piece, without what its template puts around."""
        texts = [self.body.get(name) for name in _TEXTS] + _unknown(self.body, KNOWN.get(self.need.surface, _ASKED))
        found = bodies.leaves(*texts)
        return "\n".join([value if isinstance(value, str) else str(value) for value in found if value is not None])

    def bound(self, offer: Offer) -> Usage:
        """Returns the most tokens that this request can be charged for under an offer."""
        if self.need.surface is Surface.EMBEDDINGS:
            return Usage(self.most.prompt, 0)
        most = offer.context * self.choices
        written = min(self.most.completion or most, most)
        return Usage(min(self.most.prompt, most), written)


def read(surface: Surface, raw: bytes, bounds: Bounds) -> Asked:
    """Returns what a body asks for; Declined, with the member that was wrong, for one that cannot be right."""
    most = bounds.messages
    if len(raw) > most * len(ROLE) and bodies.counted(raw, (ROLE,), most) > most:  # a million take seconds to parse
        raise Declined(f"messages were more than {most}", param="messages", hint="send fewer")
    return ask(surface, bodies.read(raw), hashlib.sha256(raw).hexdigest(), bounds)


def ask(surface: Surface, body: Body, digest: str, bounds: Bounds) -> Asked:
    """Returns what a body asks for that was read already; `digest` names the bytes that the client sent."""
    _known(body, surface, bounds)
    model = checks.text(body, "model", 200)
    wish = wishes.read(body.get("provider"))
    stream = checks.yes(body, "stream")
    if wish.hedge is not None:
        _hedged(body, stream, bounds)
    options = body.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise wrong("stream_options", options, "send an object")
    for name in ("temperature", "top_p", "frequency_penalty", "presence_penalty"):
        checks.number(body, name)
    reading = _READERS[surface](body, bounds)
    choices = reading.choices
    most = Usage(reading.prompt, reading.completion * choices)
    need = Need(
        surface=surface,
        model=model,
        prompt=-(-reading.octets // OCTETS),
        completion=reading.completion or (0 if surface is Surface.EMBEDDINGS else TYPICAL),
        features=frozenset(reading.features),
        wish=wish,
        prefix=hashlib.sha256(f"{model}\n{reading.prefix}".encode()).hexdigest()[:32] if reading.prefix else "",
        stream=stream,
    )
    wants = bool(stream and options and options.get("include_usage"))
    return Asked(need, body, digest, most, choices, reading.octets, reading.messages, wants)


def _hedged(body: Body, stream: bool, bounds: Bounds) -> None:
    """Refuses to ask two providers for what may be asked of one only."""
    if not bounds.hedge:
        raise wrong("provider.hedge", True, "this gateway asks one provider at a time; leave it out")
    if stream:
        raise wrong("provider.hedge", True, "only whole answers can be hedged; leave out stream or hedge")
    if body.get("store"):
        raise wrong("provider.hedge", True, "what is stored would be stored twice; leave out store or hedge")


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one surface's members say: bounds on tokens read and, for each choice, written (0: no bound given)."""

    prompt: int
    completion: int
    octets: int
    messages: int = 1
    choices: int = 1
    features: tuple[str, ...] = ()
    prefix: str = ""


def _known(body: Body, surface: Surface, bounds: Bounds) -> None:
    if bounds.deny and surface is not Surface.RESPONSES and (unknown := set(body.values) - KNOWN[surface]):
        name = sorted(unknown)[0]
        hint = "this gateway passes on no member that it does not know"
        raise Declined(f"body had the member {name[:80]!r}", param=name[:80], hint=hint, code="unknown_parameter")


def _chat(body: Body, bounds: Bounds) -> _Reading:
    octets, count, seen = checks.messages(body.get("messages"), bounds)
    features = set(seen)
    features |= checks.tools(body, bounds)
    features |= checks.formatted(body, bounds)
    if checks.yes(body, "logprobs"):
        features.add("logprobs")
    checks.whole(body, "top_logprobs", 0, 20)
    octets += sum(len(body.span(name).encode()) for name in ("tools", "functions", "response_format"))
    written = checks.whole(body, "max_completion_tokens", 1, bounds.tokens)
    written = written or checks.whole(body, "max_tokens", 1, bounds.tokens)
    checks.stops(body)
    return _Reading(
        prompt=MEDIA if features & MEDIA_FEATURES else octets + _aside(body) + checks.FRAME * (count + 1),
        completion=written or 0,
        octets=octets,
        messages=count,
        choices=checks.whole(body, "n", 1, bounds.choices) or 1,
        features=tuple(sorted(features)),
        prefix=_opening(body.get("messages")),
    )


def _unknown(body: Body, known: frozenset[str]) -> list[Any]:
    """Returns the members of a body that we do not know: an engine may have its model read them."""
    if body.values.keys() <= known:  # nearly always
        return []
    return [value for name, value in body.values.items() if name not in known]


def _aside(body: Body) -> int:
    """Returns the octets of what a template may put before a model beside messages and tools: they bound what may be
    charged for, so that nobody has a model read for nothing what he calls by another name, and rule no provider out."""
    held = _unknown(body, _ASKED)
    for message in body.get("messages"):
        if len(message) > 2 or "content" not in message:
            held += [value for name, value in message.items() if name not in READ]
    return sum(len(str(value).encode()) for value in held if isinstance(value, str | list | dict)) if held else 0


def _completions(body: Body, bounds: Bounds) -> _Reading:
    octets, count = checks.prompts(body, "prompt", bounds, empty=True)
    choices = checks.whole(body, "n", 1, bounds.choices) or 1
    best = checks.whole(body, "best_of", 1, bounds.choices) or choices
    if best < choices:
        raise wrong("best_of", best, f"ask for at least n, which is {choices}")
    checks.stops(body)
    checks.whole(body, "logprobs", 0, 5)
    prompt, suffix = body.get("prompt"), body.get("suffix")
    if not isinstance(suffix, str | None):
        raise wrong("suffix", suffix, "send text")
    octets += count * len((suffix or "").encode())
    features = ("logprobs",) if body.get("logprobs") else ()
    written = checks.whole(body, "max_tokens", 1, bounds.tokens) or 0
    return _Reading(
        prompt=octets + checks.FRAME * count,
        # What is echoed is forwarded as text, and counted as such.
        completion=(written or 0) + (octets if written and checks.yes(body, "echo") else 0),
        octets=octets,
        messages=count,
        choices=best * count,
        features=features,
        prefix=prompt[:PREFIX_CHARACTERS] if isinstance(prompt, str) else "",
    )


def _embeddings(body: Body, bounds: Bounds) -> _Reading:
    octets, count = checks.prompts(body, "input", bounds, empty=False)
    checks.whole(body, "dimensions", 1, 1_000_000)
    if body.get("encoding_format") not in (None, "float", "base64"):
        raise wrong("encoding_format", body.get("encoding_format"), "say float or base64")
    if "stream" in body.values:
        raise wrong("stream", body.get("stream"), "embeddings do not come as a stream")
    return _Reading(octets + checks.FRAME * count, 0, octets, count)


def _opening(messages: list[Mapping[str, Any]]) -> str:
    """Returns how a conversation starts, up to its first question: the same for all its turns."""
    opening = []
    for message in messages[:8]:
        content = message.get("content")
        parts = content[:8] if isinstance(content, list) else [{"text": content}]
        opening += [str(part.get("text"))[:PREFIX_CHARACTERS] for part in parts]
        if message.get("role") == "user":
            break
    return "\n".join(opening).encode(errors="replace").decode()


_READERS: dict[Surface, Callable[[Body, Bounds], _Reading]] = {
    Surface.CHAT: _chat,
    Surface.RESPONSES: _chat,
    Surface.COMPLETIONS: _completions,
    Surface.EMBEDDINGS: _embeddings,
}
