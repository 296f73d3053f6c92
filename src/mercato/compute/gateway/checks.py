"""Checks of single members of a request's body. Each names the member that was wrong, and shows what it was."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mercato.compute.errors import Declined
from mercato.compute.gateway import schemas
from mercato.compute.gateway.body import Body
from mercato.compute.gateway.numbers import integer

#: Tokens that a chat template may put around a message, at most.
FRAME = 16
MOST_INPUTS = 2048
MOST_TOOLS = 256
MOST_PARTS = 2_000
MOST_STOPS = 16
MOST_NUMBER = 1_000
ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
#: Roles whose messages may have no content.
SILENT = frozenset({"assistant", "function"})
NAME = re.compile(r"[a-zA-Z0-9_.:-]{1,128}")
SEEN = {"image_url": "vision", "input_audio": "audio", "file": "files", "video_url": "video"}


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one request may hold; `tokens` bounds what it may ask to be written, `deny` refuses unknown members.
    `hedge` allows to ask for a second provider."""

    messages: int = 10_000
    choices: int = 16
    depth: int = 64
    tokens: int = 10_000_000
    deny: bool = False
    hedge: bool = True


def wrong(param: str, value: Any, hint: str) -> Declined:
    """Returns what to raise for a member."""
    return Declined(f"{param} was {repr(value)[:80]}", param=param, hint=hint)


def text(body: Body, name: str, most: int) -> str:
    """Returns a member that must be there and be text."""
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= most or not _plain(value):
        raise wrong(name, value, f"send text of 1 to {most} ASCII characters")
    return value


def _plain(value: str) -> bool:
    return value.isascii() and value.isprintable()


def yes(body: Body, name: str) -> bool:
    """Returns a member that is true, false or missing."""
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise wrong(name, value, "say true or false")
    return bool(value)


def whole(body: Body, name: str, least: int, most: int) -> int | None:
    """Returns a whole number within bounds; None where it is missing or null."""
    value = body.get(name)
    if value is None or (name == "logprobs" and isinstance(value, bool)):
        return None
    found = integer(value)
    if found is None or not least <= found <= most:
        raise wrong(name, value, f"send a whole number from {least} to {most}")
    return found


def number(body: Body, name: str) -> None:
    """Checks that a member is a finite number, where it is there; its range is the model's business."""
    value = body.get(name)
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > MOST_NUMBER or math.isnan(value):
        raise wrong(name, value, "send a number")


def stops(body: Body) -> None:
    """Checks the texts at which an answer ends."""
    value = body.get("stop")
    several = isinstance(value, list) and len(value) <= MOST_STOPS and all(isinstance(one, str) for one in value)
    if value is not None and not isinstance(value, str) and not several:
        raise wrong("stop", value, f"send text, or a list of at most {MOST_STOPS}")


def messages(value: Any, bounds: Bounds) -> tuple[int, int, set[str]]:
    """Returns the octets of text in messages, how many there are, and what a model must be able to read."""
    if not isinstance(value, list) or not 0 < len(value) <= bounds.messages:
        raise wrong("messages", value, f"send a list of 1 to {bounds.messages} messages")
    octets, seen = 0, set[str]()
    for at, message in enumerate(value):
        octets += _message(message, f"messages[{at}]", seen)
    return octets, len(value), seen


def _message(message: Any, place: str, seen: set[str]) -> int:
    if not isinstance(message, dict):
        raise wrong(place, message, "send an object with role and content")
    role = message.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise wrong(f"{place}.role", role, f"use one of {', '.join(sorted(ROLES))}")
    content = message.get("content")
    octets = len(str(message.get("name") or ""))
    if isinstance(content, str):
        octets += len(content) if content.isascii() else len(content.encode())
    elif isinstance(content, list) and len(content) <= MOST_PARTS:
        octets += sum(_part(part, f"{place}.content[{at}]", seen) for at, part in enumerate(content))
    elif content is not None or role not in SILENT:
        raise wrong(f"{place}.content", content, f"send text, or a list of at most {MOST_PARTS} parts")
    calls = message.get("tool_calls")
    if calls is not None:
        if not isinstance(calls, list) or len(calls) > MOST_TOOLS or not all(isinstance(call, dict) for call in calls):
            raise wrong(f"{place}.tool_calls", calls, f"send a list of at most {MOST_TOOLS} objects")
        octets += len(str(calls).encode())
    return octets


