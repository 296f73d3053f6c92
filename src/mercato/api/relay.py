"""From the store's outbox to the hub: what any process committed reaches the pages that this process serves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from mercato.api.hub import Hub, Message
from mercato.api.metrics import Metrics

log = structlog.get_logger("mercato.relay")


class Event(Protocol):
    """What the relay reads of an outbox event."""

    @property
    def room(self) -> str:
        """Returns the room that the event comes from."""

    @property
    def kind(self) -> str:
        """Returns the event's name, such as `SegmentCommitted`."""

    @property
    def payload(self) -> Mapping[str, object]:
        """Returns the event's values."""


class Outbox(Protocol):
    """Where events come from. Both calls run in a thread."""

    def head(self) -> int:
        """Returns the place of the newest event."""

    def after(self, place: int, limit: int) -> Sequence[tuple[int, Event]]:
        """Returns the events after a place, oldest first, each with its own place."""

    def wait(self, seconds: float) -> None:
        """Returns when something may have been added, or after so many seconds."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of a page that an event makes new: who listens, the name it goes by (`data-live`), HTML or numbers."""

    topic: str
    name: str
    html: str | None = None
    data: object = None


#: A room's answer to one kind of event. It runs in a thread, once per event, whatever the number of open pages.
Renderer = Callable[[Event], Iterable[Fragment]]


class Relay:
    """Follows the outbox and publishes; a failing renderer loses its own fragment only."""

    def __init__(
        self, outbox: Outbox, hub: Hub, renderers: Mapping[str, Renderer], metrics: Metrics, *, seconds: float = 0.5
    ) -> None:
        self.outbox, self.hub, self.renderers, self.metrics, self.seconds = outbox, hub, renderers, metrics, seconds

    async def run(self) -> None:
        """Relays until it is cancelled. Starts at the newest event: older ones are already on the pages."""
        place = await asyncio.to_thread(self.outbox.head)
        while True:
            try:
                place = await self.step(place)
                await asyncio.to_thread(self.outbox.wait, self.seconds)
            except Exception as error:
                log.warning("the outbox could not be read", error=repr(error))
                await asyncio.sleep(2)

    async def step(self, place: int) -> int:
        """Relays what waits after `place`; returns the new place."""
        for at, event in await asyncio.to_thread(self.outbox.after, place, 500):
            place = at
            self.metrics.relayed.inc()
            self.hub.publish(event.room, Message(event.kind, data=dict(event.payload)))
            for item in await self._render(event):
                self.hub.publish(item.topic, Message(item.name, html=item.html, data=item.data))
        return place

    async def _render(self, event: Event) -> Sequence[Fragment]:
        renderer = self.renderers.get(event.kind)
        if renderer is None or not self.hub.topics():
            return ()
        try:
            return await asyncio.to_thread(lambda: tuple(renderer(event)))
        except Exception as error:
            log.warning("a live fragment was not rendered", kind=event.kind, error=repr(error))
            return ()
