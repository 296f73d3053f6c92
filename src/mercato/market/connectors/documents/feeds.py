"""RSS 2.0, RSS 1.0 and Atom feeds (`documents.feed/1`).

The author is the entry's own, else the feed's host: an article speaks for its publisher. Options: `feed`, the address
it came from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from urllib.parse import urlsplit

from mercato.market.connectors.documents.posts import Page, Post, when
from mercato.market.connectors.documents.xml import Element, tree
from mercato.market.layers.parsers import register
from mercato.market.model import Parsed, RawDocument

PARSER = "documents.feed/1"
ACCEPT = "application/rss+xml, application/atom+xml, application/xml;q=0.9, text/xml;q=0.8"
_TAG = re.compile(r"<[^<>]{0,10000}>")
_SCRIPT = re.compile(r"<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
LONGEST_BODY = 100_000


@register(PARSER)
def parse(document: RawDocument) -> Parsed:
    """Returns the rows of a feed. A feed that is no XML is rejected as a whole, a bad entry alone."""
    page = Page(document)
    try:
        root = tree(document.content)
        host = urlsplit(document.options.get("feed", "")).hostname or document.source
        for row, entry in enumerate(_entries(root), start=1):
            try:
                page.add(row, _post(entry, host))
            except ValueError as error:
                page.reject(row, str(error), entry.first("title"))
    except ValueError as error:
        page.reject(0, str(error), document.content[:200].decode("utf-8", "replace"))
    return page.parsed()


def _entries(root: Element) -> Iterator[Element]:
    if root.local == "feed":
        return root.each("entry")
    if root.local == "RDF":
        return root.each("item")
    if root.local == "rss":
        return (item for channel in root.each("channel") for item in channel.each("item"))
    raise ValueError(f"the root element was {root.local[:60]!r}, expected rss, feed or RDF")


def _post(entry: Element, host: str) -> Post:
    link = entry.first("link") or next((e.attributes["href"] for e in entry.each("link") if "href" in e.attributes), "")
    about = next((value for name, value in entry.attributes.items() if name.endswith("about")), "")
    return Post(
        id=(entry.first("guid", "id") or link or about)[:500],
        author=_author(entry) or host,
        created_at=_published(entry.first("pubDate", "published", "date", "updated", "issued")),
        text=f"{plain(entry.first('title'))}\n{plain(entry.first('description', 'summary', 'encoded', 'content'))}",
    )


def _author(entry: Element) -> str:
    for person in entry.each("author"):
        if name := person.first("name") or person.text:
            return name[:500]
    return entry.first("creator")[:500]


def _published(text: str) -> datetime:
    """Returns an ISO or RFC 822 time in UTC. Raises ValueError for others and for none."""
    if not text:
        raise ValueError("the entry had no date")
    if text[:4].isdigit():
        return when(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f"the date was {text[:60]!r}, expected RFC 822 or ISO 8601") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def plain(markup: str) -> str:
    """Returns the words of HTML, without tags, scripts and styles."""
    return " ".join(unescape(_TAG.sub(" ", _SCRIPT.sub(" ", markup[:LONGEST_BODY]))).split())
