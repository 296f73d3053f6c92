"""What an answer says, counted while it passes: its text, how its choices ended, and the tokens that it claims.

Text from a provider is measured here and decides nothing else. A claim that is no whole number is no claim.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any

from mercato.compute.errors import Unreached
from mercato.compute.model import Surface, Usage

MOST_CLAIMED = 10**9
_READ = json.JSONDecoder().raw_decode


class Heard(Enum):
    """What an event of a stream was."""

    WORDS = "words"  # part of the answer: from the first of these on, no other provider can be asked
    USAGE = "usage"  # nothing but the count of tokens
    OTHER = "other"


class Tally:
    """Counts one answer. `octets` of text, `calls` of tools, `events` with words, `ends` by choice."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._texts: list[str] = []
        self.octets = self.calls = self.events = self.vectors = 0
        self.ends: dict[int, str] = {}
        self.claimed: Usage | None = None
        self._forwarded = (0, 0, 0, 0)

    @property
    def text(self) -> str:
        """Returns all text that was delivered."""
        return "".join(self._texts)

    @property
    def whole(self) -> bool:
        """Whether every choice that began has told why it ended."""
        return bool(self.ends) and all(self.ends.values())

    def forwarded(self) -> None:
        """Notes that all that was counted so far was passed on."""
        self._forwarded = len(self._texts), self.octets, self.calls, self.events

    def cut(self) -> bool:
        """Forgets what was counted and not passed on; returns whether anything is left."""
        texts, self.octets, self.calls, self.events = self._forwarded
        del self._texts[texts:]
        return self.events > 0

    def event(self, data: bytes) -> Heard:
        """Takes in an event of a stream; Unreached where it is an error or not what the API has."""
        body = _object(data)
        choices = body.get("choices")
        if not isinstance(choices, list):
            raise Unreached("protocol", "provider sent an event without choices")
        self._claim(body)
        if not choices:
            return Heard.USAGE if isinstance(body.get("usage"), dict) else Heard.OTHER
        words = False
        for choice in choices:
            words |= self._choice(choice, "delta")
        self.events += words
        return Heard.WORDS if words else Heard.OTHER

    def answer(self, data: bytes) -> None:
        """Takes in a whole answer; Unreached where it is an error or not what the API has."""
        body = _object(data)
        self._claim(body)
        if self._surface is Surface.EMBEDDINGS:
            vectors = body.get("data")
            if not isinstance(vectors, list) or not all(isinstance(one, dict) for one in vectors):
                raise Unreached("protocol", "provider sent an answer without data")
            self.vectors = len(vectors)
            return
        choices = body.get("choices")
        if not isinstance(choices, list) or not choices:
            raise Unreached("protocol", "provider sent an answer without choices")
        for choice in choices:
            self._choice(choice, "message")

    def _choice(self, choice: Any, part: str) -> bool:
        """Takes in one choice; returns whether it holds part of the answer, or its end."""
        if not isinstance(choice, dict):
            raise Unreached("protocol", "provider sent a choice that is no object")
        index = choice.get("index", 0)
        index = index if isinstance(index, int) else 0
        end = choice.get("finish_reason")
        self.ends[index] = end if isinstance(end, str) else self.ends.get(index, "")
        before = self.octets
        for piece in self._words(choice, part):
            if piece:
                self._take(piece)
        return self.octets > before or isinstance(end, str)

    def _take(self, piece: str) -> None:
        if piece.isascii():
            self._texts.append(piece)
            self.octets += len(piece)
            return
        raw = piece.encode(errors="replace")  # halves of surrogates are no text, and no tokenizer takes them
        self._texts.append(raw.decode())
        self.octets += len(raw)

    def _words(self, choice: dict[str, Any], part: str) -> Iterable[str]:
        if self._surface is Surface.COMPLETIONS:
            return (_text(choice.get("text")),)
        message = choice.get(part)
        if not isinstance(message, dict):
            raise Unreached("protocol", f"provider sent a choice without {part}")
        if len(message) == 1 and "content" in message:  # nearly all events
            return (_text(message["content"]),)
        return self._all(message)

    def _all(self, message: dict[str, Any]) -> Iterator[str]:
        yield _text(message.get("content"))
        # Thoughts are paid for where they are delivered, under either name that engines have for them.
        yield _text(message.get("reasoning_content")) or _text(message.get("reasoning"))
        yield _text(message.get("refusal"))
        calls = message.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict):
                self.calls += bool(function.get("name"))
                yield _text(function.get("name"))
                yield _text(function.get("arguments"))

    def _claim(self, body: dict[str, Any]) -> None:
        usage = body.get("usage")
        if not isinstance(usage, dict):
            return
        prompt, completion = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens", 0))
        details = usage.get("prompt_tokens_details")
        cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else 0
        if prompt is not None and completion is not None:
            self.claimed = Usage(prompt, completion, min(cached or 0, prompt))


def _object(data: bytes) -> dict[str, Any]:
    """Returns the JSON object that a provider sent; Unreached for an error in place of an answer, and for the rest."""
    try:
        body = _read(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Unreached("protocol", "provider sent what is no JSON") from None
    if not isinstance(body, dict):
        raise Unreached("protocol", "provider sent JSON that is no object")
    if body.get("error"):
        raise Unreached("error", f"provider sent an error: {said(body)}")
    return body


def _read(text: str) -> Any:
    """Returns what a text of JSON says, as `json.loads` does, without its preparations: there is one for each event."""
    try:
        body, end = _READ(text)
    except ValueError:  # such as blanks before it
        end = -1
    return body if end == len(text) else json.loads(text)


def said(body: Any) -> str:
    """Returns what an error of a provider says, bounded and printable; it is shown to people and decides nothing."""
    error = body.get("error", body) if isinstance(body, dict) else body
    for name in ("message", "detail"):
        if isinstance(error, dict) and error.get(name):
            error = error[name]
    text = error if isinstance(error, str) else json.dumps(error, default=str)
    return "".join(letter if letter.isprintable() else " " for letter in text[:300])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any) -> int | None:
    """Returns a count of tokens; None for anything else."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_CLAIMED:
        return None
    return value
