"""The courier of one worker: asks the nodes that dialled it for the reports that a job wants. It judges nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from mercato.compute.errors import Unproven, Unreached
from mercato.compute.gateway.line import Line
from mercato.compute.model import ProviderId
from mercato.compute.tee import challenges, report
from mercato.compute.tee.asking import PATIENCE, fetched
from mercato.compute.tee.challenges import Challenge
from mercato.store.bare import Bare

PAUSE = 5.0  # seconds
MOST = 1 << 20  # octets of a report that lies in the store until the job takes it
log = logging.getLogger("mercato.compute.tee")


class Courier:
    """Brings reports of nodes; `line` knows the way to those that are connected here, `algorithm` is of their keys."""

    def __init__(self, url: str, line: Callable[[ProviderId], Line | None], algorithm: str) -> None:
        self._url, self._line, self._algorithm = url, line, algorithm

    async def run(self) -> None:
        """Brings what is wanted, for ever."""
        while True:
            try:
                await self.turn()
            except Exception:  # the database may be away for a while; the next look finds what is wanted then
                log.exception("reports of nodes have to wait")
            await asyncio.sleep(PAUSE)

    async def turn(self) -> int:
        """Brings what is wanted now; returns how many reports."""
        wanted = [(it, line) for it in await asyncio.to_thread(self._wanted) if (line := self._line(it.provider))]
        return sum(await asyncio.gather(*(self._bring(*each) for each in wanted)))

    async def _bring(self, one: Challenge, line: Line) -> bool:
        try:
            path = report.address(report.PATH, one.upstream, one.nonce, self._algorithm)
            status, raw = await fetched(line, path, PATIENCE, MOST)
        except (Unproven, Unreached) as error:
            log.warning("node %s showed no report: %s", one.provider, error.message)
            return False
        await asyncio.to_thread(self._keep, one, raw if status == 200 else b"")
        return True

    def _wanted(self) -> list[Challenge]:
        with Bare(self._url) as bare:
            return challenges.waiting(bare)

    def _keep(self, one: Challenge, raw: bytes) -> None:
        with Bare(self._url) as bare, bare.transaction():
            challenges.answer(bare, one, raw)
