"""Canaries on their way: asked over the gateway's own API as a user's questions are, when the hour's secret says so."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mercato.compute.gateway.catalogue import Catalogue
from mercato.compute.verify import canary, synced
from mercato.compute.verify.canary import Draw
from mercato.compute.verify.known import Known
from mercato.compute.verify.sampling import Secret
from mercato.core.clock import Clock

if TYPE_CHECKING:
    import aiohttp

    from mercato.compute.settings import Auditing

SECONDS = 300
TOGETHER = 16  # questions under way at once; what is due beyond waits
log = logging.getLogger("mercato.compute.verify")


class Canaries:
    """Asks each provider now and then. `secrets` are those of the hours, by number; `base` is where the gateway is;
    `before` names the canaries of `known` that a provider was asked: it may remember them, so none is asked it twice.

    The name of a draw is the request's idempotency key: of several workers that ask, one is served.
    """

    def __init__(
        self, base: str, wanted: Auditing, catalogue: Catalogue, clock: Clock,
        secrets: Callable[[], Mapping[int, Secret]], known: Known | None = None, *,
        before: Callable[[str], Iterable[str]] = lambda provider: (),
    ) -> None:  # fmt: skip
        self._url, self._wanted, self._catalogue = f"{base}/chat/completions", wanted, catalogue
        self._clock, self._secrets, self._known, self._before = clock, secrets, known or Known(), before
        self._sent: defaultdict[str, set[str]] = defaultdict(set)  # by provider: those whose audit may be to come
        self._room = asyncio.Semaphore(TOGETHER)
        self._asking: set[asyncio.Task[int]] = set()

    async def run(self) -> None:
        """Asks for ever, each provider about as often in an hour as the settings say, at moments nobody can foresee."""
        import aiohttp

        headers = {"authorization": f"Bearer {self._wanted.canary_key.reveal()}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            done = self._second()
            try:
                while True:
                    await asyncio.sleep(1)
                    start, done = done, max(done, self._second())
                    for draw in self.due(start, done):
                        self._begin(session, draw)
            finally:
                for task in self._asking:
                    task.cancel()

    def due(self, start: int, end: int) -> list[Draw]:
        """Returns whom to ask in the seconds since 1970 from `start` up to before `end`."""
        models = self._catalogue.models()
        pairs = sorted((one.provider.id, model) for model, each in models.items() for one in each)
        hours = {second // canary.HOUR for second in (start, end - 1)}
        secrets = [secret for epoch, secret in self._secrets().items() if epoch in hours]
        return [draw for it in secrets for draw in canary.due(it, pairs, start, end, self._wanted.canaries)]

    def body(self, draw: Draw, before: frozenset[str] = frozenset()) -> dict[str, Any] | None:
        """Returns what is asked, none of what was asked `before`; None where there is nothing to ask."""
        offers = [it.offer for it in self._catalogue.candidates(draw.model) if it.provider.id == draw.provider]
        warm = any(synced.FEATURE in offer.features for offer in offers)
        judged = bool(self._wanted.checker)
        return canary.asked(draw, self._known.of(draw.model, but=before), judged=judged, synced=warm)

    async def ask(self, session: aiohttp.ClientSession, draw: Draw) -> int:
        """Asks one question; returns the status. Whoever does not answer is judged by the router."""
        import aiohttp

        known, sent = self._known.of(draw.model), self._sent[draw.provider]
        before = frozenset(await asyncio.to_thread(self._before, draw.provider) if known else ())
        body = self.body(draw, before | sent)
        if body is None:
            return 0
        if it := self._known.found(draw.model, body):
            sent.add(it.id)
        timeout, headers = aiohttp.ClientTimeout(total=SECONDS), {"idempotency-key": draw.seed}
        try:
            async with self._room, session.post(self._url, json=body, headers=headers, timeout=timeout) as answer:
                await answer.read()
                if answer.status == 402:
                    log.warning("the canaries' account has nothing left: nobody is asked")
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    def _begin(self, session: aiohttp.ClientSession, draw: Draw) -> None:
        task = asyncio.create_task(self.ask(session, draw))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    def _second(self) -> int:
        return int(self._clock.now().timestamp())
