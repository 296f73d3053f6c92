"""Brings documents in from public sources: asks politely, gives the market what came, and remembers how far it got."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from mercato.core.clock import Clock
from mercato.core.errors import ConfigError
from mercato.core.settings import Secret
from mercato.market.connectors.documents import feeds
from mercato.market.connectors.documents.jetstream import Capture, Listener, Window
from mercato.market.connectors.documents.settings import DocumentSettings
from mercato.market.connectors.documents.xsearch import Meter, Search, search
from mercato.market.connectors.http import Client, Limits
from mercato.market.connectors.narratives import CURRENT, classifier
from mercato.market.model import RawDocument, Receipt

FOLLOWED_KEPT = 20_000
FEED_BYTES = 16_000_000


class Room(Protocol):
    """What is needed of the market: to take documents, and to remember positions."""

    def ingest(self, raw: RawDocument) -> Receipt:
        """Commits a raw document; one that is known already changes nothing."""

    def load(self, name: str) -> Mapping[str, Any]:
        """Returns what was saved under that name, or an empty mapping."""

    def save(self, name: str, value: Mapping[str, Any]) -> None:
        """Replaces what is kept under that name."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What listening brought. `gaps` are stretches (microseconds since 1970) that the service no longer held."""

    seen: int
    kept: int
    broken: int
    reconnects: int
    gaps: Sequence[tuple[int, int]]
    failure: str
    receipt: Receipt | None


def listen(
    room: Room,
    clock: Clock,
    settings: DocumentSettings,
    window: Window,
    progress: Callable[[Capture], None] = lambda capture: None,
) -> Heard:
    """Listens to Bluesky from where it stopped, and moves on only after the market took what was heard."""
    kept = room.load("bluesky.position")
    known = dict.fromkeys(kept.get("followed", ()))
    listener = Listener(classifier(), clock, settings.jetstream_url, followed=known, progress=progress)
    capture = listener.listen(int(kept.get("cursor", 0)), window)
    receipt = room.ingest(capture.document(clock, settings.jetstream_url)) if capture.lines else None
    followed = list(listener.followed)[-FOLLOWED_KEPT:]
    room.save("bluesky.position", {"cursor": capture.cursor, "followed": followed, "gaps": capture.gaps})
    return Heard(
        capture.seen,
        len(capture.lines),
        capture.broken,
        capture.reconnects,
        tuple(capture.gaps),
        capture.failure,
        receipt,
    )


def read_feed(room: Room, clock: Clock, url: str, user_agent: str) -> Receipt | None:
    """Reads one feed, only if it changed since; None where it did not. Raises SourceErrors as the client does."""
    name = f"feed.{url}"
    etag = str(room.load(name).get("etag", ""))
    limits = Limits(per_minute=30.0, max_bytes=FEED_BYTES)
    host = urlsplit(url).hostname or ""
    with Client(f"feed.{host}", limits, room, clock, user_agent=user_agent) as client:
        answer = client.get(url, accept=feeds.ACCEPT, etag=etag)
    if answer.unchanged:
        return None
    receipt = room.ingest(
        RawDocument(
            content=answer.content,
            source=f"feed:{host}",
            parser=feeds.PARSER,
            observed_at=answer.observed_at,
            request=f"GET {url}",
            media_type=str(answer.headers.get("content-type", "")),
            headers=answer.headers,
            licence="the publisher's; titles and summaries are read, labelled and not shown",
            options={"feed": url, "classifier": CURRENT},
        )
    )
    room.save(name, {"etag": str(answer.headers.get("etag", ""))})
    return receipt


def search_x(room: Room, clock: Clock, settings: DocumentSettings, wanted: Search, user_agent: str) -> list[Receipt]:
    """Searches X from where it stopped. Raises ConfigError where it is off, OverBudget where the month is used up."""
    if not settings.x_key:
        raise ConfigError("X search is off: no key is set", hint="set x_key and x_monthly_micro_usd under [documents]")
    name = f"x.{wanted.query}"
    meter = Meter(room, settings.x_monthly_micro_usd, settings.x_price_micro_usd)
    keys = {"authorization": Secret(f"Bearer {settings.x_key.reveal()}")}
    with Client("x", Limits(per_minute=20.0), room, clock, user_agent=user_agent, secrets=keys) as client:
        documents, newest = search(client, meter, wanted, clock.now(), str(room.load(name).get("since_id", "")))
    receipts = [room.ingest(document) for document in documents]
    room.save(name, {"since_id": newest})
    return receipts
