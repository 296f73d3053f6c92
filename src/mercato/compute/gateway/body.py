"""The body of a request as JSON, read strictly, and changed by exchanging single members of its outermost object.

Everything that is not exchanged goes on exactly as it came: numbers keep their spelling, and members their order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]  # there since Python 2.6, missing in the stubs
from typing import Any, NoReturn

from mercato.compute.errors import Declined

#: Members of the outermost object, and values in all: a reader holds up everybody while it builds millions of them.
MOST_MEMBERS, MOST_VALUES = 1_000, 400_000
#: Characters up to which a body's members are found again where one is exchanged; larger ones are read once only.
SMALL = 64 * 1024
_GAP = re.compile(r"[ \t\r\n]*")
#: A text; one that does not end goes to the end, so that no later quote begins a search of its own.
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
PIECE = 1 << 20
_HALF = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}")


@dataclass(slots=True)
class Body:
    """A JSON object with the text that it was read from, and where the members of the outermost one stand in it, which
    is looked for when it is wanted: most bodies go on as they came."""

    text: str
    values: Mapping[str, Any]
    _places: Mapping[str, slice] | None = None

    def get(self, name: str) -> Any:
        """Returns a member's value; None where there is none."""
        return self.values.get(name)

    def span(self, name: str) -> str:
        """Returns a member's value as it was spelt; "" where there is none."""
        return self.text[self._place()[name]] if name in self.values else ""

    def changed(self, values: Mapping[str, str | Mapping[str, object]], without: frozenset[str] = frozenset()) -> bytes:
        """Returns the object as bytes, with some members exchanged or added, and some left out."""
        if self._says(values) and not any(name in self.values for name in without.difference(values)):
            return self.text.encode()
        parts = [
            f"{json.dumps(name)}:{self.text[place]}"
            for name, place in self._place().items()
            if name not in values and name not in without
        ]
        parts += [f"{json.dumps(name)}:{json.dumps(value)}" for name, value in values.items()]
        return ("{" + ",".join(parts) + "}").encode()

    def _says(self, values: Mapping[str, object]) -> bool:
        """Whether it says so already; only of texts, as 1 is true for Python and not for JSON."""
        return all(type(value) is str and self.values.get(name) == value for name, value in values.items())

    def _place(self) -> Mapping[str, slice]:
        if self._places is None:
            self._places = _members(self.text)[1]
        return self._places


def read(raw: bytes) -> Body:
    """Returns a body; Declined where it is no JSON object in UTF-8, names a member twice, holds NaN or infinity, or
    very many values."""
    _few(raw)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _wrong(f"body was not UTF-8: byte {error.start} is {raw[error.start]:#04x}") from None
    try:
        values, places = _small(text) or _members(text)
    except RecursionError:
        raise _wrong("body was nested too deeply", hint="flatten it") from None
    except json.JSONDecodeError as error:
        raise _wrong(f"body was not JSON: {error.msg} at character {error.pos}") from None
    except Declined:
        raise
    except ValueError as error:  # a number with thousands of digits
        raise _wrong(f"body was not readable: {str(error)[:100]}") from None
    if "\\u" in text and _HALF.search(text):
        _whole(values)
    return Body(text, values, places)


def _few(raw: bytes) -> None:
    """Refuses very many values before they are built: each but the first follows a comma, or opens a list."""
    if len(raw) <= MOST_VALUES or not _many(raw):
        return
    found, at = 0, 0
    for text in _TEXT.finditer(raw):  # what is within texts does not count
        found += _opened(raw, at, text.start())
        at = text.end()
        if found > MOST_VALUES:
            break
    if found + _opened(raw, at, len(raw)) > MOST_VALUES:
        raise _wrong(f"body held more than {MOST_VALUES} values", hint="send fewer")


def _many(raw: bytes) -> bool:
    """Whether there could be too many; piece by piece, so that others have their turn."""
    found, at = 0, 0
    while at < len(raw) and found <= MOST_VALUES:
        found += _opened(raw, at, at + PIECE)
        at += PIECE
    return found > MOST_VALUES


def _opened(raw: bytes, start: int, end: int) -> int:
    return raw.count(b",", start, end) + raw.count(b"[", start, end)


def _small(text: str) -> tuple[dict[str, Any], None] | None:
    """Returns the members of a small body, read at once; None for one that is large, or wrong, as `_members` says."""
    if len(text) > SMALL:
        return None
    try:
        values = _DECODER.decode(text)
    except json.JSONDecodeError:
        return None
    return (values, None) if isinstance(values, dict) and len(values) <= MOST_MEMBERS else None


def _members(text: str) -> tuple[dict[str, Any], dict[str, slice]]:
    """Returns the values of the outermost object's members, and where they stand."""
    at = _gap(text, 0)
    if text[at : at + 1] != "{":
        raise _wrong("body was not a JSON object", hint='send an object such as {"model": "…"}')
    found: dict[str, Any] = {}
    places: dict[str, slice] = {}
    at = _gap(text, at + 1)
    closed = text[at : at + 1] == "}"
    while not closed:
        if text[at : at + 1] != '"':
            raise json.JSONDecodeError("Expecting a name in double quotes", text, at)
        name, at = scanstring(text, at + 1, True)
        at = _gap(text, at)
        if text[at : at + 1] != ":":
            raise json.JSONDecodeError("Expecting ':'", text, at)
        start = _gap(text, at + 1)
        value, end = _DECODER.raw_decode(text, start)
        if name in found:
            raise _twice(name)
        found[name], places[name] = value, slice(start, end)
        if len(found) > MOST_MEMBERS:
            raise _wrong(f"body had more than {MOST_MEMBERS} members", hint="send fewer")
        at = _gap(text, end)
        closed = text[at : at + 1] == "}"
        if not closed and text[at : at + 1] != ",":
            raise json.JSONDecodeError("Expecting ',' or '}'", text, at)
        at = at if closed else _gap(text, at + 1)
    if _gap(text, at + 1) != len(text):
        raise json.JSONDecodeError("Extra data", text, at + 1)
    return found, places


def _gap(text: str, at: int) -> int:
    found = _GAP.match(text, at)
    return found.end() if found else at


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen = set[str]()
        raise _twice(next(name for name, _ in pairs if name in seen or seen.add(name)))  # type: ignore[func-returns-value]  # it adds, and is false
    return made


def _no_number(word: str) -> NoReturn:
    raise _wrong(f"body held the number {word!r}, which JSON does not have")


def _whole(values: Mapping[str, Any]) -> None:
    try:
        json.dumps(values, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise _wrong("body held half of a surrogate pair", hint="escape characters as whole pairs") from None


def _twice(name: str) -> Declined:
    return _wrong(f"body named {name[:80]!r} twice in one object", hint="readers differ in which one they take")


def _wrong(message: str, hint: str = "send one JSON object in UTF-8") -> Declined:
    return Declined(message, hint=hint, code="invalid_json")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number)
