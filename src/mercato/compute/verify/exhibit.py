"""What was asked and answered, kept from the settle until an auditor has judged it, and then dropped.

A reference judges one text, or a few vectors, of a request that allows to be kept. Texts are judged at temperature 0,
or where the provider draws its tokens as `synced` says; and only where nothing in the question bends the model's choice
in a way that a reference, which reads question and answer alone, does not know of. Of several texts one is drawn, by a
number that no provider can foresee: so an honest provider's answer fails as seldom as one of its texts does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mercato.compute.gateway.tally import Said
from mercato.compute.model import Need, Surface
from mercato.compute.verify.vectors import Sampled

MOST = 256 * 1024  # octets of question and answer together
SURFACES = {Surface.CHAT: b"c", Surface.COMPLETIONS: b"t", Surface.RESPONSES: b"r", Surface.EMBEDDINGS: b"e"}
#: The same, of a provider that draws as `synced` says.
SYNCED = {surface: mark.upper() for surface, mark in SURFACES.items()}
LENGTH = 4  # octets that tell how long the question is
#: Members that leave the model's choice as it is; whatever else a body holds, an honest answer might not match.
HARMLESS = frozenset(
    {"model", "messages", "prompt", "provider", "stream", "stream_options", "temperature", "max_tokens", "seed",
     "max_completion_tokens", "stop", "user", "metadata", "store", "service_tier", "logprobs", "top_logprobs",
     "safety_identifier", "prompt_cache_key", "chat_template_kwargs", "modalities", "parallel_tool_calls", "n"}
)  # fmt: skip
#: The same of a body that asks for vectors.
PLAIN = frozenset({"model", "input", "provider", "encoding_format", "dimensions", "user"})
#: Values that say no more than nothing does, whatever stands for their name.
IDLE: tuple[object, ...] = (None, False, [], {})
#: Further values that change nothing. `top_p` does not either where the likeliest token is taken anyway.
NEUTRAL: Mapping[str, tuple[object, ...]] = {
    "best_of": (1,), "top_p": (1,), "frequency_penalty": (0,), "presence_penalty": (0,),
    "response_format": ({"type": "text"},), "tool_choice": ("none", "auto"), "suffix": ("",),
}  # fmt: skip
#: Members that bend the choice of each token and nothing that the model reads: commitments are opened all the same.
BENDING = frozenset(
    {"top_p", "top_k", "min_p", "typical_p", "frequency_penalty", "presence_penalty", "repetition_penalty",
     "logit_bias", "response_format", "min_tokens", "ignore_eos", "stop_token_ids"}
)  # fmt: skip
MOST_SEED = 2**63
BARE = 5  # what is kept of a choice without commitments


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One question as its body was, and the text, or the vectors, that came back. `synced` says how the provider draws
    tokens. `matched` says whether its tokens can be judged; `proofs` are the commitments that came with it, None where
    none were promised."""

    surface: Surface
    body: Mapping[str, Any]
    answer: str = ""
    synced: bool = False
    sampled: Sampled | None = None
    matched: bool = True
    proofs: tuple[str, ...] | None = None

    @property
    def seeded(self) -> bool:
        """Whether chance had a part that the request's seed fixes."""
        return self.body.get("temperature") != 0


