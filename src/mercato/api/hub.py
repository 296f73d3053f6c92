"""The live hub: topics, bounded subscribers, messages encoded once and sent to everyone who listens.

Each message of a topic has a place in a short history. A page that lost its connection says where it was and gets
what it missed; where the history does not reach back so far, it is told to `resync`, and fetches itself anew.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mercato.api.metrics import Metrics
from mercato.core.errors import Conflict, InvalidInput, Transient

TOPIC = re.compile(r"[a-z][a-z0-9_.:/-]{0,99}")


class HubFull(Conflict, Transient):
    """The hub has as many subscribers as it may have; try again later."""

    code = "live-full"
    status = 503


@dataclass(frozen=True, slots=True)
class Message:
    """What pages receive: an event's name, a fragment rendered once, and numbers. Either part may be absent."""

    event: str
    html: str | None = None
    data: object = None

    def encode(self, cursor: str) -> str:
        """Returns the message as the JSON text that goes over the wire."""
        parts = {"event": self.event, "html": self.html, "data": self.data, "at": cursor}
        return json.dumps({key: value for key, value in parts.items() if value is not None}, separators=(",", ":"))


class Subscription:
    """One reader of some topics. It holds at most `depth` waiting messages; a slow reader loses the oldest."""

    def __init__(self, topics: frozenset[str], depth: int) -> None:
        self.topics = topics
        self.dropped = 0
        self._waiting: deque[str] = deque(maxlen=depth)
        self._arrived = asyncio.Event()

    def put(self, text: str) -> bool:
        """Adds a message, and says whether an older one had to go."""
        full = len(self._waiting) == self._waiting.maxlen
        self.dropped += full
        self._waiting.append(text)
        self._arrived.set()
        return full

    def take(self) -> str | None:
        """Returns the oldest waiting message, or None where none waits."""
        return self._waiting.popleft() if self._waiting else None

    async def next(self, seconds: float | None = None) -> str | None:
        """Returns the next message, or None where none came within `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                while not self._waiting:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            return None
        return self.take()


class Hub:
    """Fans messages out. Use it from one event loop only."""

    def __init__(
        self, *, limit: int = 2000, depth: int = 64, history: int = 256, metrics: Metrics | None = None
    ) -> None:
        self.limit, self.depth = limit, depth
        self._epoch = secrets.token_hex(4)
        self._count = 0
        self._subscribers: set[Subscription] = set()
        self._history: deque[tuple[int, str, str]] = deque(maxlen=history)
        self._metrics = metrics or Metrics()

    def __len__(self) -> int:
        return len(self._subscribers)

    def topics(self) -> frozenset[str]:
        """Returns the topics that someone listens to now; any thread may ask, to render nothing else."""
        return frozenset().union(*(item.topics for item in tuple(self._subscribers)))

    def subscribe(self, topics: Iterable[str], since: str = "") -> Subscription:
        """Returns a new subscription, with what it missed after `since` already waiting.

        InvalidInput where a topic is malformed or there are none or too many; HubFull where no place is left.
        """
        names = frozenset(topics)
        bad = sorted(name for name in names if not TOPIC.fullmatch(name))
        if bad or not 0 < len(names) <= 16:
            raise InvalidInput(
                f"topics were {bad or sorted(names)!r}", hint="1 to 16 of a-z, 0-9 and _.:/-, starting with a letter"
            )
        if len(self._subscribers) >= self.limit:
            raise HubFull(f"all {self.limit} live connections are taken", hint="the page reconnects by itself")
        item = Subscription(names, self.depth)
        for text in self._missed(names, since):
            item.put(text)
        self._subscribers.add(item)
        self._metrics.subscribers.set(len(self._subscribers))
        return item

    def drop(self, item: Subscription) -> None:
        """Forgets a subscription."""
        self._subscribers.discard(item)
        self._metrics.subscribers.set(len(self._subscribers))

    def publish(self, topic: str, message: Message) -> int:
        """Sends a message to everyone who listens to the topic; returns how many that were."""
        self._count += 1
        text = message.encode(self.cursor)
        self._history.append((self._count, topic, text))
        self._metrics.messages.inc()
        readers = [item for item in self._subscribers if topic in item.topics]
        for item in readers:
            if item.put(text):
                self._metrics.dropped.inc()
        return len(readers)

    @property
    def cursor(self) -> str:
        """Returns the place of the newest message; a restarted process starts a new row of places."""
        return f"{self._epoch}.{self._count}"

    def _missed(self, topics: frozenset[str], since: str) -> Sequence[str]:
        """Returns what was published after `since`, or one `resync` where that is not known any more."""
        if not since:
            return ()
        epoch, _, count = since.partition(".")
        oldest = self._history[0][0] if self._history else self._count + 1
        if epoch != self._epoch or not count.isdecimal() or int(count) < oldest - 1:
            return (Message("resync").encode(self.cursor),)
        return [text for at, topic, text in self._history if at > int(count) and topic in topics]
