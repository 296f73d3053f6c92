"""Reading JSON that the other end of a tunnel wrote: sizes and types are checked before a value is used."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from mercato.core.errors import InvalidInput
from mercato.core.events import Json

Body = Mapping[str, Json]


def parsed(text: str | bytes, *, most: int, what: str) -> dict[str, Json]:
    """Returns a JSON object of at most that many octets; InvalidInput for anything else, doubled keys included."""
    if len(text) > most:
        raise InvalidInput(f"{what} had {len(text)} octets", hint=f"at most {most}")
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise InvalidInput(f"{what} was no JSON: {text[:60]!r}", hint="one object, each key once, no NaN") from None
    if not isinstance(value, dict):
        raise InvalidInput(f"{what} was a {type(value).__name__}", hint="expected an object")
    return value


def text(body: Body, name: str, *, most: int, least: int = 0) -> str:
    """Returns a field that is printable text of such a length."""
    value = body.get(name)
    if not isinstance(value, str) or not least <= len(value) <= most or not value.isprintable():
        raise InvalidInput(f"{name} was {str(value)[:80]!r}", hint=f"expected {least} to {most} printable letters")
    return value


def number(body: Body, name: str, low: int, high: int) -> int:
    """Returns a field that is a whole number between two bounds, both included."""
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidInput(f"{name} was {str(value)[:80]!r}", hint=f"expected a whole number from {low} to {high}")
    return value


def items(body: Body, name: str, *, most: int) -> Sequence[Json]:
    """Returns a field that is a list of at most so many items."""
    value = body.get(name)
    if not isinstance(value, list) or len(value) > most:
        raise InvalidInput(f"{name} was {str(value)[:80]!r}", hint=f"expected a list of at most {most}")
    return value


def inner(value: Json, what: str) -> dict[str, Json]:
    """Returns a value that is an object."""
    if not isinstance(value, dict):
        raise InvalidInput(f"{what} was {str(value)[:80]!r}", hint="expected an object")
    return value


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key was there twice")
    return found


def _no_constant(name: str) -> Json:
    raise ValueError(name)
