"""The one place where the gateway is put together: settings -> books, providers, router -> application -> server."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from functools import partial

from mercato.compute.books import Clerk, Desk
from mercato.compute.books.till import Till
from mercato.compute.gateway import counting, server, upstream
from mercato.compute.gateway.admin import Admin, numbered, serving
from mercato.compute.gateway.asgi import Gateway, Limits
from mercato.compute.gateway.carry import Carrier
from mercato.compute.gateway.catalogue import Catalogue, Pair, Source, listed, named
from mercato.compute.gateway.checks import Bounds
from mercato.compute.gateway.discovery import discover
from mercato.compute.gateway.line import Line, Patience
from mercato.compute.gateway.metrics import Metrics
from mercato.compute.gateway.verdicts import verdicts
from mercato.compute.gateway.views import views
from mercato.compute.gauges import Books
from mercato.compute.installation import prepared, signer
from mercato.compute.model import ProviderId
from mercato.compute.node.hub import Hub
from mercato.compute.routing.router import Router
from mercato.compute.settings import ComputeSettings, Upstream
from mercato.compute.tunnelling import tunnels
from mercato.compute.verify.auditor import Verdict
from mercato.compute.verifying import Canaries, Verification
from mercato.core.clock import SystemClock
from mercato.core.errors import ConfigError
from mercato.core.settings import Secret, Settings
from mercato.store.settings import StoreSettings

RESTART_SECONDS, ENDING_SECONDS = 1, 45


class Upstreams:
    """The upstreams of the settings, and the connections to them."""

    def __init__(self, upstreams: Mapping[str, Upstream], most: int) -> None:
        self._pairs = listed(upstreams)
        kinds = {one.private for one in upstreams.values()}
        self._sessions = {private: upstream.session(private=private) for private in kinds}
        self._lines = {
            named(name): upstream.HttpLine(
                one.url, one.key, session=self._sessions[one.private], private=one.private, most=most
            )
            for name, one in upstreams.items()
        }

    def pairs(self) -> list[Pair]:
        """Returns who serves what."""
        return self._pairs

    def line(self, provider: ProviderId) -> Line | None:
        """Returns the way to an upstream; None for others."""
        return self._lines.get(provider)

    async def close(self) -> None:
        """Closes the connections."""
        for session in self._sessions.values():
            await session.close()


async def work(
    settings: Settings, url: str, place: socket.socket, *, number: int = 0,
    ready: Callable[[server.Server], None] | None = None,
) -> None:  # fmt: skip
    """Runs one worker of the gateway, the first or another, on a socket that listens, until a signal, or its
    `should_exit`, ends it."""
    wanted = settings.of(ComputeSettings)
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as opened:
        upstreams = Upstreams(wanted.upstreams, wanted.answer_octets)
        opened.push_async_callback(upstreams.close)
        desk = await opened.enter_async_context(Desk(Clerk(url, SystemClock(), signer(settings.home))))
        metrics, router, till = Metrics(), Router(), Till(url, SystemClock(), signer(settings.home))
        told = partial(_judged, metrics)
        beside = Verification(wanted, till, url, router, upstreams.pairs(), upstreams.line, told)
        verified = await opened.enter_async_context(beside)
        desk.batched = metrics.batched
        if not number:  # the books are the same for all workers: the first one tells of them
            metrics.add(Books(url, SystemClock(), money=True))
        desk.clerk.draw = verified.liaison.draw
        sources = [Source(lambda: verified.standing(upstreams.pairs()), upstreams.line)]
        hub: Hub | None = None
        if wanted.nodes != "off":
            hub = await opened.enter_async_context(tunnels(wanted, url, place, signer(settings.home)))
            metrics.nodes(partial(_connected, hub))
            sources.append(Source(partial(_standing, verified, hub), hub.line))
        catalogue = Catalogue(sources)
        catalogue.look(loop.time())
        files = {
            model: settings.home / one.tokenizer
            for each in wanted.upstreams.values()
            for model, one in each.models.items()
            if one.tokenizer
        }
        carrier = Carrier(
            desk, router, catalogue, counting.Counter(counting.load(files)),
            patience=Patience(wanted.connect_seconds, wanted.first_seconds, wanted.idle_seconds, wanted.total_seconds),
            attempts=wanted.attempts, settled=hub.present if hub else lambda receipt: None, packed=verified.packed,
            verified=verified.verified, metrics=metrics,
        )  # fmt: skip
        seen = views(catalogue, router, desk) | verdicts(url, desk)
        gateway = Gateway(carrier, bounds(wanted), limits(wanted), seen, tunnel=hub)
        running = server.Server(
            server.config(gateway, head=wanted.head_octets, seconds=wanted.head_seconds, requests=wanted.requests),
            ready=ready,
        )
        if wanted.admin:
            plane = Admin(gateway, metrics, partial(setattr, running, "should_exit", True))
            await opened.enter_async_context(serving(plane, numbered(wanted.admin, number), settings.home))
        tending = loop.create_task(_tend(gateway, catalogue, verified, hub))
        opened.callback(tending.cancel)
        if wanted.audit.canaries:
            base = f"http://{here(place)}/v1"
            asking = loop.create_task(Canaries(base, wanted.audit, catalogue).run())
            opened.callback(asking.cancel)
        await running.serve(sockets=[place])


def with_endpoint(settings: Settings, url: str) -> Settings:
    """Returns the settings with one more upstream, `endpoint`, and with one worker: others would not know of it."""
    found = asyncio.run(discover(url, Secret("")))
    wanted = settings.of(ComputeSettings)
    changed = wanted.model_copy(update={"upstreams": {**wanted.upstreams, "endpoint": found}, "workers": 1})
    return Settings(settings.home, {StoreSettings: settings.of(StoreSettings), ComputeSettings: changed})


def bounds(wanted: ComputeSettings) -> Bounds:
    """Returns what one request may hold."""
    return Bounds(wanted.messages, wanted.choices, wanted.depth, deny=wanted.unknown == "deny")


def limits(wanted: ComputeSettings) -> Limits:
    """Returns what one worker takes."""
    return Limits(
        wanted.body_octets, wanted.reading_seconds, wanted.sending_seconds, wanted.beat_seconds, wanted.requests
    )


def _judged(metrics: Metrics, verdict: Verdict) -> None:
    metrics.judged(verdict.provider, verdict.verdict)


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


def listen(host: str, port: int) -> socket.socket:
    """Returns a socket that listens; ConfigError where the address is not ours or not free."""
    try:
        place = socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=server.BACKLOG
        )
    except OSError as error:
        raise ConfigError(f"address was {host}:{port}: {error.strerror or error}", hint="choose another") from None
    place.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return place


def here(place: socket.socket) -> str:
    """Returns where a socket listens, as it stands in an address."""
    host, port = place.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def run(settings: Settings, place: socket.socket, *, say: Callable[[str], None], number: int | None = None) -> None:
    """Serves until a signal ends it, with as many processes as the settings name; `number` is this
    one among them, None for who starts them."""
    url, wanted = prepared(settings), settings.of(ComputeSettings)
    shown = f"http://{here(place)}/v1"
    if wanted.workers > 1 and number is None:
        say(f"Mercato's gateway is at {shown}")
        _many(place, wanted.workers)
        return

    ended = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: ended.set())  # the server takes them once it runs; until then they are kept

    def ready(running: server.Server) -> None:
        running.should_exit = running.should_exit or ended.is_set()
        gc.collect()
        gc.freeze()  # what is here now stays: looking through it again and again finds nothing
        say(f"Mercato's gateway is at {shown}")

    _loop()(work(settings, url, place, number=number or 0, ready=ready))


def _loop() -> Callable[..., None]:
    try:
        import uvloop
    except ImportError:
        return asyncio.run
    return uvloop.run


def _many(place: socket.socket, workers: int) -> None:
    """Runs workers that share one socket until a signal ends them; one that dies is followed by another."""
    ending = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: ending.set())
    children = [_child(place, number) for number in range(workers)]
    while not ending.wait(RESTART_SECONDS):
        children = [child if child.poll() is None else _child(place, at) for at, child in enumerate(children)]
    for child in children:
        child.terminate()
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.wait(ENDING_SECONDS)
        child.kill()
        child.wait()


def _child(place: socket.socket, number: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "mercato.compute.worker", str(place.fileno()), str(number)]
    return subprocess.Popen(command, pass_fds=[place.fileno()])  # noqa: S603  # our own interpreter and words
