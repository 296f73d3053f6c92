"""An answer that comes as server-sent events: passed on event by event as it came, counted on the way.

The event that ends it, `[DONE]`, is held back for who settles; what comes after it is not read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from mercato.compute.errors import Unreached
from mercato.compute.gateway.asking import Voice
from mercato.compute.gateway.line import Reply
from mercato.compute.gateway.sse import DONE, Events
from mercato.compute.gateway.tally import Heard, Tally

#: Octets that may come before the first word, such as comments and the role.
MOST_HELD = 256 * 1024


class Stream:
    """One stream. `held` is what came up to the first word, `done` the event `[DONE]` once it came.

    `usage` passes on the event that holds nothing but the count of tokens, for clients that asked for it. With a
    `voice`, everything is passed on in its words.
    """

    def __init__(self, reply: Reply, tally: Tally, *, usage: bool, voice: Voice | None = None) -> None:
        self._chunks = reply.chunks()
        self.tally = tally
        self._events = Events()
        self._usage, self._voice = usage or voice is not None, voice
        self._words = False
        self._wrong: Unreached | None = None
        self.held = self.done = b""

    async def first(self) -> None:
        """Reads up to the first word; Unreached where there is none. Until then another provider may be asked."""
        async for chunk in self._chunks:
            self.held += self._take(chunk)
            if self._words:
                return
            if self._wrong:
                raise self._wrong
            if self.done:
                raise Unreached("protocol", "provider ended its answer without a word")
            if len(self.held) > MOST_HELD:
                raise Unreached("size", f"provider sent {MOST_HELD} octets without a word")
        raise Unreached("truncated", "provider's answer ended before its first word")

    async def rest(self) -> AsyncIterator[bytes]:
        """Yields the events that follow, up to the end; Unreached where it breaks off."""
        while not self.done:
            if self._wrong:
                raise self._wrong
            chunk = await anext(self._chunks, None)
            if chunk is None:
                break
            if out := self._take(chunk):
                yield out
        # Some engines close the stream without [DONE]: fine where every choice has ended, and none is made up.
        if not self.done and (not self.tally.whole or self._events.rest.strip()):
            raise Unreached("truncated", "provider's answer broke off")

    @property
    def last(self) -> bytes:
        """Returns what ends the stream: the provider's own `[DONE]`, if it sent one."""
        return self._voice.done() if self._voice else self.done

    def _take(self, chunk: bytes) -> bytes:
        """Returns what of the events that a chunk completes is passed on."""
        out: list[bytes] = []
        try:
            for event in self._events.feed(chunk):
                if event.data == DONE:
                    self.done = event.raw
                    break
                heard = self.tally.event(event.data) if event.data else Heard.OTHER
                self._words |= heard is Heard.WORDS
                if heard is not Heard.USAGE or self._usage:
                    out.append(self._voice.event(event.data) if self._voice else event.raw)
        except Unreached as error:  # what came before is passed on first
            self._wrong = error
        return b"".join(out) if len(out) != 1 else out[0]