def _part(part: Any, place: str, seen: set[str]) -> int:
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        raise wrong(place, part, 'send an object such as {"type": "text", "text": "…"}')
    kind = part["type"]
    if kind in ("text", "refusal"):
        words = part.get(kind)
        if not isinstance(words, str):
            raise wrong(f"{place}.{kind}", words, "send text")
        return len(words.encode())
    if kind not in SEEN:
        raise wrong(f"{place}.type", kind, f"use one of text, {', '.join(sorted(SEEN))}")
    seen.add(SEEN[kind])
    return 0  # how many tokens an image or a recording is depends on the model: only its context bounds them


def tools(body: Body, bounds: Bounds) -> set[str]:
    """Checks the tools that a model may call; returns the feature that this needs."""
    named = body.get("functions")  # what tools were called before there were others than functions
    if named is not None:
        if not isinstance(named, list) or len(named) > MOST_TOOLS:
            raise wrong("functions", named, f"send a list of at most {MOST_TOOLS} functions")
        for at, function in enumerate(named):
            _function(function, f"functions[{at}]", bounds)
    value = body.get("tools")
    if value is None:
        return {"tools"} if named else set()
    if not isinstance(value, list) or len(value) > MOST_TOOLS:
        raise wrong("tools", value, f"send a list of at most {MOST_TOOLS} tools")
    for at, tool in enumerate(value):
        place = f"tools[{at}]"
        if not isinstance(tool, dict) or not isinstance(tool.get("type"), str):
            raise wrong(place, tool, 'send an object such as {"type": "function", "function": {…}}')
        if tool["type"] != "function":
            raise wrong(f"{place}.type", tool["type"], "send functions; a gateway runs no tools of its own")
        _function(tool.get("function"), f"{place}.function", bounds)
    return {"tools"} if value or named else set()


def _function(value: Any, place: str, bounds: Bounds) -> None:
    if not isinstance(value, dict):
        raise wrong(place, value, "send an object with name and parameters")
    name = value.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise wrong(f"{place}.name", name, "use 1 to 128 of letters, digits, '_', '.', ':' and '-'")
    if value.get("parameters") is not None:
        schemas.check(value["parameters"], f"{place}.parameters", bounds.depth)


def formatted(body: Body, bounds: Bounds) -> set[str]:
    """Checks the format that an answer shall have; returns the feature that this needs."""
    value = body.get("response_format")
    if value is None:
        return set()
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "json_schema":
        inner = value.get("json_schema")
        if not isinstance(inner, dict):
            raise wrong("response_format.json_schema", inner, "send an object with name and schema")
        if inner.get("schema") is not None:
            schemas.check(inner["schema"], "response_format.json_schema.schema", bounds.depth)
        return {"json_schema"}
    if kind not in ("text", "json_object"):
        raise wrong("response_format", value, "give it the type text, json_object or json_schema")
    return {"json_schema"} if kind == "json_object" else set()


def prompts(body: Body, name: str, bounds: Bounds, *, empty: bool) -> tuple[int, int]:
    """Returns the octets of text, or tokens, that `prompt` or `input` holds, and how many pieces it has."""
    value = body.get(name)
    pieces = value if isinstance(value, list) else [value]
    if pieces and all(_token(one) for one in pieces):
        pieces = [pieces]
    if not 0 < len(pieces) <= MOST_INPUTS:
        raise wrong(name, value, f"send text, or a list of 1 to {MOST_INPUTS}")
    octets = 0
    for piece in pieces:
        if isinstance(piece, str) and (piece or empty):
            octets += len(piece.encode())
        elif isinstance(piece, list) and piece and all(_token(one) for one in piece):
            octets += len(piece)
        else:
            raise wrong(name, piece, "send text, or tokens as whole numbers")
    return octets, len(pieces)


def _token(value: Any) -> bool:
    found = integer(value)
    return found is not None and 0 <= found < 2**32


def shown(headers: Mapping[bytes, bytes], name: bytes, most: int = 200) -> str:
    """Returns a header as printable text, "" where it is missing; Declined for one that is not."""
    value = headers.get(name, b"")
    if len(value) > most or not (value.isascii() and value.decode("ascii", "replace").isprintable()):
        raise Declined(f"header {name.decode()} was not plain text of at most {most} characters", code="invalid_header")
    return value.decode("ascii")
