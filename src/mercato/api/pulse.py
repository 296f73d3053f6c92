"""What changes without an event of its own: read every few seconds while somebody looks, rendered once for all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from mercato.api.hub import Hub, Message

log = structlog.get_logger("mercato.pulse")


@dataclass(frozen=True, slots=True)
class Pulse:
    """A fragment that is made anew after so many seconds; `make` runs in a thread."""

    topic: str
    name: str
    seconds: float
    make: Callable[[], str]

    async def run(self, hub: Hub) -> None:
        """Publishes it for ever, where it changed; makes nothing while nobody listens to its topic."""
        last = ""
        while True:
            await asyncio.sleep(self.seconds)
            if self.topic not in hub.topics():
                last = ""
                continue
            try:
                html = await asyncio.to_thread(self.make)
            except Exception as error:  # the database may be away for a while; the page stays as it is
                log.warning("a pulse was not rendered", name_of=self.name, error=repr(error))
                continue
            if html != last:
                last = html
                hub.publish(self.topic, Message(self.name, html=html))
