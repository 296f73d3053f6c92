"""Verification put together for one worker of the gateway: what it shares with others, the auditor, the canaries."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from random import SystemRandom
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mercato.compute.books.keys import found
from mercato.compute.books.till import Till
from mercato.compute.gateway.asking import Asked
from mercato.compute.gateway.catalogue import Catalogue, Pair, named
from mercato.compute.gateway.line import Line
from mercato.compute.model import Need, Provider, ProviderId, Receipt, Surface
from mercato.compute.routing.router import Candidate, Counts, Router
from mercato.compute.verify import exhibit
from mercato.compute.verify.auditor import Auditor, Verdict
from mercato.compute.verify.canary import question
from mercato.compute.verify.checker import Reference
from mercato.compute.verify.evidence import Test
from mercato.compute.verify.liaison import Liaison
from mercato.compute.verify.match import Cut
from mercato.compute.verify.rate import Rates
from mercato.compute.verify.record import Judge
from mercato.core.errors import ConfigError

if TYPE_CHECKING:
    import aiohttp

    from mercato.compute.settings import Auditing, ComputeSettings

PAUSE = 2.0  # seconds between looks at what other workers and auditors did
log = logging.getLogger("mercato.compute.verify")


def judge(wanted: Auditing) -> Judge:
    """Returns what audits are judged by."""
    test = Test(honest=wanted.honest, alpha=wanted.alpha, horizon=wanted.horizon)
    return Judge(test, Cut(wanted.rate, wanted.alike), Rates(least=wanted.least))


def reference(wanted: ComputeSettings, line: Callable[[ProviderId], Line | None]) -> Reference:
    """Returns the checker of the settings; `line` knows the way to it."""
    name = wanted.audit.checker
    way = line(named(name))
    assert way is not None, "settings have checked the name"
    models = {model: one.upstream or model for model, one in wanted.upstreams[name].models.items()}
    return Reference(name, named(name), way, models)


class Verification:
    """Runs beside one worker's requests. Without a checker it only shares health and standings.

    `line` knows the way to a provider, `told` hears of every verdict of this worker.
    """

    def __init__(
        self, wanted: ComputeSettings, till: Till, url: str, router: Router, settled: Sequence[Pair],
        line: Callable[[ProviderId], Line | None], told: Callable[[Verdict], None] = lambda verdict: None,
    ) -> None:  # fmt: skip
        self.judge = judge(wanted.audit) if wanted.audit.checker else None
        providers = list({pair[0].id: pair[0] for pair in settled}.values())
        self.liaison = Liaison(url, till.clock, f"worker-{secrets.token_hex(8)}", self.judge, settled=providers)
        checker = wanted.upstreams.get(wanted.audit.checker)
        self._judged = frozenset(checker.models) if checker else frozenset()
        self._wanted, self._till, self._router, self._line, self._told = wanted, till, router, line, told
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mercato-liaison")
        self._auditor: Auditor | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self._look({})
        self._tasks = [asyncio.create_task(self._share())]
        if self.judge is not None:
            checker = reference(self._wanted, self._line)
            witness = await asyncio.to_thread(self._witness)
            self._auditor = Auditor(self._till, checker, self.judge, told=self._heard, witness=witness)
            self._tasks.append(asyncio.create_task(self._auditor.run()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        """Waits for the threads, which a cancelled task leaves at their work, then closes what they used."""
        self._thread.shutdown()
        self.liaison.close()
        if self._auditor is not None:
            self._auditor.close()
        self._till.close()

    async def _look(self, counts: Mapping[ProviderId, Counts]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self.liaison.look, counts)

    def standing(self, pairs: Iterable[Pair]) -> list[Pair]:
        """Returns providers with the standing that the store has of them, where it has one, without the checker: it
        judges others and serves nobody."""
        known, checker = self.liaison.view.standings, named(self._wanted.audit.checker)
        return [(replace(it, standing=known.get(it.id, it.standing)), offer) for it, offer in pairs if it.id != checker]

    def moved(self, providers: Sequence[Provider]) -> list[Provider]:
        """Returns those of some providers that stand elsewhere than they did, as they stand now."""
        known = self.liaison.view.standings
        return [
            replace(it, standing=known[it.id]) for it in providers if known.get(it.id, it.standing) is not it.standing
        ]

    def verified(self, asked: Asked, candidate: Candidate) -> str:
        """Returns how an answer is verified, for who asks: `always`, `sampled` or `none`, then the provider's standing.

        `none` is also told of what no reference could judge. What an answer turns out to hold, such as calls, may still
        keep it from being judged.
        """
        need, provider = asked.need, candidate.provider
        allowed = need.wish.verify != "none" and not need.wish.zdr
        word = "none"
        if allowed and need.model in self._judged and need.surface is Surface.CHAT and exhibit.judged(asked.body.get):
            sure = need.wish.verify == "always" or self.liaison.view.shares.get(provider.id, 1.0) >= 1
            word = "always" if sure else "sampled"
        return f"{word}; standing={provider.standing.value}"

    def packed(self, need: Need, body: str, answer: str, calls: int) -> bytes:
        """Returns what an auditor would need of a request; nothing where there is none."""
        return b"" if self.judge is None else exhibit.packed(need, body, answer, calls=calls)

    def _witness(self) -> Callable[[Receipt], bool]:
        """Returns whose answers are evidence; ConfigError where the canaries' key is not one of ours."""
        audit = self._wanted.audit
        if audit.witnesses == "all":
            return lambda receipt: True
        key = found(self._till.bare, audit.canary_key.reveal())
        if key is None:
            raise ConfigError("key of the canaries was not known", hint="make one: mercato compute keys make ACCOUNT")
        return lambda receipt: receipt.key == key.id

    def _heard(self, verdict: Verdict) -> None:
        self._told(verdict)
        if verdict.verdict != "void":
            self._router.judged(verdict.provider, verdict.verdict == "pass")

    async def _share(self) -> None:
        while True:
            await asyncio.sleep(PAUSE)
            try:
                await self._look(self._router.counts())
                self.liaison.teach(self._router)
            except Exception:  # the database may be away for a while; what was known holds until it is back
                log.exception("what other workers know has to wait")


class Canaries:
    """Asks each provider now and then, over the gateway's own API, as a user would."""

    def __init__(self, base: str, wanted: Auditing, catalogue: Catalogue) -> None:
        self._url, self._wanted, self._catalogue = f"{base}/chat/completions", wanted, catalogue
        self._rng = SystemRandom()

    async def run(self) -> None:
        """Asks for ever, each provider about as often in an hour as the settings say, at moments nobody can foresee."""
        import aiohttp

        headers = {"authorization": f"Bearer {self._wanted.canary_key.reveal()}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            while True:
                asked = [(one.provider.id, model) for model, each in self._catalogue.models().items() for one in each]
                each = max(1, len(asked)) * self._wanted.canaries
                await asyncio.sleep(self._rng.expovariate(each / 3600))
                if asked:
                    await self.ask(session, *self._rng.choice(asked))

    async def ask(self, session: aiohttp.ClientSession, provider: str, model: str) -> int:
        """Asks one question; returns the status. Whoever does not answer is judged by the router."""
        import aiohttp

        try:
            async with session.post(
                self._url, json=question(self._rng, model, provider), timeout=aiohttp.ClientTimeout(total=300)
            ) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0
