"""X recent search with the user's own key: off unless a key and a monthly limit in USD are set.

Only ids, times and counts leave this module: the raw document that is kept is made here, with the fingerprint and the
labels of a text, never the text itself. Prices: pay per use, per post returned; reads are reserved before each call at
the most it can cost, so the limit holds even where the answer never comes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from mercato.core.errors import ConfigError, Refused, SourceError
from mercato.market.connectors.documents.posts import Page, Post, is_disclosed, number, when, words
from mercato.market.connectors.narratives import CURRENT, classifier
from mercato.market.connectors.simhash import simhash
from mercato.market.layers.parsers import register
from mercato.market.model import Parsed, RawDocument

PARSER = "documents.reduced/1"
ENDPOINT = "https://api.x.com/2/tweets/search/recent"
LICENCE = "X developer terms: ids and counts only, no text kept"
PRICE_MICRO_USD = 5_000  # per post read, as X published in 2026; a setting overrides it
PAGE = 100
SMALLEST = 10


class OverBudget(SourceError, Refused):
    """The next call could cost more than what is left of the month; it was not made."""

    code = "x-over-budget"


class Answered(Protocol):
    """The part of a client's answer that is used here."""

    @property
    def content(self) -> bytes:
        """Returns the whole body."""

    @property
    def observed_at(self) -> datetime:
        """Returns when it came."""


class Getter(Protocol):
    """A client that asks for a URL and holds the key itself."""

    def get(self, url: str, params: Mapping[str, str] | None = None) -> Answered:
        """Returns the answer, or raises a SourceError."""


class Ledger(Protocol):
    """Keeps one JSON object per name."""

    def load(self, name: str) -> Mapping[str, Any]:
        """Returns what was saved under that name, or an empty mapping."""

    def save(self, name: str, value: Mapping[str, Any]) -> None:
        """Replaces what is kept under that name."""


@dataclass(frozen=True, slots=True)
class Meter:
    """Counts what reads cost in a calendar month (UTC), in micro-USD, and refuses what would pass the limit."""

    ledger: Ledger
    limit: int
    price: int = PRICE_MICRO_USD
    name: str = "x.meter"

    def spent(self, now: datetime) -> int:
        """Returns what was spent or is reserved in the month of `now`."""
        kept = self.ledger.load(self.name)
        return int(kept.get("spent", 0)) if kept.get("month") == f"{now:%Y-%m}" else 0

    def reserve(self, posts: int, now: datetime) -> None:
        """Sets aside the cost of that many posts. Raises OverBudget where it does not fit."""
        spent, cost = self.spent(now), posts * self.price
        if spent + cost > self.limit:
            raise OverBudget(
                f"reading {posts} posts could cost {cost} micro-USD, {self.limit - spent} are left of {self.limit}",
                hint="raise the monthly limit, or wait for the next month",
            )
        self.ledger.save(self.name, {"month": f"{now:%Y-%m}", "spent": spent + cost})

    def settle(self, reserved: int, read: int, now: datetime) -> None:
        """Gives back what was reserved and not read."""
        back = max(0, reserved - read) * self.price
        self.ledger.save(self.name, {"month": f"{now:%Y-%m}", "spent": max(0, self.spent(now) - back)})


@dataclass(frozen=True, slots=True)
class Search:
    """A query to X, and how many posts one run may read."""

    query: str
    posts: int = PAGE
    endpoint: str = ENDPOINT


