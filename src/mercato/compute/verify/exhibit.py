"""What was asked and answered, kept from the settle until an auditor has judged it, and then dropped.

Only what a reference can judge is kept: one text at temperature 0, without tools, of a request that allows to be kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mercato.compute.model import Need, Surface

MOST = 256 * 1024  # octets of question and answer together
SURFACES = {Surface.CHAT: b"c", Surface.COMPLETIONS: b"t"}
LENGTH = 4  # octets that tell how long the question is


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One question as its body was, and the text that came back."""

    surface: Surface
    body: Mapping[str, Any]
    answer: str


def packed(need: Need, body: str, answer: str, *, calls: int = 0) -> bytes:
    """Returns question and answer in one piece; b"" where they may not be kept, or could not be judged."""
    if need.surface not in SURFACES or need.wish.zdr or need.wish.verify == "none" or calls or not answer:
        return b""
    question, text = body.encode(), answer.encode(errors="replace")
    if len(question) + len(text) > MOST:
        return b""
    return SURFACES[need.surface] + len(question).to_bytes(LENGTH) + question + text


def read(raw: bytes) -> Exhibit | None:
    """Returns what was packed; None where no reference could judge it: nothing kept, chance in it, or several texts."""
    surface = next((name for name, mark in SURFACES.items() if raw[:1] == mark), None)
    if surface is None:
        return None
    start = 1 + LENGTH
    end = start + int.from_bytes(raw[1:start])
    body = json.loads(raw[start:end])
    return Exhibit(surface, body, raw[end:].decode()) if judged(body.get) else None


def judged(member: Callable[[str], Any]) -> bool:
    """Whether a reference can judge the answer to a body, given what finds its members: one text, without chance."""
    alone = member("n") in (None, 1) and member("best_of") in (None, 1) and not member("echo")
    return bool(alone and member("temperature") == 0 and not member("tools") and not member("functions"))