@dataclass(frozen=True, slots=True)
class Kept:
    """All that was kept of a request: its body, and every choice of the answer or some of the vectors. `promised` says
    that each choice was to have commitments."""

    surface: Surface
    body: Mapping[str, Any]
    said: tuple[Said, ...] = ()
    synced: bool = False
    sampled: Sampled | None = None
    promised: bool = False

    @property
    def text(self) -> str:
        """All text of the first choice, "" where there is none."""
        return _words(self.said[0]) if self.said else ""

    def drawn(self, number: int) -> Exhibit | None:
        """Returns what a reference judges of it, the choice by a number; None where none could: chance had a part,
        something bent the model's choice, or tools were offered. A call where none were keeps nothing from being
        judged: else it would be a way out. Commitments are to what the model read, so that only thoughts and calls keep
        them from being opened."""
        matched = judged(self.body.items(), self.synced)
        opened = self.promised and committed(self.body.items())
        if not (matched or opened):
            return None
        if self.surface is Surface.EMBEDDINGS:
            return Exhibit(self.surface, self.body, sampled=self.sampled) if self.sampled else None
        if not self.said:
            return None
        at = number % len(self.said)
        one, prompt = self.said[at], self.body.get("prompt")
        body = self.body
        if isinstance(prompt, list):
            if len(self.said) != len(prompt) * (self.body.get("n") or 1):
                return None  # nobody knows which text goes on with which prompt
            body = {**self.body, "prompt": prompt[at * len(prompt) // len(self.said)]}
        surface = Surface.CHAT if self.surface is Surface.RESPONSES else self.surface
        plain = not one.thoughts and not one.calls  # how a template puts these, it alone knows
        proofs = one.proofs if opened and plain else None
        if not matched and proofs is None:
            return None
        return Exhibit(surface, body, _words(one), self.synced, matched=matched, proofs=proofs)


def allowed(need: Need) -> bool:
    """Whether what is asked and answered may be kept."""
    return not need.wish.zdr and need.wish.verify != "none"


def packed(
    need: Need, body: str, said: Sequence[Said], *, synced: bool = False, promised: bool = False
) -> bytes:  # fmt: skip
    """Returns question and answer in one piece, with the commitments where the offer promised such; b"" where they may
    not be kept, or are too large."""
    told: list[list[object]] = [[one.text, one.thoughts, one.refusal, one.end, one.calls] for one in said]
    if promised:
        told = [[*each, one.proofs] for each, one in zip(told, said, strict=True)]
    return _packed(need, body, told, synced=synced)


def sampled(need: Need, body: Mapping[str, Any], found: Sampled) -> bytes:
    """Returns a question for vectors, with some of them, in one piece; b"" where it may not be kept, or is large."""
    return _packed(need, json.dumps({**body, "input": found.inputs}), found.body())


def _packed(need: Need, body: str, told: object, *, synced: bool = False) -> bytes:
    if not allowed(need) or len(body) > MOST:  # letters are octets at least: a large one is not even copied
        return b""
    question, answer = body.encode(), json.dumps(told).encode()
    if len(question) + len(answer) > MOST:
        return b""
    return (SYNCED if synced else SURFACES)[need.surface] + len(question).to_bytes(LENGTH) + question + answer


def read(raw: bytes) -> Kept | None:
    """Returns what was packed; None where nothing was kept, or by a version that packed otherwise."""
    found = [(one, marks is SYNCED) for marks in (SURFACES, SYNCED) for one, mark in marks.items() if raw[:1] == mark]
    if not found:
        return None
    surface, synced = found[0]
    start = 1 + LENGTH
    end = start + int.from_bytes(raw[1:start])
    try:
        body, told = json.loads(raw[start:end]), json.loads(raw[end:])
        if surface is Surface.EMBEDDINGS:
            return Kept(surface, body, sampled=Sampled.read(body["input"], told))
        said = tuple(_said(*one) for one in told)
    except (ValueError, KeyError, TypeError):
        return None
    return Kept(surface, body, said, synced, promised=any(len(one) > BARE for one in told))


def _words(one: Said) -> str:
    return one.thoughts + one.text + one.refusal


def _said(
    text: str, thoughts: str, refusal: str, end: str, calls: Sequence[tuple[str, str]], proofs: Sequence[str] = ()
) -> Said:
    return Said(text, thoughts, refusal, end, tuple((name, given) for name, given in calls), tuple(proofs))


def judged(members: Iterable[tuple[str, Any]], synced: bool = False) -> bool:
    """Whether a reference can judge the answer to a body of these members, from a provider that draws so or not."""
    body = dict(members)
    if "input" in body:
        return all(name in PLAIN or idle(value) for name, value in body.items())
    if not _texts(body.get("prompt", "")) or not all(_plain(name, value) for name, value in body.items()):
        return False
    if body.get("temperature") == 0:
        return True
    seed, heat = body.get("seed"), body.get("temperature", 1)
    drawn = isinstance(seed, int) and -MOST_SEED <= seed < MOST_SEED and isinstance(heat, int | float) and heat > 0
    alone = body.get("n") in (None, 1) and isinstance(body.get("prompt", ""), str)
    return synced and drawn and alone and body.get("top_p") in (None, 1)


def committed(members: Iterable[tuple[str, Any]]) -> bool:
    """Whether commitments to the answer to such a body can be opened: where what the model read is known."""
    body = dict(members)
    if "input" in body or not _texts(body.get("prompt", "")):
        return False
    return all(name in BENDING or _plain(name, value) for name, value in body.items())


def _texts(prompt: Any) -> bool:
    """Whether a prompt is text, or several."""
    return isinstance(prompt, str) or (isinstance(prompt, list) and all(isinstance(one, str) for one in prompt))


def _plain(name: str, value: Any) -> bool:
    """Whether a member leaves the model's choice as it is. `top_p` is looked at where it matters."""
    return name in HARMLESS or name == "top_p" or idle(value) or value in NEUTRAL.get(name, ())


def idle(value: Any) -> bool:
    """Whether a value says no more than nothing does."""
    return any(type(value) is type(it) and value == it for it in IDLE)
