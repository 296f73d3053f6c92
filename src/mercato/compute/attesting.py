"""The check of trusted machines put together: settings -> places, collateral, policy -> findings in the store.

It runs as a job, or by `mercato compute attest`, and never in a worker of the gateway, which only reads what was found.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from mercato.compute.errors import Unreached
from mercato.compute.gateway.catalogue import named
from mercato.compute.gateway.upstream import Connections, HttpLine
from mercato.compute.tee import findings, report
from mercato.compute.tee.collateral import Collateral
from mercato.compute.tee.inspector import Inspector, Place, due
from mercato.compute.tee.words import Finding, Policy, Software
from mercato.core.clock import Clock
from mercato.core.secret import Secret
from mercato.store.bare import Bare

if TYPE_CHECKING:
    from mercato.compute.settings import Attesting, ComputeSettings, Upstream

FOLDER = "collateral"
TOGETHER = 8
log = logging.getLogger("mercato.compute.tee")


class Attestation:
    """Who has to prove itself by the settings, and by what. `home` is the data folder; `root` is for tests only, see
    `quote.measured`."""

    def __init__(
        self, url: str, home: Path, wanted: ComputeSettings, clock: Clock, *, root: bytes | None = None
    ) -> None:
        self._url, self._home, self._wanted, self._clock, self._root = url, home, wanted, clock, root

    def check(self, *, everybody: bool = False) -> list[Finding]:
        """Checks whoever is due, or everybody, and keeps what was found; returns it. Blocks."""
        claiming = {name: one for name, one in self._wanted.upstreams.items() if one.tee is not None}
        if not claiming:
            return []
        now, every = self._clock.now(), timedelta(minutes=self._wanted.tee.minutes)
        with Bare(self._url) as bare, bare.read():
            holding = findings.holding(bare, now)  # what was ended before its time is due again
        last = {pair: found.at for pair, found in holding.items()}
        wanted = {
            name: [it for it in one.models if everybody or due(last.get((named(name), it)), now, every)]
            for name, one in claiming.items()
        }
        return asyncio.run(self._checked(claiming, wanted, holding)) if any(wanted.values()) else []

    async def _checked(
        self, claiming: Mapping[str, Upstream], wanted: Mapping[str, Sequence[str]],
        holding: Mapping[findings.Pair, Finding],
    ) -> list[Finding]:  # fmt: skip
        async with AsyncExitStack() as opened:
            inspector = await self._inspector(opened)
            room = asyncio.Semaphore(TOGETHER)

            async def look(place: Place) -> Finding | None:
                try:
                    async with room:
                        return await inspector.look(place)
                except Unreached as error:  # what was proven before is taken as long as it was to be
                    log.warning("%s was not checked for %s: %s", place.provider, place.model, error.message)
                    known = (place.provider, place.model) in holding
                    return None if known else inspector.unreached(place, error)

            places = [await self._place(opened, name, claiming[name], it) for name in wanted for it in wanted[name]]
            found = [it for it in await asyncio.gather(*map(look, places)) if it is not None]
        with Bare(self._url) as bare, bare.transaction():
            for one in found:
                findings.write(bare, one)
        return found

    async def _inspector(self, opened: AsyncExitStack) -> Inspector:
        tee = self._wanted.tee
        server = root = None
        if tee.pccs:
            server = await _line(opened, tee.pccs.rstrip("/"), Secret(""), private=tee.private)
            root = await _line(opened, tee.root_crl, Secret(""), private=tee.private)
        hold = timedelta(minutes=tee.hold)
        collateral = Collateral(self._home / FOLDER, server, root)
        return Inspector(collateral, policy(tee), self._clock, hold, root=self._root)

    async def _place(self, opened: AsyncExitStack, name: str, one: Upstream, model: str) -> Place:
        assert one.tee is not None, "only such are asked"
        line = await _line(opened, one.url, one.key, private=one.private)
        upstream = one.models[model].upstream or model
        return Place(named(name), model, upstream, line, one.tee.report, one.tee.signing, one.tee.software)


def policy(wanted: Attesting) -> Policy:
    """Returns what is taken."""
    software = tuple(
        Software(name, one.mrtd, (one.rtmr0, one.rtmr1, one.rtmr2, one.rtmr3), one.config)
        for name, one in wanted.software.items()
    )
    return Policy(wanted.statuses, wanted.advisories, software)


async def _line(opened: AsyncExitStack, url: str, key: Secret, *, private: bool) -> HttpLine:
    connections = await opened.enter_async_context(Connections(private=private))
    return HttpLine(url, key, connections=connections, most=2 * report.MOST)
