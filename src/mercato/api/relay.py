"""From the outbox to the hub: what any process committed reaches the pages that this process serves.

A worker's feed reads the outbox in its own thread, waits for news there, and calls the relay with each event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from mercato.api.hub import Hub, Message
from mercato.api.metrics import Metrics

log = structlog.get_logger("mercato.relay")


class Event(Protocol):
    """What the relay reads of an event that left the outbox."""

    @property
    def name(self) -> str:
        """Returns the room and the event, such as `market.SegmentCommitted`."""

    @property
    def body(self) -> Mapping[str, Any]:
        """Returns the event's own fields."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of a page that an event makes new: who listens, the name it goes by (`data-live`), HTML or numbers."""

    topic: str
    name: str
    html: str | None = None
    data: object = None


Renderer = Callable[[Any], Iterable[tuple[str, str, str]]]
"""A room's answer to one kind of event: (topic, name, html) for each fragment that it makes new. It runs in a
worker's thread, once per event, whatever the number of open pages."""


class Relay:
    """Publishes each event to the topic of its room, and the fragments that the rooms render for it.

    Call it from any thread; the hub is only touched on its own event loop. A failing renderer loses its own
    fragments and nothing else.
    """

    def __init__(
        self, hub: Hub, loop: asyncio.AbstractEventLoop, renderers: Mapping[str, Renderer], metrics: Metrics
    ) -> None:
        self.hub, self.loop, self.renderers, self.metrics = hub, loop, renderers, metrics

    def __call__(self, event: Event) -> None:
        """Takes one event, in the order of the outbox."""
        room, _, kind = event.name.partition(".")
        made = [Fragment(room, kind, data=dict(event.body)), *self._render(event)]
        self.loop.call_soon_threadsafe(self._publish, made)

    def _publish(self, fragments: Iterable[Fragment]) -> None:
        self.metrics.relayed.inc()
        for item in fragments:
            self.hub.publish(item.topic, Message(item.name, html=item.html, data=item.data))

    def _render(self, event: Event) -> list[Fragment]:
        renderer = self.renderers.get(event.name)
        if renderer is None or not self.hub.topics():
            return []
        try:
            return [Fragment(topic, name, html) for topic, name, html in renderer(event)]
        except Exception as error:
            log.warning("a live fragment was not rendered", event_name=event.name, error=repr(error))
            return []
