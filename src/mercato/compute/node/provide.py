"""A node from its start to its end: look at the upstream, offer what it shows, serve, watch, and leave in order.

It does not start where the upstream lacks a model, or where a part of it is not the one that the owner promised.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from mercato.compute.model import Offer, Price, ProviderId
from mercato.compute.node.attesting import Parts
from mercato.compute.node.caps import Caps, Meter
from mercato.compute.node.crew import Crew
from mercato.compute.node.daybook import Daybook, day, latest
from mercato.compute.node.dial import Dialler, Identity, address
from mercato.compute.node.keyfile import opened
from mercato.compute.node.measure import measured
from mercato.compute.node.probe import Found, listed, probed
from mercato.compute.node.receipting import Folder
from mercato.compute.node.serving import RECENT, Say, Serving
from mercato.compute.node.settings import NodeSettings, Served
from mercato.compute.node.texts import Sources, Texts
from mercato.compute.node.texts import hashed as hashed_template
from mercato.compute.node.upstream import Upstream
from mercato.compute.node.weights import contradiction, hashed, told
from mercato.compute.tee.words import FEATURE as TEE
from mercato.compute.verify.synced import FEATURE
from mercato.core.clock import SystemClock
from mercato.core.errors import ConfigError
from mercato.core.events import Json

CONTEXT = 4_096  # where neither the owner nor the upstream tells one
WAVES = (1, 4)  # streams at once that the speed is measured with, besides the cap


@dataclass(frozen=True, slots=True)
class Ware:
    """A model that was looked at: its offer, and its entry in `/v1/models` as it was then."""

    offer: Offer
    entry: Mapping[str, Json]
    path: Path | None
    hash: str
    talks: bool
    sources: Sources


async def ware(upstream: Upstream, model: str, served: Served, concurrency: int) -> Ware:
    """Returns what a node may offer of a model; ConfigError where the upstream or the weights are not as promised."""
    name = served.upstream or model
    found = await probed(upstream, name)
    path = _path(served.weights)
    measured = await asyncio.to_thread(hashed, path) if path else told(found.entry)
    if served.expect and measured != served.expect:
        was = measured or "not known: name the file with --weights"
        raise ConfigError(f"weights of {model!r} were {was}, expected {served.expect}", hint="serve the right file")
    if why := contradiction(found.entry, path, measured):
        raise ConfigError(f"upstream serves other weights of {model!r}: {why}", hint="restart it with the right ones")
    sources = Sources(_path(served.tokenizer) or path, _path(served.template))
    texts = await told_texts(upstream, sources)
    _expected("tokenizer", model, texts.tokenizer, served.expect_tokenizer)
    _expected("template", model, texts.template, served.expect_template)
    offer = _offer(model, served, found, measured, texts, concurrency)
    return Ware(offer, found.entry, path, measured, found.talks, sources)


def _expected(part: str, model: str, was: str, expected: str) -> None:
    if expected and was != expected:
        was = was or "not known: name the model's folder with --tokenizer"
        raise ConfigError(f"{part} of {model!r} was {was}, expected {expected}", hint="serve the right one")


def _path(named: str) -> Path | None:
    return Path(named).expanduser() if named else None


async def told_texts(upstream: Upstream, sources: Sources) -> Texts:
    """Returns the hashes of tokenizer and template, by the files and by what llama.cpp tells of itself in `/props`;
    ConfigError where these differ."""
    texts = await asyncio.to_thread(sources.read)
    shown = (await upstream.beside("/props")).get("chat_template")
    if not isinstance(shown, str) or not shown:
        return texts
    if texts.template and texts.template != hashed_template(shown):
        hint = "name the template that it was started with by --template, or start it without"
        raise ConfigError(f"upstream uses another chat template than its files have, {shown[:60]!r}", hint=hint)
    return replace(texts, template=hashed_template(shown))


def _offer(model: str, served: Served, found: Found, weights: str, texts: Texts, concurrency: int) -> Offer:
    return Offer(
        provider=ProviderId(""),
        model=model,
        price=Price(served.prompt, served.completion, served.cached),
        context=served.context or found.context or CONTEXT,
        upstream=found.model,
        features=found.features | ({FEATURE} if served.synced else set()) | ({TEE} if served.tee else set()),
        quant=served.quant,
        weights=weights,
        concurrency=concurrency,
        tokenizer=texts.tokenizer,
        template=texts.template,
        engine=tuple(sorted(served.engine.items())),
    )


async def tell_speed(upstream: Upstream, wares: Sequence[Ware], most: int, say: Say) -> None:
    """Measures how fast each model is, and says so to the owner."""
    for one in wares:
        if one.talks:
            for at_once in sorted({min(wave, most) for wave in WAVES}):
                found = await measured(upstream, one.offer.upstream, at_once)
                say("speed", model=one.offer.model, at_once=found.at_once, first_ms=found.first_ms, failed=found.failed,
                    each_per_second=found.each_per_second, all_per_second=found.all_per_second)  # fmt: skip


async def seen(serving: Serving, wares: Sequence[Ware]) -> dict[str, Parts]:
    """Returns what each model that is offered is made of, by a fresh look at the upstream and at the files that make
    tokens; of one that is not there, or whose weights are not those that were looked at, nothing."""
    try:
        models = await listed(serving.upstream)
    except ConfigError:
        return {}
    found: dict[str, Parts] = {}
    for one in wares:
        entry = models.get(one.offer.upstream)
        if entry is None or one.offer.upstream not in serving.offers or contradiction(entry, one.path, one.hash):
            continue
        with suppress(ConfigError):  # a file that is gone: nothing is said of the model
            texts = await told_texts(serving.upstream, one.sources)
            now = replace(
                one.offer, weights=told(entry) or one.hash, tokenizer=texts.tokenizer, template=texts.template
            )
            found[one.offer.model] = now.parts
    return found


async def watch(serving: Serving, wares: Sequence[Ware], seconds: float) -> None:
    """Takes an offer back while its model is not there, for good where the upstream shows other weights."""
    changed: set[str] = set()
    while True:
        await asyncio.sleep(seconds)
        try:
            models = await listed(serving.upstream)
        except ConfigError:
            models = {}
        here = {}
        for one in wares:
            entry = models.get(one.offer.upstream)
            if entry is not None and (told(entry) != told(one.entry) or contradiction(entry, one.path, one.hash)):
                changed.add(one.offer.model)
            if entry is not None and one.offer.model not in changed:
                here[one.offer.upstream] = one.offer
        if here != serving.offers:
            serving.say("offers changed", offered=[offer.model for offer in here.values()])
            serving.offers = here


@dataclass(slots=True)
class Node:
    """A node that is ready to dial. `run` returns after SIGTERM or SIGINT, when everything under way is done."""

    settings: NodeSettings
    serving: Serving
    wares: Sequence[Ware]
    crews: Sequence[Crew]

    async def run(self) -> None:
        """Serves until a signal; a second one does not wait. Conflict where a gateway will not have this node."""
        stop, now = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(NotImplementedError):  # where signals cannot be handled in a loop, they end the process
                loop.add_signal_handler(number, lambda: now.set() if stop.is_set() else stop.set())
        watching: asyncio.Task[object] = asyncio.create_task(
            watch(self.serving, self.wares, self.settings.watch_seconds)
        )
        dialling: list[asyncio.Task[object]] = [asyncio.create_task(crew.run()) for crew in self.crews]
        stopping: asyncio.Task[object] = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([*dialling, stopping, watching], return_when=asyncio.FIRST_COMPLETED)
            await self._leave(now)
            for task in dialling:
                if task.done():
                    task.result()
        finally:
            for task in (*dialling, watching, stopping):
                task.cancel()
            await asyncio.gather(*dialling, watching, stopping, return_exceptions=True)
            await self.serving.upstream.close()
            self.serving.daybook.close()

    async def _leave(self, now: asyncio.Event) -> None:
        self.serving.draining = True
        self.serving.say("leaving", underway=self.serving.meter.underway)
        leaving: asyncio.Task[object] = asyncio.create_task(self._hang_up())
        hurrying: asyncio.Task[object] = asyncio.create_task(now.wait())
        await asyncio.wait([leaving, hurrying], return_when=asyncio.FIRST_COMPLETED)
        leaving.cancel()
        hurrying.cancel()
        await asyncio.gather(leaving, hurrying, return_exceptions=True)
        self.serving.say("left", abandoned=self.serving.meter.underway)

    async def _hang_up(self) -> None:
        await asyncio.gather(*(crew.leave(self.settings.drain_seconds) for crew in self.crews))


async def prepared(settings: NodeSettings, folder: Path, say: Say) -> Node:
    """Returns a node that has looked at its upstream; ConfigError where something is not as its owner says."""
    if not settings.upstream or not settings.gateways or not settings.models:
        raise ConfigError(
            "a node needs an upstream, a gateway and a model", hint="see `mercato compute provide --help`"
        )
    for url in settings.gateways:
        address(url, plain=settings.plain)  # before anything else is tried
    who = Identity(opened(folder / "key.pem"), settings.title, settings.region, settings.zdr)
    upstream = Upstream(settings.upstream, settings.upstream_key)
    try:
        wares = [await ware(upstream, model, one, settings.concurrency) for model, one in settings.models.items()]
        await tell_speed(upstream, wares, settings.concurrency, say)
        serving = _serving(settings, folder, upstream, wares, say)
    except BaseException:
        await upstream.close()
        raise
    serving.look = lambda: seen(serving, wares)
    crews = [_crew(url, who, serving, Folder(folder), plain=settings.plain) for url in settings.gateways]
    say("ready", key=who.key.public, offers=[_shown(one) for one in wares])
    return Node(settings, serving, wares, crews)


def _crew(url: str, who: Identity, serving: Serving, folder: Folder, *, plain: bool) -> Crew:
    return Crew(lambda grow: Dialler(url, who, serving, folder, plain=plain, grow=grow))


def _serving(settings: NodeSettings, folder: Path, upstream: Upstream, wares: Sequence[Ware], say: Say) -> Serving:
    path, clock = folder / "daybook", SystemClock()
    caps = Caps(settings.concurrency, settings.per_minute, settings.tokens_per_day, settings.worth_per_day)
    offers = {one.offer.upstream: one.offer for one in wares}
    recent = latest(path, RECENT)
    meter = Meter(caps, day(path, clock.now().date()))
    signed = Folder(folder).signed(recent)
    return Serving(upstream, offers, meter, Daybook(path), say, clock, recent=recent, signed=signed)


def _shown(one: Ware) -> dict[str, Json]:
    features: list[Json] = [*sorted(one.offer.features)]
    return {"model": one.offer.model, "features": features, "context": one.offer.context, **one.offer.parts}
