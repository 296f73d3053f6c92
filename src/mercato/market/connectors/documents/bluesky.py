"""What Bluesky says: the events of its public Jetstream (`documents.jetstream/1`) and of its search
(`documents.bluesky_search/1`).

Shapes: the event JSON of Jetstream version 1 and the lexicons app.bsky.feed.post, like, repost and searchPosts. A like,
a repost and an answer are engagements with the post that they point to; an answer is a post too. Deletions are counted
as skipped: rows hold no text, and the raw bytes are the operator's to drop.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mercato.market.connectors.documents.posts import Engager, Page, Post, number, when, words
from mercato.market.layers.parsers import register
from mercato.market.model import Parsed, RawDocument

STREAM = "documents.jetstream/1"
SEARCH = "documents.bluesky_search/1"
POST, LIKE, REPOST = "app.bsky.feed.post", "app.bsky.feed.like", "app.bsky.feed.repost"
COLLECTIONS = (POST, LIKE, REPOST)
LONGEST_POST = 10_000


@register(STREAM)
def parse_stream(document: RawDocument) -> Parsed:
    """Returns the rows of Jetstream events, one JSON object a line."""
    page = Page(document)
    for row, line in enumerate(document.content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            _event(page, row, _object(line))
        except ValueError as error:
            page.reject(row, str(error), line[:200].decode("utf-8", "replace"))
    return page.parsed()


@register(SEARCH)
def parse_search(document: RawDocument) -> Parsed:
    """Returns the rows of one page of searchPosts. Likes and reposts are counts only: it does not say by whom."""
    page = Page(document)
    try:
        posts = _object(document.content).get("posts")
        if not isinstance(posts, list):
            raise ValueError("the answer held no list named posts: its schema has changed")
    except ValueError as error:
        page.reject(0, str(error), document.content[:200].decode("utf-8", "replace"))
        return page.parsed()
    for row, item in enumerate(posts, start=1):
        try:
            page.add(row, _found(item))
        except (ValueError, KeyError, TypeError) as error:
            page.reject(row, f"the post lacked or broke {error}", json.dumps(item)[:200])
    return page.parsed()


def _object(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except RecursionError:
        raise ValueError("the JSON was nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError(f"the JSON was a {type(value).__name__}, expected an object")
    return value


def _event(page: Page, row: int, event: Mapping[str, Any]) -> None:
    commit = event.get("commit")
    if event.get("kind") != "commit" or not isinstance(commit, dict) or commit.get("operation") != "create":
        page.skipped += 1
        return
    collection, record = commit.get("collection"), commit.get("record")
    did, at = words(event.get("did"), "did"), stamp(event.get("time_us"))
    if not isinstance(record, dict):
        raise ValueError(f"the record was a {type(record).__name__}, expected an object: the schema has changed")
    if collection in (LIKE, REPOST):
        _engage(page, did, at, record.get("subject"))
    elif collection == POST:
        rkey = words(commit.get("rkey"), "rkey")
        page.add(row, _written(did, rkey, at, record))
        _answer(page, did, at, record.get("reply"))
    else:
        page.skipped += 1


def _written(did: str, rkey: str, at: datetime, record: Mapping[str, Any]) -> Post:
    """Returns a post. Its time is the earlier of what the author claims and what the network saw."""
    text = words(record.get("text") or "", "text", LONGEST_POST)
    return Post(
        id=f"at://{did}/{POST}/{rkey}", author=did, created_at=min(when(record.get("createdAt")), at), text=text
    )


def _answer(page: Page, did: str, at: datetime, reply: object) -> None:
    if isinstance(reply, dict):
        _engage(page, did, at, reply.get("parent"))


def _engage(page: Page, did: str, at: datetime, subject: object) -> None:
    uri = words(subject.get("uri") if isinstance(subject, dict) else None, "subject uri")
    author, _, rest = uri.removeprefix("at://").partition("/")
    if not uri.startswith("at://did:") or not rest.startswith(POST + "/"):
        page.skipped += 1  # a like of a feed or a list, not of a post
        return
    page.engagements.append((uri, author, Engager(did, 1, at)))


def _found(item: Mapping[str, Any]) -> Post:
    author, record = item["author"], item["record"]
    return Post(
        id=words(item["uri"], "uri"),
        author=words(author["did"], "did"),
        created_at=min(when(record["createdAt"]), when(item["indexedAt"])),
        text=words(record.get("text") or "", "text", LONGEST_POST),
        likes=number(item.get("likeCount"), "likeCount"),
        reposts=number(item.get("repostCount"), "repostCount"),
        replies=number(item.get("replyCount"), "replyCount"),
    )


def stamp(value: object) -> datetime:
    """Returns the time of Jetstream's microseconds since 1970. Raises ValueError with the value otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 253_402_300_800_000_000:
        raise ValueError(f"time_us was {str(value)[:40]!r}, expected microseconds since 1970")
    return datetime.fromtimestamp(value / 1_000_000, UTC)
