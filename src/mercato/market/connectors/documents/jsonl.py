"""Documents from a file of our own shape, one JSON object a line (`documents.jsonl/1`).

`{"id", "author", "created_at", "text", "likes", "reposts", "replies", "engagers": [{"id", "count", "at"}], "official",
"paid"}`: id, author and created_at are needed; a name that is not listed is refused, so that a typo is not lost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mercato.market.connectors.documents.posts import Engager, Page, Post, flag, key, number, when, words
from mercato.market.layers.parsers import register
from mercato.market.model import Parsed, RawDocument

PARSER = "documents.jsonl/1"
NAMES = frozenset({"id", "author", "created_at", "text", "likes", "reposts", "replies", "engagers", "official", "paid"})
LONGEST_LINE = 1_000_000
LONGEST_TEXT = 200_000
MOST_ENGAGERS = 100_000


@register(PARSER)
def parse(document: RawDocument) -> Parsed:
    """Returns the rows of a JSONL document; each bad line is rejected with its number, the others survive."""
    page = Page(document)
    for row, line in enumerate(document.content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            page.add(row, _post(_object(line)))
        except ValueError as error:
            page.reject(row, str(error), line[:200].decode("utf-8", "replace"))
    return page.parsed()


def _object(line: bytes) -> Mapping[str, Any]:
    if len(line) > LONGEST_LINE:
        raise ValueError(f"the line had {len(line)} bytes, more than {LONGEST_LINE}")
    try:
        value = json.loads(line)
    except RecursionError:
        raise ValueError("the line was nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError(f"the line was a {type(value).__name__}, expected a JSON object")
    if unknown := sorted(set(value) - NAMES):
        raise ValueError(f"names {unknown[:5]!r} are unknown; known are {', '.join(sorted(NAMES))}")
    return value


def _post(value: Mapping[str, Any]) -> Post:
    engagers = value.get("engagers") or []
    if not isinstance(engagers, list) or len(engagers) > MOST_ENGAGERS:
        raise ValueError(f"engagers was a {type(engagers).__name__}, expected a list of at most {MOST_ENGAGERS}")
    return Post(
        id=key(value.get("id"), "id"),
        author=key(value.get("author"), "author"),
        created_at=when(value.get("created_at")),
        text=words(value.get("text") or "", "text", LONGEST_TEXT),
        likes=number(value.get("likes"), "likes"),
        reposts=number(value.get("reposts"), "reposts"),
        replies=number(value.get("replies"), "replies"),
        official=flag(value.get("official"), "official"),
        paid=flag(value.get("paid"), "paid"),
        engagers=tuple(_engager(item) for item in engagers),
    )


def _engager(value: object) -> Engager:
    if not isinstance(value, dict):
        raise ValueError(f"an engager was a {type(value).__name__}, expected an object with id, count and at")
    at = value.get("at")
    return Engager(
        id=key(value.get("id"), "engager id"),
        count=number(value.get("count", 1), "engager count") or 0,
        at=None if at is None else when(at),
    )
