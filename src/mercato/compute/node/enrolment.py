"""The gateway's memory of nodes in its database: a `Roll` over the roster, in a thread of its own.

A key that nobody approved may come in where the settings say so, as PENDING, and only so many at once: keys cost
nothing to make.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TypeVar

from mercato.compute import roster
from mercato.compute.books import disputes
from mercato.compute.books.till import Till
from mercato.compute.model import PROVIDERS, ModelSpec, Provider, ProviderId, Receipt, Standing
from mercato.compute.node.offers import Offering
from mercato.compute.node.roll import REFUSED, Stranger
from mercato.compute.verify.standing import Event, step
from mercato.core.clock import Clock
from mercato.core.errors import Conflict, InvalidInput, NotFound
from mercato.core.events import Json
from mercato.store.bare import Bare

MOST_PENDING = 1_000
MOST_UNSIGNED = 500  # receipts that are shown again
MOST_OBJECTIONS = 1_000  # of one provider, undecided: more of them tell nothing new
TRIES = 5
KEY = re.compile(r"[0-9a-f]{64}")
T = TypeVar("T")
Slash = Callable[[Till, ProviderId, Mapping[str, Json], Mapping[str, Json]], object]


class Enrolment:
    """The roll in the till's database, whose connection it takes over. `welcome` lets keys in that nobody approved;
    `slash` takes a stake for two documents. Close it after use."""

    def __init__(
        self, till: Till, *, welcome: bool = False, specs: Mapping[str, ModelSpec], slash: Slash | None = None
    ) -> None:
        self._till, self._welcome, self._specs = till, welcome, specs
        self._slash = slash or _nobody
        self._bare, self._clock = till.bare, till.clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mercato-nodes")

    async def arrived(self, who: Stranger) -> Provider:
        """Returns the provider with that key, made PENDING where it is new; Conflict where it may not come in."""
        return await self._do(partial(self._arrived, who))

    async def offered(self, provider: ProviderId, offering: Offering) -> Provider:
        """Keeps a verified document of offers in the place of the last one; returns the provider as it stands now."""
        return await self._do(partial(self._offered, provider, offering))

    async def advanced(self, provider: ProviderId) -> Provider:
        """Moves a PENDING provider to PROBATION, after its first offer was tried; returns it as it stands now."""
        return await self._do(partial(self._advanced, provider))

    async def countersigned(self, provider: ProviderId, receipt: Receipt, signature: str) -> None:
        """Keeps the node's signature below a receipt's hash."""
        await self._do(partial(roster.countersign, self._bare, receipt.request, signature))

    async def unsigned(self, provider: ProviderId) -> list[Receipt]:
        """Returns receipts that a provider has not answered yet, the newest of the epoch that is open."""
        return await self._do(partial(roster.unsigned, self._bare, provider, MOST_UNSIGNED))

    async def objected(self, provider: ProviderId, receipt: Receipt, why: str) -> None:
        """Keeps that a node does not agree to a receipt, in its words."""
        work = partial(self._objected, provider, receipt, why)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._again, work)

    async def contradicted(
        self, provider: ProviderId, first: Mapping[str, Json], second: Mapping[str, Json]
    ) -> None:  # fmt: skip
        """Takes a provider's stake: it signed two documents that cannot both be true."""
        work = partial(self._slash, self._till, provider, first, second)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._again, work)

    def specs(self) -> Mapping[str, ModelSpec]:
        """Returns the models as they should be served, by id."""
        return self._specs

    async def close(self) -> None:
        """Closes the connection, after what is under way."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._bare.close)
        self._thread.shutdown()

    async def _do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._again, partial(self._once, work))

    def _once(self, work: Callable[[], T]) -> T:
        with self._bare.transaction():
            return work()

    def _again(self, work: Callable[[], T]) -> T:
        for left in range(TRIES, -1, -1):
            try:
                return work()
            except Exception as error:  # what a database raises differs; it says itself what may be tried again
                if not left or not self._bare.again(error):
                    raise
        raise AssertionError("the loop returns or raises")

    def _arrived(self, who: Stranger) -> Provider:
        bare, now = self._bare, self._clock.now()
        found = roster.by_key(bare, who.key)
        if found is None:
            if not self._welcome:
                hint = f"ask its operator for `mercato compute node approve {who.key}`"
                raise Conflict(f"key was {who.key!r}, which this gateway does not know", hint=hint)
            if roster.count(bare, Standing.PENDING) >= MOST_PENDING:
                raise Conflict("too many keys wait for their first trial", hint="try again later")
            found = Provider(PROVIDERS.new(), who.name, Standing.PENDING, key=who.key)
        if found.standing in REFUSED:
            raise Conflict(f"provider {found.id} was {found.standing.value}", hint="it may not offer here any more")
        given = found.name if found.name != who.key[:12] else ""  # what it was once called it stays
        name = given or who.name or who.key[:12]
        return roster.save(bare, replace(found, name=name, region=who.region, zdr=who.zdr), now, "dialled in")

    def _offered(self, provider: ProviderId, offering: Offering) -> Provider:
        now = self._clock.now()
        roster.offer(self._bare, provider, offering.offers)
        roster.seen(self._bare, provider, now)
        return self._one(provider)

    def _objected(self, provider: ProviderId, receipt: Receipt, why: str) -> None:
        known = disputes.listed(self._bare, provider)
        again = any(one.evidence.get("request") == receipt.request for one in known)
        if not again and len(known) < MOST_OBJECTIONS:
            disputes.objected(self._till, provider, receipt, why)

    def _advanced(self, provider: ProviderId) -> Provider:
        found = self._one(provider)
        standing, _ = step(found.standing, Event.OFFERED)
        roster.stand(self._bare, provider, standing, self._clock.now(), "its offers were tried once")
        return replace(found, standing=standing)

    def _one(self, provider: ProviderId) -> Provider:
        found = roster.one(self._bare, provider)
        if found is None:
            raise NotFound(f"provider was {provider!r}, which is not there any more", hint="dial in again")
        return found


def _nobody(till: Till, provider: ProviderId, first: Mapping[str, Json], second: Mapping[str, Json]) -> None:
    raise Conflict(f"provider {provider} contradicted itself", hint="nobody here takes a stake")


def checked(key: str) -> str:
    """Returns a node's public key in its one spelling; InvalidInput for text that is none."""
    if not KEY.fullmatch(key.lower()):
        raise InvalidInput(f"key was {key[:80]!r}", hint="64 letters of hexadecimal, from `mercato compute node key`")
    return key.lower()


def approve(bare: Bare, key: str, name: str, clock: Clock) -> Provider:
    """Writes a key down whose node may dial in; returns the provider, as it stands where it was known before."""
    known = checked(key)
    with bare.transaction():
        found = roster.by_key(bare, known)
        if found is not None:
            return found
        fresh = Provider(PROVIDERS.new(), name or known[:12], Standing.PENDING, key=known)
        return roster.save(bare, fresh, clock.now(), "approved by the operator")
