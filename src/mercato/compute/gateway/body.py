"""The body of a request as JSON, read strictly, and changed by exchanging single members of its outermost object.

Everything that is not exchanged goes on exactly as it came: numbers keep their spelling, and members their order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]  # there since Python 2.6, missing in the stubs
from typing import Any, NoReturn

from mercato.compute.errors import Declined

#: Members of the outermost object, and values in all: a reader holds up everybody while it builds millions of them.
MOST_MEMBERS, MOST_VALUES = 1_000, 400_000
#: Characters up to which a body's members are found again where one is exchanged; larger ones are read once only.
SMALL = 64 * 1024
_GAP = re.compile(r"[ \t\r\n]*")
#: What a text holds up to the quote that ends it.
_INSIDE = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
#: Octets, or characters, of a large body that are looked at in one go: whatever does so holds up everybody meanwhile.
PIECE = 1 << 20
DEEPEST = 2_000  # levels, and more than any reader goes down
#: Of these one stands before each value but the first, or begins a value that holds others.
COMMAS, OPENINGS = (b",", b"["), (b"[", b"{")
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
        """Returns the object as bytes, with some members exchanged or added, one at least, and some left out."""
        if self._says(values) and not any(name in self.values for name in without.difference(values)):
            whole = len(self.text)
            return self.text.encode() if whole <= PIECE else b"".join(_pieces(self.text, 0, whole))
        parts = [b"{"]
        for name, place in self._place().items():
            if name in values or name in without:
                continue
            if place.stop - place.start <= PIECE:
                parts.append(f"{json.dumps(name)}:{self.text[place]},".encode())
            else:
                parts += [f"{json.dumps(name)}:".encode(), *_pieces(self.text, place.start, place.stop), b","]
        new = ",".join([f"{json.dumps(name)}:{json.dumps(value)}" for name, value in values.items()])
        return b"".join([*parts, new.encode(), b"}"])

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
    if many(raw, MOST_VALUES):
        raise _wrong(f"body held more than {MOST_VALUES} values", hint="send fewer")
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
    if _half(text) and not all(map(_whole, leaves(values))):
        raise _wrong("body held half of a surrogate pair", hint="escape characters as whole pairs")
    return Body(text, values, places)


def leaves(*values: Any) -> list[Any]:
    """Returns each value that holds no others, and each member's name."""
    found, waiting = [], list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
        else:
            found.append(value)
    return found


def many(raw: bytes, most: int, marks: Sequence[bytes] = COMMAS) -> bool:
    """Whether JSON holds more values than `most`, by what stands before them, of which nothing within texts counts.
    Texts alone are too many where there are more than names and values could be."""
    if len(raw) <= most or counted(raw, (*marks, b'"'), most) <= most:
        return False
    found, texts, at = 0, 0, 0
    while at < len(raw) and found <= most and texts <= 2 * most + DEEPEST:
        quote = raw.find(b'"', at, at + PIECE)
        end = quote if quote >= 0 else min(at + PIECE, len(raw))
        found += sum([raw.count(mark, at, end) for mark in marks])
        texts += quote >= 0
        at = _after(raw, end + 1) if quote >= 0 else end
    return found > most or texts > 2 * most + DEEPEST


def counted(raw: bytes, marks: Sequence[bytes], most: int) -> int:
    """Returns how often any of some marks of one length is there, or some number above `most`."""
    found, at, more = 0, 0, len(marks[0]) - 1
    while at < len(raw) and found <= most:
        found += sum([raw.count(mark, at, at + PIECE + more) for mark in marks])
        at += PIECE
    return found


def _after(raw: bytes, at: int) -> int:
    """Returns where a text is over within which `at` stands; one that does not end goes to the end, so that no later
    quote begins another one."""
    while at < len(raw) - 1:
        found = _INSIDE.match(raw, at, at + PIECE)
        at = found.end() if found else at
        if raw[at : at + 1] == b'"':
            return at + 1
    return len(raw)


def _pieces(text: str, start: int, end: int) -> list[bytes]:
    return [text[at : min(at + PIECE, end)].encode() for at in range(start, end, PIECE)]


def _half(text: str) -> bool:
    """Whether an escape stands for half of a surrogate pair."""
    for at in range(0, len(text), PIECE):
        part = text[at : at + PIECE + 5]
        if "\\u" in part and _HALF.search(part):
            return True
    return False


def _whole(value: object) -> bool:
    """Whether a value, where it is text, has no half of a pair."""
    if isinstance(value, str):
        try:
            _pieces(value, 0, len(value))
        except UnicodeEncodeError:
            return False
    return True


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


def _twice(name: str) -> Declined:
    return _wrong(f"body named {name[:80]!r} twice in one object", hint="readers differ in which one they take")


def _wrong(message: str, hint: str = "send one JSON object in UTF-8") -> Declined:
    return Declined(message, hint=hint, code="invalid_json")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number)
