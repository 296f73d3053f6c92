"""Listens to Bluesky's public Jetstream for a while and keeps the events that matter, as they came.

The position is the `time_us` of the last event seen. After a cut it connects again a few seconds earlier and drops what
it has seen, as the service advises. Where the service no longer holds the events after the position, the missing
stretch is reported as a gap, never papered over.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from mercato.core.clock import Clock
from mercato.core.errors import SourceError
from mercato.market.connectors.documents.bluesky import COLLECTIONS, LIKE, POST, REPOST, STREAM
from mercato.market.connectors.narratives import CURRENT, Classifier
from mercato.market.model import RawDocument

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

ENDPOINT = "wss://jetstream2.us-west.bsky.network/subscribe"
LICENCE = "Bluesky public network data; texts belong to their authors"
REWIND_US = 5_000_000
GAP_US = 60_000_000
LARGEST_MESSAGE = 1_000_000
MOST_FOLLOWED = 200_000  # posts whose likes are kept
BROKEN_KEPT = 100


@dataclass(frozen=True, slots=True)
class Window:
    """How long to listen: until that many seconds passed, or so many events were seen or bytes kept."""

    seconds: float = 60.0
    events: int = 1_000_000
    kept_bytes: int = 32_000_000
    attempts: int = 6
    quiet_seconds: float = 30.0


@dataclass(slots=True)
class Capture:
    """What was heard: the kept lines, how many events were seen, the position, and the gap where there was one."""

    cursor: int
    lines: list[str] = field(default_factory=list)
    seen: int = 0
    size: int = 0
    broken: int = 0
    reconnects: int = 0
    gaps: list[tuple[int, int]] = field(default_factory=list)
    failure: str = ""

    def document(self, clock: Clock, endpoint: str = ENDPOINT) -> RawDocument:
        """Returns the kept lines as a raw document; its options say what was seen and what is missing."""
        return RawDocument(
            content="".join(f"{line}\n" for line in self.lines).encode(),
            source="bluesky",
            parser=STREAM,
            observed_at=clock.now(),
            request=f"{endpoint} {', '.join(COLLECTIONS)}",
            media_type="application/x-ndjson",
            licence=LICENCE,
            options={
                "classifier": CURRENT,
                "seen": str(self.seen),
                "cursor": str(self.cursor),
                "gaps": ",".join(f"{start}-{end}" for start, end in self.gaps),
            },
        )


class Listener:
    """Listens on one endpoint. `followed` are the addresses of posts whose likes and reposts are wanted too."""

    def __init__(
        self,
        rules: Classifier,
        clock: Clock,
        endpoint: str = ENDPOINT,
        *,
        followed: dict[str, None] | None = None,
        chance: random.Random | None = None,
        progress: Callable[[Capture], None] = lambda capture: None,
    ) -> None:
        self.rules, self.clock, self.endpoint, self.progress = rules, clock, endpoint, progress
        self.followed = dict(followed or {})
        self._chance = chance or random.Random()
        self._recent: dict[str, None] = {}

    def listen(self, cursor: int, window: Window) -> Capture:
        """Returns what was heard from `cursor` on (0: from now). A service that stays away is told in `failure`."""
        capture, failures = Capture(cursor), 0
        end = self.clock.now().timestamp() + window.seconds
        while not self._done(capture, window, end):
            before = capture.seen
            try:
                self._hear(capture, window, end)
            except _Cut as error:
                failures = 1 if capture.seen > before else failures + 1
                capture.failure = str(error)
                if failures >= window.attempts:
                    break
                capture.reconnects += 1
                self.clock.sleep(min(30.0, 2.0**failures) * self._chance.uniform(0.5, 1.0))
            else:
                capture.failure = ""
        return capture

    def _hear(self, capture: Capture, window: Window, end: float) -> None:
        with closing(self._messages(capture, window, end)) as messages:
            for message in messages:
                self._take(capture, message)
                if self._done(capture, window, end):
                    return

    def _done(self, capture: Capture, window: Window, end: float) -> bool:
        over = self.clock.now().timestamp() >= end
        return over or capture.seen >= window.events or capture.size >= window.kept_bytes

    def _messages(self, capture: Capture, window: Window, end: float) -> Generator[str]:
        """Yields text messages until the window ends. Raises _Cut where the connection does."""
        from websockets.exceptions import WebSocketException
        from websockets.sync.client import connect

        try:
            with connect(
                self._address(capture.cursor), max_size=LARGEST_MESSAGE, open_timeout=20, close_timeout=2, proxy=None
            ) as socket:
                yield from _receive(socket, window.quiet_seconds, lambda: end - self.clock.now().timestamp())
        except (OSError, WebSocketException) as error:
            raise _Cut(f"{type(error).__name__}: {error}") from error

    def _address(self, cursor: int) -> str:
        query = [("wantedCollections", name) for name in COLLECTIONS]
        if cursor:
            query.append(("cursor", str(max(1, cursor - REWIND_US))))
        return f"{self.endpoint}?{urlencode(query)}"

    def _take(self, capture: Capture, message: str) -> None:
        try:
            event = json.loads(message)
            at = int(event["time_us"])
            key = _key(event)
        except (ValueError, KeyError, TypeError, RecursionError):
            capture.broken += 1
            if capture.broken <= BROKEN_KEPT:
                self._keep(capture, message[:1000].replace("\n", " ").replace("\r", " "))
            return
        if key in self._recent:
            return
        _remember(self._recent, key, MOST_FOLLOWED)
        if capture.cursor and at - capture.cursor > GAP_US:
            capture.gaps.append((capture.cursor, at))
        capture.cursor = max(capture.cursor, at)
        capture.seen += 1
        if self._matters(event):
            self._keep(capture, message)
        if capture.seen % 1000 == 0:
            self.progress(capture)

    def _keep(self, capture: Capture, line: str) -> None:
        line = line.replace("\n", " ")
        capture.lines.append(line)
        capture.size += len(line)

    def _matters(self, event: dict[str, Any]) -> bool:
        """Returns whether a post has a narrative, or a like, repost or answer is about a post that is followed."""
        commit = event.get("commit")
        if not isinstance(commit, dict) or commit.get("operation") != "create":
            return False
        record = commit.get("record")
        if not isinstance(record, dict):
            return True  # the parser says what is wrong with it
        collection = commit.get("collection")
        if collection in (LIKE, REPOST):
            return _uri(record.get("subject")) in self.followed
        if collection != POST:
            return False
        reply = record.get("reply")
        wanted = bool(self.rules.labels(str(record.get("text") or "")))
        if wanted:
            _remember(self.followed, f"at://{event.get('did')}/{POST}/{commit.get('rkey')}", MOST_FOLLOWED)
        return wanted or (isinstance(reply, dict) and _uri(reply.get("parent")) in self.followed)


class _Cut(SourceError):
    """The connection ended before the window did."""


def _receive(socket: ClientConnection, quiet: float, left: Callable[[], float]) -> Iterator[str]:
    while (rest := left()) > 0:
        try:
            message = socket.recv(timeout=min(quiet, rest))
        except TimeoutError:
            if left() <= 0:
                return
            raise _Cut(f"nothing was heard for {quiet:g} s") from None
        if isinstance(message, bytes):
            raise _Cut("a binary message came, although no compression was asked for")
        yield message


def _key(event: dict[str, Any]) -> str:
    commit = event.get("commit") or {}
    return "/".join(str(part) for part in (event["did"], commit.get("collection"), commit.get("rkey"),
                                           commit.get("operation"), commit.get("rev") or event["time_us"]))  # fmt: skip


def _uri(subject: object) -> str:
    return str(subject.get("uri")) if isinstance(subject, dict) else ""


def _remember(kept: dict[str, None], key: str, most: int) -> None:
    kept[key] = None
    if len(kept) > most:
        del kept[next(iter(kept))]
