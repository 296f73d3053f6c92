"""What every document source is turned into: posts, then rows. Texts end here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mercato.market.connectors.narratives import CURRENT, classifier
from mercato.market.connectors.simhash import simhash
from mercato.market.model import Parsed, RawDocument, Rejected

if TYPE_CHECKING:
    import pyarrow as pa

AHEAD = timedelta(days=1)  # clocks of authors may be ahead by this much
LARGEST = 2**53
_DISCLOSED = re.compile(
    r"(?<!\w)#(ad|advert|advertisement|sponsored|paidpartnership|paidpromotion)\b|\bpaid (partnership|promotion)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Engager:
    """Someone who liked, reposted or answered: `count` times, last at `at` (None when the source does not say)."""

    id: str
    count: int = 1
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """One post, message or article. Counts are None where the source does not give them.

    With `labels` and `fingerprint` given, the text was read elsewhere and is not needed here.
    """

    id: str
    author: str
    created_at: datetime
    text: str = ""
    likes: int | None = None
    reposts: int | None = None
    replies: int | None = None
    official: bool | None = None
    paid: bool | None = None
    engagers: Sequence[Engager] = ()
    labels: Mapping[str, float] | None = None
    fingerprint: int | None = None


@dataclass(slots=True)
class Page:
    """Collects posts of one raw document with the numbers of their rows, and what was refused."""

    raw: RawDocument
    posts: list[tuple[int, Post]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    engagements: list[tuple[str, str, Engager]] = field(default_factory=list)
    skipped: int = 0
    _seen: set[str] = field(default_factory=set)

    def add(self, row: int, post: Post) -> None:
        """Takes a post, or rejects it: no id or author, a repeated id, a time ahead of the observation."""
        if reason := self._reason(post):
            self.reject(row, reason, post.id)
            return
        self._seen.add(post.id)
        self.posts.append((row, post))

    def reject(self, row: int, reason: str, text: str = "") -> None:
        """Writes down a row that was not taken."""
        self.rejected.append(Rejected(row, reason, text[:200]))

    def parsed(self) -> Parsed:
        """Returns DOCUMENTS, LABELS and ENGAGEMENTS rows; no text is in them."""
        from mercato.market import schema

        source, sha = self.raw.source, self.raw.sha
        rules = classifier(self.raw.options.get("classifier", CURRENT))
        documents, labels, engagements = [], [], []
        for row, post in self.posts:
            weights = post.labels if post.labels is not None else rules.labels(post.text)
            official = rules.is_official(post.author) if post.official is None else post.official
            documents.append({**_document(post, official), "source": source, "raw_sha": sha, "row": row})
            labels += [{"source": source, "doc_id": post.id, "narrative": n, "weight": w} for n, w in weights.items()]
            engagements += [_engagement(source, post.id, post.author, engager) for engager in post.engagers]
        engagements += [_engagement(source, *rest) for rest in self.engagements]
        rows = {"documents": documents, "labels": labels, "engagements": engagements}
        tables = {name: _table(schema.SEGMENT_TABLES[name].to_pyarrow(), found) for name, found in rows.items()}
        return Parsed(tables=tables, rejected=tuple(self.rejected), skipped=self.skipped)

    def _reason(self, post: Post) -> str:
        if not post.id or not post.author:
            return f"the {'author' if post.id else 'id'} was empty"
        if post.id in self._seen:
            return f"the id {post.id!r} was there before in this document"
        if post.created_at > self.raw.observed_at + AHEAD:
            return f"created_at was {post.created_at.isoformat()}, more than a day after it was fetched"
        return ""


def _document(post: Post, official: bool) -> dict[str, object]:
    fingerprint = simhash(post.text, post.id) if post.fingerprint is None else post.fingerprint
    return {
        "doc_id": post.id,
        "author": post.author,
        "created_at": post.created_at,
        "simhash": fingerprint,
        "official": official,
        "paid": is_disclosed(post.text) if post.paid is None else post.paid,
        "likes": post.likes,
        "reposts": post.reposts,
        "replies": post.replies,
    }


def _engagement(source: str, doc_id: str, author: str, engager: Engager) -> dict[str, object]:
    return {
        "source": source,
        "doc_id": doc_id,
        "engager": engager.id,
        "author": author,
        "count": engager.count,
        "at": engager.at,
    }


def _table(columns: pa.Schema, rows: Iterable[Mapping[str, object]]) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pylist(list(rows), schema=columns)


def is_disclosed(text: str) -> bool:
    """Returns whether a text says that it was paid for."""
    return bool(_DISCLOSED.search(text))


def when(value: object) -> datetime:
    """Returns ISO text with a time zone, or a bare date, as UTC. Raises ValueError with the value otherwise."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"time was {value!r}, expected ISO 8601 such as '2025-02-14T12:00:00Z'")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"time was {value[:60]!r}, expected ISO 8601 such as '2025-02-14T12:00:00Z'") from None
    if moment.tzinfo is None:
        if len(value) != len("2025-02-14"):
            raise ValueError(f"time was {value[:60]!r}, which has no time zone; add Z for UTC")
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)


def number(value: object, name: str) -> int | None:
    """Returns a count as an integer, None for None or empty text. Raises ValueError for anything else."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST:
        raise ValueError(f"{name} was {str(value)[:40]!r}, expected a whole number of 0 or more")
    return value


def flag(value: object, name: str) -> bool | None:
    """Returns yes or no, None for None. Raises ValueError for anything but true and false."""
    if value is None or isinstance(value, bool):
        return value
    raise ValueError(f"{name} was {str(value)[:40]!r}, expected true or false")


def words(value: object, name: str, longest: int = 500) -> str:
    """Returns text of at most `longest` characters. Raises ValueError for other types and for longer text."""
    if not isinstance(value, str) or len(value) > longest:
        raise ValueError(f"{name} was {str(value)[:40]!r}, expected text of at most {longest} characters")
    return value


def key(value: object, name: str) -> str:
    """Returns an id as text; sources give whole numbers too. Raises ValueError for anything else."""
    return words(str(value) if isinstance(value, int) and not isinstance(value, bool) else value, name)
