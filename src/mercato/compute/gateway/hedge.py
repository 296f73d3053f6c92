"""Asks two providers for one answer, where the request wants it: a second one after a while, and the first answer wins.

Whoever is outrun is told to stop at that moment and is paid nothing, as nothing of its answer was delivered. Only
answers that come at once are asked for so: of a stream, words would have reached the client already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from mercato.compute.errors import Unreached
from mercato.compute.gateway.asker import Begun
from mercato.compute.gateway.job import Job
from mercato.compute.model import End
from mercato.compute.routing.router import Candidate

TOGETHER = 2
OUTRUN = "outrun"
Ask = Callable[[Job, Candidate], Coroutine[Any, Any, Begun]]
Ended = Callable[[Job, Candidate, End, str], None]


class Race:
    """One request on its way to at most two providers at once. `ask` asks one, and writes down how that failed; `ended`
    writes down how it ended otherwise, where it began and did not end. Each runs under a copy of the job, which shares
    its list of attempts."""

    def __init__(self, job: Job, ask: Ask, ended: Ended) -> None:
        self._job, self._ask, self._ended = job, ask, ended
        self._running: dict[asyncio.Task[Begun], tuple[Job, Candidate]] = {}
        self._won = False
        self.failed: list[Unreached] = []

    async def run(self, order: Sequence[Candidate], pause_ms: int) -> Begun | None:
        """Returns the first good answer; None where there is none, with the reasons in `failed`. The next provider is
        asked when one fails, and where the newest one took `pause_ms` milliseconds. Left where the client leaves, and
        Declined where the request was at fault."""
        loop, rest, due = asyncio.get_running_loop(), list(order), 0.0
        try:
            with self._job.client.waiting():
                while rest or self._running:
                    now, room = loop.time(), bool(rest) and len(self._running) < TOGETHER
                    if room and (not self._running or now >= due):
                        self._start(rest.pop(0))
                        due = now + pause_ms / 1000
                        continue
                    done, _ = await asyncio.wait(
                        self._running, timeout=due - now if room else None, return_when=asyncio.FIRST_COMPLETED
                    )
                    for task in done:
                        if begun := self._answered(task):
                            return begun
        finally:
            self._stop()
        return None

    def _start(self, candidate: Candidate) -> None:
        side = replace(self._job)
        task = asyncio.get_running_loop().create_task(self._ask(side, candidate))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # may fail when nobody waits for it
        self._running[task] = side, candidate

    def _answered(self, task: asyncio.Task[Begun]) -> Begun | None:
        """Returns the answer of a provider; None where it failed, so that another may be asked."""
        side, _ = self._running.pop(task)
        error = task.exception()
        if isinstance(error, Unreached):
            self.failed.append(error)
            return None
        if error is not None:
            raise error
        self._won, self._job.began = True, side.began
        return task.result()

    def _stop(self) -> None:
        """Ends what still runs, and writes it down at once: telling a provider to stop may take a while."""
        for task, (side, candidate) in self._running.items():
            self._ended(side, candidate, End.CLIENT_GONE, OUTRUN if self._won else "")
            task.cancel()
        self._running.clear()
