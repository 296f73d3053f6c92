"""The one place where the gateway is put together: settings -> books, providers, router -> application -> server."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mercato.compute.books import Clerk, Desk
from mercato.compute.books.till import Till
from mercato.compute.errors import Unreached
from mercato.compute.gateway import counting, server, upstream
from mercato.compute.gateway.admin import Admin, numbered, serving
from mercato.compute.gateway.asgi import Gateway, Limits
from mercato.compute.gateway.carry import Carrier
from mercato.compute.gateway.catalogue import Catalogue, Pair, Source, listed, named
from mercato.compute.gateway.checks import Bounds
from mercato.compute.gateway.line import Line, Patience
from mercato.compute.gateway.memory import keep_large_apart
from mercato.compute.gateway.metrics import Metrics
from mercato.compute.gateway.proofs import proofs
from mercato.compute.gateway.registered import Registered
from mercato.compute.gateway.verdicts import verdicts
from mercato.compute.gateway.views import views
from mercato.compute.gauges import Books
from mercato.compute.model import ProviderId
from mercato.compute.node.hub import Hub
from mercato.compute.orders import Orders
from mercato.compute.routing.router import Router
from mercato.compute.signing import signer
from mercato.compute.starting import ENDS, here
from mercato.compute.tunnelling import tunnels
from mercato.compute.verify.auditor import Verdict
from mercato.compute.verifying import Verification
from mercato.core.clock import SystemClock

if TYPE_CHECKING:
    from mercato.compute.settings import ComputeSettings, Upstream


log = logging.getLogger("mercato.compute.gateway")


class Upstreams:
    """The upstreams of the settings; `connections` lead to them, and to others, by whether private ones are allowed."""

    def __init__(self, upstreams: Mapping[str, Upstream], most: int) -> None:
        self._pairs = listed(upstreams)
        self.connections = {private: upstream.Connections(private=private) for private in (False, True)}
        self._lines = {
            named(name): upstream.HttpLine(one.url, one.key, connections=self.connections[one.private], most=most)
            for name, one in upstreams.items()
        }
        for name, one in upstreams.items():
            if not one.private:
                _tell_private(name, one.url)

    def pairs(self) -> list[Pair]:
        """Returns who serves what."""
        return self._pairs

    def line(self, provider: ProviderId) -> Line | None:
        """Returns the way to an upstream; None for others."""
        return self._lines.get(provider)

    async def close(self) -> None:
        """Closes the connections."""
        for connections in self.connections.values():
            await connections.close()


def _tell_private(name: str, url: str) -> None:
    """Says of an address that it will not be connected to; of a name that is known only when it is looked up."""
    try:
        upstream.refuse_private(upstream.placed(url).host)
    except Unreached as error:
        log.warning("%s cannot be asked: %s; %s", name, error.message, error.hint)


async def work(
    orders: Orders, place: socket.socket, *, number: int = 0, ready: Callable[[server.Server], None] | None = None
) -> None:  # fmt: skip
    """Runs one worker of the gateway, the first or another, on a socket that listens, until a signal, or its
    `should_exit`, ends it."""
    wanted, url = orders.compute, orders.url
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as opened:
        hub: Hub | None = None
        upstreams = Upstreams(wanted.upstreams, wanted.answer_octets)

        def way(provider: ProviderId) -> Line | None:
            return upstreams.line(provider) or (hub.line(provider) if hub else None)

        opened.push_async_callback(upstreams.close)
        desk = await opened.enter_async_context(Desk(Clerk(url, SystemClock(), signer(orders.home))))
        metrics, router, till = Metrics(), Router(), Till(url, SystemClock(), signer(orders.home))
        told = partial(_judged, metrics)
        beside = Verification(wanted, till, url, router, upstreams.pairs(), way, told, orders.home)
        taken = {each.id for each, _ in upstreams.pairs()}
        registered = Registered(orders.home, wanted.answer_octets, upstreams.connections, taken)
        beside.liaison.beside = registered.look
        verified = await opened.enter_async_context(beside)
        desk.batched = metrics.batched
        if not number:  # the books are the same for all workers: the first one tells of them
            metrics.add(Books(url, SystemClock(), money=True))
        desk.clerk.draw = verified.draw
        sources = [
            Source(lambda: verified.standing(upstreams.pairs()), upstreams.line),
            Source(lambda: verified.standing(registered.pairs()), registered.line),
        ]
        if wanted.nodes != "off":
            hub = await opened.enter_async_context(tunnels(wanted, url, place, signer(orders.home)))
            metrics.nodes(partial(_connected, hub))
            if wanted.tee.nodes != "off":
                opened.callback(_bringing(url, hub, wanted).cancel)
            sources.append(Source(partial(_standing, verified, hub), hub.line))
        catalogue = Catalogue(sources)
        catalogue.look(loop.time())
        files = _tokenizers(wanted, orders.home)
        carrier = Carrier(
            desk, router, catalogue, counting.Counter(counting.load(files)),
            patience=Patience(wanted.connect_seconds, wanted.first_seconds, wanted.idle_seconds, wanted.total_seconds),
            attempts=wanted.attempts, settled=hub.present if hub else lambda receipt: None, packed=verified.packed,
            verified=verified.verified, metrics=metrics,
        )  # fmt: skip
        seen = views(catalogue, router, desk, verified.proven) | verdicts(url, desk) | proofs(url, desk)
        gateway = Gateway(carrier, bounds(wanted), limits(wanted), seen, tunnel=hub)
        running = server.Server(
            server.config(gateway, head=wanted.head_octets, seconds=wanted.head_seconds, requests=wanted.requests),
            ready=ready,
        )
        if wanted.admin:
            plane = Admin(gateway, metrics, partial(setattr, running, "should_exit", True))
            await opened.enter_async_context(serving(plane, numbered(wanted.admin, number), orders.home))
        tending = loop.create_task(_tend(gateway, catalogue, verified, hub))
        opened.callback(tending.cancel)
        if wanted.audit.canaries:
            opened.callback(_asking(f"http://{here(place)}/v1", wanted, catalogue, verified).cancel)
        await running.serve(sockets=[place])


def _tokenizers(wanted: ComputeSettings, home: Path) -> dict[str, Path]:
    """Returns the files that count tokens, by model."""
    models = [pair for each in wanted.upstreams.values() for pair in each.models.items()]
    return {model: home / one.tokenizer for model, one in models if one.tokenizer}


def bounds(wanted: ComputeSettings) -> Bounds:
    """Returns what one request may hold."""
    return Bounds(wanted.messages, wanted.choices, wanted.depth, deny=wanted.unknown == "deny", hedge=wanted.hedge)


def limits(wanted: ComputeSettings) -> Limits:
    """Returns what one worker takes."""
    return Limits(
        wanted.body_octets, wanted.bodies_octets, wanted.reading_seconds, wanted.sending_seconds, wanted.beat_seconds,
        wanted.requests,
    )  # fmt: skip


def _asking(base: str, wanted: ComputeSettings, catalogue: Catalogue, verified: Verification) -> asyncio.Task[None]:
    """Begins to ask the canaries."""
    from mercato.compute.canaries import Canaries

    made = Canaries(
        base, wanted.audit, catalogue, SystemClock(), lambda: verified.liaison.view.secrets, verified.known,
        before=verified.asked_before,
    )  # fmt: skip
    return asyncio.create_task(made.run())


def _bringing(url: str, hub: Hub, wanted: ComputeSettings) -> asyncio.Task[None]:
    """Begins to bring the reports of nodes in trusted machines."""
    from mercato.compute.tee.courier import Courier

    return asyncio.create_task(Courier(url, hub.line, wanted.tee.nodes).run())


def _judged(metrics: Metrics, verdict: Verdict) -> None:
    metrics.judged(verdict.provider, verdict.verdict, verdict.notes)


def _connected(hub: Hub) -> int:
    return len(hub.members())


def _standing(verified: Verification, hub: Hub) -> list[Pair]:
    """Returns the nodes that may be asked, each where the store has it now."""
    return verified.standing(hub.candidates())


async def _tend(gateway: Gateway, catalogue: Catalogue, verified: Verification, hub: Hub | None) -> None:
    """Looks after what is open, once a second."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(1)
        for member in verified.moved(hub.members() if hub else []):
            assert hub is not None, "nobody moved where there is no hub"
            await hub.judge(member)
        catalogue.look(loop.time())
        await asyncio.gather(*gateway.tend(loop.time()), return_exceptions=True)


def run(orders: Orders, place: socket.socket, *, number: int = 0, ready: Callable[[], None]) -> None:
    """Serves as one worker, the first or another, until a signal ends it; calls `ready` once it does."""
    ended = threading.Event()
    for sign in ENDS:
        signal.signal(sign, lambda *_: ended.set())  # the server takes them once it runs; until then they are kept
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)
    keep_large_apart()

    def up(running: server.Server) -> None:
        running.should_exit = running.should_exit or ended.is_set()
        gc.collect()
        gc.freeze()  # what is here now stays: looking through it again and again finds nothing
        gc.set_threshold(20_000)  # requests leave no cycles, so to look for some after every second one is in vain
        ready()

    _loop()(work(orders, place, number=number, ready=up))


def _loop() -> Callable[..., None]:
    try:
        import uvloop
    except ImportError:
        return asyncio.run
    return uvloop.run
