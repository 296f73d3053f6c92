"""What was asked and answered, kept from the settle until an auditor has judged it, and then dropped.

Only what a reference can judge is kept: one text without tools, of a request that allows to be kept. It is judged at
temperature 0, or where the provider draws its tokens as `synced` says; and only where nothing in the question bends
the model's choice in a way that a reference, which reads question and answer alone, does not know of.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mercato.compute.model import Need, Surface

MOST = 256 * 1024  # octets of question and answer together
SURFACES = {Surface.CHAT: b"c", Surface.COMPLETIONS: b"t"}
SYNCED = {Surface.CHAT: b"C", Surface.COMPLETIONS: b"T"}  # the same, of a provider that draws as `synced` says
LENGTH = 4  # octets that tell how long the question is
#: Members that leave the model's choice as it is; whatever else a body holds, an honest answer might not match.
HARMLESS = frozenset(
    {"model", "messages", "prompt", "provider", "stream", "stream_options", "temperature", "max_tokens", "seed",
     "max_completion_tokens", "stop", "user", "metadata", "store", "service_tier", "logprobs", "top_logprobs",
     "safety_identifier", "prompt_cache_key", "chat_template_kwargs", "modalities", "parallel_tool_calls"}
)  # fmt: skip
#: Values that say no more than nothing does, whatever stands for their name.
IDLE: tuple[object, ...] = (None, False, [], {})
#: Further values that change nothing. `top_p` does not either where the likeliest token is taken anyway.
NEUTRAL: Mapping[str, tuple[object, ...]] = {
    "n": (1,), "best_of": (1,), "top_p": (1,), "frequency_penalty": (0,), "presence_penalty": (0,),
    "response_format": ({"type": "text"},), "tool_choice": ("none", "auto"), "suffix": ("",),
}  # fmt: skip
MOST_SEED = 2**63


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One question as its body was, and the text that came back. `synced` says how the provider draws tokens."""

    surface: Surface
    body: Mapping[str, Any]
    answer: str
    synced: bool = False

    @property
    def seeded(self) -> bool:
        """Whether chance had a part that the request's seed fixes."""
        return self.body.get("temperature") != 0


def packed(need: Need, body: str, answer: str, *, calls: int = 0, synced: bool = False) -> bytes:
    """Returns question and answer in one piece; b"" where they may not be kept, or could not be judged."""
    if need.surface not in SURFACES or need.wish.zdr or need.wish.verify == "none" or calls:
        return b""
    question, text = body.encode(), answer.encode(errors="replace")
    if len(question) + len(text) > MOST:
        return b""
    return (SYNCED if synced else SURFACES)[need.surface] + len(question).to_bytes(LENGTH) + question + text


def read(raw: bytes) -> Exhibit | None:
    """Returns what was packed; None where no reference could judge it: nothing kept, chance in it, or several texts."""
    found = [(one, marks is SYNCED) for marks in (SURFACES, SYNCED) for one, mark in marks.items() if raw[:1] == mark]
    if not found:
        return None
    surface, synced = found[0]
    start = 1 + LENGTH
    end = start + int.from_bytes(raw[1:start])
    body = json.loads(raw[start:end])
    return Exhibit(surface, body, raw[end:].decode(), synced) if judged(body.items(), synced) else None


def judged(members: Iterable[tuple[str, Any]], synced: bool = False) -> bool:
    """Whether a reference can judge the answer to a body of these members, from a provider that draws so or not."""
    body = dict(members)
    if not isinstance(body.get("prompt", ""), str) or not all(_plain(name, value) for name, value in body.items()):
        return False
    if body.get("temperature") == 0:
        return True
    seed, heat = body.get("seed"), body.get("temperature", 1)
    drawn = isinstance(seed, int) and -MOST_SEED <= seed < MOST_SEED and isinstance(heat, int | float) and heat > 0
    return synced and drawn and body.get("top_p") in (None, 1)


def _plain(name: str, value: Any) -> bool:
    """Whether a member leaves the model's choice as it is. `top_p` is looked at where it matters."""
    if name in HARMLESS or name == "top_p":
        return True
    return any(type(value) is type(it) and value == it for it in IDLE) or value in NEUTRAL.get(name, ())
