"""What an answer says, counted while it passes: its text, how its choices ended, and the tokens that it claims.

Text from a provider is measured here and decides nothing else. A claim that is no whole number is no claim.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import Any, NoReturn

from mercato.compute.errors import Unreached
from mercato.compute.gateway.body import COMMAS, MOST_VALUES, OPENINGS, many
from mercato.compute.model import Surface, Usage

MOST_CLAIMED = 10**9
COMMITMENTS = "toploc"  # the member of a choice that holds commitments, see `mercato.compute.verify.toploc`
MOST_PROOFS, LONGEST_PROOF, MOST_COMMITTED = 5, 400, 16
#: Parts of a choice; from `CALLS` on, the name and the arguments of one call after another.
TEXT, THOUGHTS, REFUSAL, CALLS = range(4)


class Heard(Enum):
    """What an event of a stream was."""

    WORDS = "words"  # part of the answer: from the first of these on, no other provider can be asked
    USAGE = "usage"  # nothing but the count of tokens
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Said:
    """One choice of an answer: its text, what else was said, why it ended, the name and arguments of each call, and its
    commitments as they came."""

    text: str
    thoughts: str = ""
    refusal: str = ""
    end: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    proofs: tuple[str, ...] = ()


class Tally:
    """Counts one answer. `octets` of text, `calls` of tools, `events` with words, `ends` by choice, and of embeddings
    the `vectors` as they came. It, or an event of it, holds `most` values; the numbers in vectors are bounded by their
    octets alone."""

    def __init__(self, surface: Surface, *, most: int = MOST_VALUES) -> None:
        self._surface, self._most = surface, most
        self._of_values = OPENINGS if surface is Surface.EMBEDDINGS else COMMAS
        self._texts: list[str] = []
        self._marks: list[tuple[int, int, int]] = []  # from which text on it is which choice's, and which part of it
        self._here = (-1, -1)
        self.vectors: list[dict[str, Any]] = []
        self._proofs: dict[int, list[str]] = {}
        self.octets = self.calls = self.events = 0
        self.ends: dict[int, str] = {}
        self.claimed: Usage | None = None
        self._forwarded = (0, 0, 0, 0)

    @property
    def text(self) -> str:
        """Returns all text that was delivered."""
        return "".join(self._texts)

    def said(self) -> list[Said]:
        """Returns the choices that were delivered, in their order."""
        parts: dict[int, dict[int, str]] = {choice: {} for choice in self.ends}
        for (start, choice, part), (end, _, _) in pairwise([*self._marks, (len(self._texts), 0, 0)]):
            held = parts.setdefault(choice, {})
            held[part] = held.get(part, "") + "".join(self._texts[start:end])
        return [_said(parts[at], self.ends.get(at, ""), tuple(self._proofs.get(at, ()))) for at in sorted(parts)]

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
        body = self._object(data)
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
        body = self._object(data)
        self._claim(body)
        if self._surface is Surface.EMBEDDINGS:
            vectors = body.get("data")
            if not isinstance(vectors, list) or not all(isinstance(one, dict) for one in vectors):
                raise Unreached("protocol", "provider sent an answer without data")
            self.vectors = vectors
            return
        choices = body.get("choices")
        if not isinstance(choices, list) or not choices:
            raise Unreached("protocol", "provider sent an answer without choices")
        for choice in choices:
            self._choice(choice, "message")

    def _object(self, data: bytes) -> dict[str, Any]:
        """Returns the JSON object that a provider sent; Unreached for an error in place of an answer, and for the
        rest."""
        if len(data) > self._most and many(data, self._most, self._of_values):
            raise Unreached("size", f"provider sent more than {self._most} values")
        try:
            body = _read(data.decode("utf-8"))
        except (ValueError, RecursionError):
            raise Unreached("protocol", "provider sent what is no JSON") from None
        if not isinstance(body, dict):
            raise Unreached("protocol", "provider sent JSON that is no object")
        if body.get("error"):
            raise Unreached("error", f"provider sent an error: {said(body)}")
        return body

    def _choice(self, choice: Any, part: str) -> bool:
        """Takes in one choice; returns whether it holds part of the answer, or its end."""
        if not isinstance(choice, dict):
            raise Unreached("protocol", "provider sent a choice that is no object")
        index = choice.get("index", 0)
        index = index if isinstance(index, int) else 0
        end = choice.get("finish_reason")
        self.ends[index] = end if isinstance(end, str) else self.ends.get(index, "")
        if COMMITMENTS in choice:
            self._commit(index, choice[COMMITMENTS])
        before = self.octets
        if self._surface is Surface.COMPLETIONS:
            self._take(index, TEXT, choice.get("text"))
        else:
            message = choice.get(part)
            if not isinstance(message, dict):
                raise Unreached("protocol", f"provider sent a choice without {part}")
            if len(message) == 1 and "content" in message:  # nearly all events
                self._take(index, TEXT, message["content"])
            else:
                self._message(index, message)
        return self.octets > before or isinstance(end, str)

    def _commit(self, choice: int, proofs: Any) -> None:
        """Keeps the first commitments of a choice: more are not looked at."""
        held = self._proofs.setdefault(choice, []) if len(self._proofs) < MOST_COMMITTED else []
        for one in proofs if isinstance(proofs, list) else ():
            if len(held) < MOST_PROOFS:
                held.append(one[:LONGEST_PROOF] if isinstance(one, str) else "no text")

    def _take(self, choice: int, part: int, piece: Any) -> None:
        if not piece:
            return
        if not isinstance(piece, str):
            if isinstance(piece, list):
                words, thoughts = parted(piece)
                self._take(choice, THOUGHTS, thoughts)
                self._take(choice, part, words)
            return
        if (choice, part) != self._here:
            self._here = choice, part
            self._marks.append((len(self._texts), choice, part))
        if piece.isascii():
            self._texts.append(piece)
            self.octets += len(piece)
            return
        raw = piece.encode(errors="replace")  # halves of surrogates are no text, and no tokenizer takes them
        self._texts.append(raw.decode())
        self.octets += len(raw)

    def _message(self, choice: int, message: dict[str, Any]) -> None:
        self._take(choice, TEXT, message.get("content"))
        # Thoughts are paid for where they are delivered, under either name that engines have for them.
        self._take(choice, THOUGHTS, _text(message.get("reasoning_content")) or message.get("reasoning"))
        self._take(choice, REFUSAL, message.get("refusal"))
        if isinstance(audio := message.get("audio"), dict):
            self._take(choice, TEXT, _text(audio.get("transcript")))
        for place, call in _calls(message):
            function = call.get("function")
            if isinstance(function, dict):
                self.calls += bool(function.get("name"))
                self._take(choice, CALLS + 2 * place, function.get("name"))
                self._take(choice, CALLS + 2 * place + 1, function.get("arguments"))

    def _claim(self, body: dict[str, Any]) -> None:
        usage = body.get("usage")
        if not isinstance(usage, dict):
            return
        prompt, completion = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens", 0))
        details = usage.get("prompt_tokens_details")
        cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else 0
        if prompt is not None and completion is not None:
            self.claimed = Usage(prompt, completion, min(cached or 0, prompt))


def _calls(message: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields the calls in a message, or pieces of them, each with its number among the calls of the choice."""
    calls = message.get("tool_calls")
    for at, call in enumerate(calls if isinstance(calls, list) else ()):
        if isinstance(call, dict):
            place = _count(call.get("index"))
            yield at if place is None else place, call
    if isinstance(named := message.get("function_call"), dict):  # what the one call was before there were several
        yield 0, {"function": named}