def search(
    getter: Getter, meter: Meter, wanted: Search, now: datetime, since_id: str = ""
) -> tuple[list[RawDocument], str]:
    """Returns reduced documents, newest first, and the id to go on from.

    Raises OverBudget before a call that could pass the limit, ConfigError where the limit is 0 (X is then off).
    """
    if meter.limit <= 0:
        raise ConfigError("X search is off: its monthly limit is 0", hint="set a key and a monthly limit in USD")
    documents: list[RawDocument] = []
    newest, token, left = since_id, "", wanted.posts
    while left > 0:
        size = max(SMALLEST, min(PAGE, left))
        meter.reserve(size, now)
        answer = getter.get(wanted.endpoint, _params(wanted.query, size, since_id, token))
        found, meta = _found(answer.content)
        meter.settle(size, len(found), now)
        if found:
            documents.append(_document(found, answer.observed_at, wanted))
        newest = _later(newest, str(meta.get("newest_id") or ""))
        token, left = str(meta.get("next_token") or ""), left - max(1, len(found))
        if not token:
            break
    return documents, newest


def _params(query: str, size: int, since_id: str, token: str) -> dict[str, str]:
    params = {"query": query, "max_results": str(size), "tweet.fields": "author_id,created_at,public_metrics"}
    return {**params, **({"since_id": since_id} if since_id else {}), **({"next_token": token} if token else {})}


def _later(first: str, second: str) -> str:
    """Returns the larger of two ids, which are whole numbers in text."""
    ids = [found for found in (first, second) if found.isascii() and found.isdigit()]
    return max(ids, key=int, default="")


def _found(content: bytes) -> tuple[Sequence[Mapping[str, Any]], Mapping[str, Any]]:
    try:
        answer = json.loads(content)
        posts, meta = answer.get("data") or [], answer.get("meta") or {}
    except (ValueError, AttributeError, RecursionError) as error:
        raise SourceError(f"X answered something that is no search result: {type(error).__name__}") from None
    if not isinstance(posts, list) or not isinstance(meta, dict):
        raise SourceError("X answered with another schema", hint="this release reads v2 recent search")
    return posts, meta


def _document(found: Sequence[Mapping[str, Any]], at: datetime, wanted: Search) -> RawDocument:
    lines = [json.dumps(reduced(item), sort_keys=True, separators=(",", ":")) for item in found]
    return RawDocument(
        content="".join(f"{line}\n" for line in lines).encode(),
        source="x",
        parser=PARSER,
        observed_at=at,
        request=f"GET {wanted.endpoint} query={wanted.query}",
        media_type="application/x-ndjson",
        licence=LICENCE,
        options={"classifier": CURRENT},
    )


def reduced(item: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what is kept of a post: ids, time and counts as X gave them, and what was computed from its text."""
    rules, text, key = classifier(), str(item.get("text") or ""), str(item.get("id") or "")
    counts = item.get("public_metrics") or {}
    return {
        "id": key,
        "author": str(item.get("author_id") or ""),
        "created_at": str(item.get("created_at") or ""),
        "likes": counts.get("like_count"),
        "reposts": counts.get("retweet_count"),
        "replies": counts.get("reply_count"),
        "simhash": str(simhash(text, key)),
        "labels": rules.labels(text),
        "paid": is_disclosed(text),
    }


@register(PARSER)
def parse(document: RawDocument) -> Parsed:
    """Returns the rows of reduced posts."""
    page = Page(document)
    for row, line in enumerate(document.content.splitlines(), start=1):
        try:
            value = json.loads(line)
            page.add(row, _post(value))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            page.reject(row, f"the reduced post lacked or broke {error}", line[:200].decode("utf-8", "replace"))
    return page.parsed()


def _post(value: Mapping[str, Any]) -> Post:
    fingerprint = int(value["simhash"])
    weights = {str(name): float(weight) for name, weight in value["labels"].items()}
    if not -(2**63) <= fingerprint < 2**63 or sum(weights.values()) > 1 + 1e-9:
        raise ValueError(f"simhash or labels: {str(value)[:80]}")
    return Post(
        id=words(value["id"], "id"),
        author=words(value["author"], "author"),
        created_at=when(value["created_at"]),
        likes=number(value["likes"], "likes"),
        reposts=number(value["reposts"], "reposts"),
        replies=number(value["replies"], "replies"),
        paid=bool(value["paid"]),
        labels=weights,
        fingerprint=fingerprint,
    )
