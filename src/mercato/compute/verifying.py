"""Verification put together for one worker of the gateway: what it shares with others, and the auditor."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import SystemRandom
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mercato.compute import audits
from mercato.compute.books.keys import found
from mercato.compute.books.till import Till
from mercato.compute.gateway.asking import Asked
from mercato.compute.gateway.catalogue import Pair, named
from mercato.compute.gateway.line import Line
from mercato.compute.gateway.sealing import Seal
from mercato.compute.gateway.tally import Tally
from mercato.compute.model import Offer, Provider, ProviderId, Receipt, Surface
from mercato.compute.routing.router import Candidate, Counts, Router
from mercato.compute.tee.words import Level
from mercato.compute.verify import exhibit, known, synced, toploc
from mercato.compute.verify.auditor import Auditor, Verdict
from mercato.compute.verify.checker import Reference
from mercato.compute.verify.evidence import Test
from mercato.compute.verify.known import Known
from mercato.compute.verify.liaison import Liaison
from mercato.compute.verify.match import Cut, Limits
from mercato.compute.verify.rate import Rates
from mercato.compute.verify.record import Judge
from mercato.compute.verify.signature import Place, Signatures
from mercato.compute.verify.states import States
from mercato.compute.verify.vectors import BILLIONTHS, drawn
from mercato.core.errors import ConfigError
from mercato.core.events import Json
from mercato.store.bare import Bare

if TYPE_CHECKING:
    from mercato.compute.settings import Auditing, ComputeSettings

PAUSE = 2.0  # seconds between looks at what other workers and auditors did
log = logging.getLogger("mercato.compute.verify")


def judge(wanted: Auditing) -> Judge:
    """Returns what audits are judged by."""
    test = Test(honest=wanted.honest, alpha=wanted.alpha, horizon=wanted.horizon)
    limits = Limits(wanted.exponents, wanted.mantissa_mean, wanted.mantissa_median)
    cut = Cut(wanted.rate, wanted.alike, far=round(wanted.apart * BILLIONTHS), limits=limits)
    return Judge(test, cut, Rates(least=wanted.least))


def reference(wanted: ComputeSettings, line: Callable[[ProviderId], Line | None]) -> Reference:
    """Returns the checker of the settings; `line` knows the way to it."""
    name = wanted.audit.checker
    return Reference(name, named(name), *_engine(wanted, name, line))


def states(wanted: ComputeSettings, line: Callable[[ProviderId], Line | None]) -> States | None:
    """Returns who opens commitments by the settings, None for nobody."""
    name = wanted.audit.states
    return States(name, named(name), *_engine(wanted, name, line)) if name else None


def _engine(
    wanted: ComputeSettings, name: str, line: Callable[[ProviderId], Line | None]
) -> tuple[Line, Mapping[str, str]]:  # fmt: skip
    way = line(named(name))
    assert way is not None, "settings have checked the name"
    return way, {model: one.upstream or model for model, one in wanted.upstreams[name].models.items()}


def signatures(wanted: ComputeSettings, line: Callable[[ProviderId], Line | None]) -> Signatures:
    """Returns who fetches signatures, of upstreams and nodes in trusted machines."""
    places: dict[ProviderId, Place | None] = {}
    for name, one in wanted.upstreams.items():
        names = {model: it.upstream or model for model, it in one.models.items()}
        signs = one.tee is not None and one.tee.signature
        places[named(name)] = Place(one.tee.signature, one.tee.signing, names) if one.tee and signs else None
    nodes = None if wanted.tee.nodes == "off" else Place("/signature", wanted.tee.nodes, {})
    return Signatures(line, places, nodes)


class Verification:
    """Runs beside one worker's requests. Without a checker or canaries it only shares health and standings.

    `line` knows the way to a provider, `told` hears of every verdict of this worker. `home` is the data folder.
    """

    def __init__(
        self, wanted: ComputeSettings, till: Till, url: str, router: Router, settled: Sequence[Pair],
        line: Callable[[ProviderId], Line | None], told: Callable[[Verdict], None] = lambda verdict: None,
        home: Path | None = None,
    ) -> None:  # fmt: skip
        audit = wanted.audit
        self._signatures = signatures(wanted, line)
        self._reads = bool(audit.checker or audit.states or audit.canary_file)  # whether anybody judges what is said
        self.judge = judge(audit) if self._reads or self._signatures.wanted else None
        self.known = known.read((home or Path()) / audit.canary_file) if audit.canary_file else Known()
        providers = list({pair[0].id: pair[0] for pair in settled}.values())
        self.liaison = Liaison(url, till.clock, f"worker-{secrets.token_hex(8)}", self.judge, settled=providers)
        self._judged, self._opened = (
            frozenset(wanted.upstreams[name].models if name else ()) for name in (audit.checker, audit.states)
        )
        self._url, self._rng = url, SystemRandom()
        self._wanted, self._till, self._router, self._line, self._told = wanted, till, router, line, told
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mercato-liaison")
        self._auditor: Auditor | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self._look({})
        self._tasks = [asyncio.create_task(self._share())]
        if self.judge is not None:
            audit = self._wanted.audit
            checker = reference(self._wanted, self._line) if audit.checker else None
            asker = await asyncio.to_thread(self._asker)
            self._auditor = Auditor(
                self._till, checker, self.judge, told=self._heard, known=self.known, asker=asker,
                witness=lambda receipt: audit.witnesses == "all" or receipt.key == asker,
                states=states(self._wanted, self._line), signatures=self._signatures,
            )  # fmt: skip
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
        """Returns providers with the standing that the store has of them, where it has one, and with what their
        machines have proven; without the references, that judge others and serve nobody."""
        known, audit = self.liaison.view.standings, self._wanted.audit
        judges = {named(audit.checker), named(audit.states)}
        return [
            (replace(it, standing=known.get(it.id, it.standing)), self._proven(offer))
            for it, offer in pairs
            if it.id not in judges
        ]

    def _proven(self, offer: Offer) -> Offer:
        """Returns an offer with what its machine has proven, as long as that holds: also where the store is away."""
        found = self.liaison.view.proven.get((offer.provider, offer.model))
        holds = found is not None and found.level is not Level.NOTHING and found.until > self._till.clock.now()
        return replace(offer, tee=found.level.value) if found and holds else offer

    def proven(self, provider: ProviderId, model: str) -> dict[str, Json] | None:
        """Returns what was found of a provider's machine, as JSON; None where it holds no more, or never did."""
        found = self.liaison.view.proven.get((provider, model))
        return found.body() if found and found.until > self._till.clock.now() else None

    def moved(self, providers: Sequence[Provider]) -> list[Provider]:
        """Returns those of some providers that stand elsewhere than they did, as they stand now."""
        known = self.liaison.view.standings
        return [
            replace(it, standing=known[it.id]) for it in providers if known.get(it.id, it.standing) is not it.standing
        ]

    def verified(self, asked: Asked, candidate: Candidate) -> str:
        """Returns how an answer is verified, for who asks: `always`, `sampled` or `none`, then the provider's standing,
        and what its machine has proven, if anything.

        `none` is also told of what no reference could judge. What an answer turns out to hold, such as calls, may still
        keep it from being judged.
        """
        need, provider = asked.need, candidate.provider
        allowed = exhibit.allowed(need)
        word = "none"
        members = asked.body.values.items()
        features = candidate.offer.features
        matched = need.model in self._judged and exhibit.judged(members, synced.FEATURE in features)
        opened = need.model in self._opened and toploc.FEATURE in features and exhibit.committed(members)
        signed = need.surface is not Surface.EMBEDDINGS and self._signs(candidate.offer)
        if allowed and (matched or opened or signed):
            sure = need.wish.verify == "always" or self.liaison.view.shares.get(provider.id, 1.0) >= 1
            word = "always" if sure else "sampled"
        machine = f"; tee={candidate.offer.tee}" if candidate.offer.tee else ""
        return f"{word}; standing={provider.standing.value}{machine}"

    def draw(self, receipt: Receipt) -> bool:
        """Whether an answer is audited without being asked for: where a reference could judge it."""
        audit = self._wanted.audit
        found = self.liaison.view.proven.get((receipt.provider, receipt.model))
        signed = found is not None and bool(found.signers) and self._signatures.of(receipt.provider) is not None
        return (signed or bool(audit.checker or audit.states)) and self.liaison.draw(receipt)

    def _signs(self, offer: Offer) -> bool:
        return bool(offer.tee) and self._signatures.of(offer.provider) is not None

    def packed(self, asked: Asked, tally: Tally, offer: Offer, seal: Seal | None) -> bytes:
        """Returns what an auditor would need of a request; nothing where there is none. Of what was said, nothing is
        kept where only signatures are looked at."""
        if self.judge is None or not exhibit.allowed(asked.need):
            return b""
        said = self._shown(asked, tally, offer) if self._reads else b""
        return seal.before(said) if seal and self._signs(offer) else said

    def _shown(self, asked: Asked, tally: Tally, offer: Offer) -> bytes:
        if asked.need.surface is Surface.EMBEDDINGS:
            values = asked.body.values
            return exhibit.sampled(asked.need, values, drawn(values.get("input"), tally.vectors, self._rng))
        drawing, promised = synced.FEATURE in offer.features, toploc.FEATURE in offer.features
        return exhibit.packed(asked.need, asked.body.text, tally.said(), synced=drawing, promised=promised)

    def asked_before(self, provider: str) -> set[str]:
        """Returns the canaries with known answers that a provider was asked. Blocks."""
        with Bare(self._url) as bare:
            return audits.asked_before(bare, provider)

    def _asker(self) -> str:
        """Returns the id of the key that canaries are asked with, "" where there is none; ConfigError where it is not
        one of ours."""
        audit = self._wanted.audit
        if not audit.canary_key:
            return ""
        key = found(self._till.bare, audit.canary_key.reveal())
        if key is None:
            raise ConfigError("key of the canaries was not known", hint="make one: mercato compute keys make ACCOUNT")
        return key.id

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
