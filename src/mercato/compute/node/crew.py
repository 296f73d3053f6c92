"""All ways of a node to one gateway: one for each of its workers, which share an address.

Nobody can choose at which worker a connection ends. So each way dials until it meets a worker that has none of ours: a
worker that has one says so, and the way tries again after a pause.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from mercato.compute.node.dial import Dialler

MOST = 64  # workers that a gateway may claim to have


class Crew:
    """The ways of one gateway. `make` gives one that tells the number of workers that it learns of."""

    def __init__(self, make: Callable[[Callable[[int], None]], Dialler]) -> None:
        self._make = make
        self._ways = [make(self._learn)]
        self._tasks: set[asyncio.Task[None]] = set()
        self._wanted, self._news = 1, asyncio.Event()

    async def run(self) -> None:
        """Keeps all ways open. Returns after `leave`; Conflict where the gateway will not have this node."""
        self._tasks = {asyncio.create_task(way.run()) for way in self._ways}
        try:
            while self._tasks:
                news = asyncio.create_task(self._news.wait())
                done, _ = await asyncio.wait({*self._tasks, news}, return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
                for task in self._tasks & done:
                    task.result()
                self._tasks -= done
                self._grow()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def leave(self, seconds: float) -> None:
        """Takes no more requests, lets those under way end for so long, and hangs up everywhere."""
        self._wanted = 0
        await asyncio.gather(*(way.leave(seconds) for way in self._ways))

    def _learn(self, workers: int) -> None:
        if self._wanted < workers <= MOST and self._wanted:
            self._wanted = workers
            self._news.set()

    def _grow(self) -> None:
        self._news.clear()
        while len(self._ways) < self._wanted:
            self._ways.append(self._make(self._learn))
            self._tasks.add(asyncio.create_task(self._ways[-1].run()))
