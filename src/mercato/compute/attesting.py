"""The check of trusted machines put together: settings -> places, collateral, policy -> findings in the store.

It runs as a job, or by `mercato compute attest`, and never in a worker of the gateway, which only reads what was found.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Mapping, Sequence, Set
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from mercato.compute import roster
from mercato.compute.errors import Unreached
from mercato.compute.gateway.catalogue import named
from mercato.compute.gateway.upstream import Connections, HttpLine
from mercato.compute.tee import challenges, findings, report
from mercato.compute.tee.challenges import Challenge
from mercato.compute.tee.collateral import Collateral
from mercato.compute.tee.inspector import Inspector, Place, due
from mercato.compute.tee.words import FEATURE, NONCE, Finding, Policy, Software
from mercato.core.clock import Clock
from mercato.core.errors import ConfigError
from mercato.core.secret import Secret
from mercato.store.bare import Bare

if TYPE_CHECKING:
    from mercato.compute.settings import Attesting, ComputeSettings

FOLDER = "collateral"
TOGETHER = 8
MOST_NODES = 200  # offers of nodes that are checked at all: their reports pass through the store
log = logging.getLogger("mercato.compute.tee")


class Attestation:
    """Who has to prove itself by the settings, and by what. `home` is the data folder; `root` is for tests only, see
    `quote.measured`."""

    def __init__(
        self, url: str, home: Path, wanted: ComputeSettings, clock: Clock, *, root: bytes | None = None
    ) -> None:
        self._url, self._home, self._wanted, self._clock, self._root = url, home, wanted, clock, root

    def check(self, *, everybody: bool = False) -> list[Finding]:
        """Checks whoever is due, or every upstream, and keeps what was found; returns it. Blocks.

        Nodes are asked by the worker that they dialled: what came of the last time is judged, and who is due is asked.
        """
        now, every = self._clock.now(), timedelta(minutes=self._wanted.tee.minutes)
        claiming = {name: one for name, one in self._wanted.upstreams.items() if one.tee is not None}
        if not claiming and self._wanted.tee.nodes == "off":
            return []
        shown: list[Challenge] = []
        with Bare(self._url) as bare:
            holding = findings.holding(bare, now)  # what was ended before its time is due again
            late = {pair for pair, found in holding.items() if not due(found.at, now, every)}
            if self._wanted.tee.nodes != "off":
                with bare.transaction():
                    shown = challenges.take(bare, now)
                    self._pose(bare, late | {(it.provider, it.model) for it in shown}, now)
        wanted = [
            (name, model) for name, one in claiming.items() for model in one.models
            if everybody or (named(name), model) not in late
        ]  # fmt: skip
        return asyncio.run(self._checked(wanted, shown, holding)) if wanted or shown else []

    def _pose(self, bare: Bare, late: Set[findings.Pair], now: datetime) -> None:
        """Asks the nodes whose offers say that they are in a trusted machine, but those that were asked of late."""
        listed = {named(name) for name in self._wanted.upstreams}
        claims = [it for _, it in roster.pairs(bare, now) if FEATURE in it.features and it.provider not in listed]
        for one in claims[:MOST_NODES]:
            if (one.provider, one.model) not in late:
                nonce = secrets.token_bytes(NONCE)
                challenges.pose(bare, Challenge(one.provider, one.model, one.upstream or one.model, nonce), now)

    async def _checked(
        self, wanted: Sequence[tuple[str, str]], shown: Sequence[Challenge], holding: Mapping[findings.Pair, Finding]
    ) -> list[Finding]:
        async with AsyncExitStack() as opened:
            inspector, room = await self._inspector(opened), asyncio.Semaphore(TOGETHER)

            async def look(place: Place, one: Challenge | None = None) -> Finding | None:
                try:
                    async with room:
                        if one is None:
                            return await inspector.look(place)
                        if one.report is None:
                            raise Unreached("left", "node showed no report in time")
                        return await inspector.judge(place, one.nonce, one.report)
                except (Unreached, ConfigError) as error:  # what was proven before is taken as long as it was to be
                    log.warning("%s was not checked for %s: %s", place.provider, place.model, error.message)
                    known = (place.provider, place.model) in holding
                    return None if known else inspector.unreached(place, error)

            places = [await self._place(opened, *each) for each in wanted]
            nodes = [(Place(it.provider, it.model, it.upstream, algorithm=self._wanted.tee.nodes), it) for it in shown]
            looks = [*(look(place) for place in places), *(look(*each) for each in nodes)]
            found = [it for it in await asyncio.gather(*looks) if it is not None]
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

    async def _place(self, opened: AsyncExitStack, name: str, model: str) -> Place:
        one = self._wanted.upstreams[name]
        assert one.tee is not None, "only such are asked"
        line = await _line(opened, one.url, one.key, private=one.private)
        upstream = one.models[model].upstream or model
        return Place(named(name), model, upstream, line, one.tee.report, one.tee.signing, one.tee.software)


def policy(wanted: Attesting) -> Policy:
    """Returns what is taken."""
    software = tuple(
        Software(name, one.mrtd, (one.rtmr0, one.rtmr1, one.rtmr2, one.rtmr3), one.config, one.models)
        for name, one in wanted.software.items()
    )
    return Policy(wanted.statuses, wanted.advisories, software)


async def _line(opened: AsyncExitStack, url: str, key: Secret, *, private: bool) -> HttpLine:
    connections = await opened.enter_async_context(Connections(private=private))
    return HttpLine(url, key, connections=connections, most=2 * report.MOST)