def _said(parts: dict[int, str], end: str, proofs: tuple[str, ...]) -> Said:
    calls = sorted({(part - CALLS) // 2 for part in parts if part >= CALLS})
    named = tuple((parts.get(CALLS + 2 * at, ""), parts.get(CALLS + 2 * at + 1, "")) for at in calls)
    return Said(parts.get(TEXT, ""), parts.get(THOUGHTS, ""), parts.get(REFUSAL, ""), end, named, proofs)


def parted(content: list[Any]) -> tuple[str, str]:
    """Returns the text and the thoughts of a content that comes in parts, as from engines that tell both there."""
    words, thoughts = list[str](), list[str]()
    for part in content:
        if isinstance(part, dict):
            words.append(_text(part.get("text")))
            held = part.get("thinking")
            inner = held if isinstance(held, list) else [{"text": held}]
            thoughts += [_text(one.get("text")) for one in inner if isinstance(one, dict)]
    return "".join(words), "".join(thoughts)


def _read(text: str) -> Any:
    """Returns what a text of JSON says, as `json.loads` does, without its preparations: there is one for each event."""
    try:
        body, end = _READ(text)
    except ValueError:  # such as blanks before it
        end = -1
    return body if end == len(text) else _DECODER.decode(text)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_number)
_READ = _DECODER.raw_decode


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
