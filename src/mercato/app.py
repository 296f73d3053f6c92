"""The one place where everything is wired: settings -> store -> rooms -> API and web -> worker.

A room hands in what it has, and only what it needs:

    pages.py    NAV: ((path, label), ...)    pages(room, render) -> APIRouter    live(room, render) -> {event: renderer}
                pulse(room, render) -> (name, seconds, make)    what is made anew while somebody looks at the room
    routes.py   router(room) -> APIRouter    the JSON API, mounted under /api/<room>
    gauges.py   collect(room, registry)      what the room counts for Prometheus, at /metrics
    jobs.py     handlers(room) -> {kind: handler}    SUBSCRIPTIONS: {event: kinds}    SCHEDULES: (Schedule, ...)

`render(template, **context)` comes from the web floor; a renderer returns (topic, name, html) for what an event makes
new. The page at `/` is the first room's own, where one of its routers has it.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from types import ModuleType

import typer
import uvicorn
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import Response

from mercato import api, web
from mercato.api.logs import configure
from mercato.api.problems import Problem
from mercato.api.session import SessionMiddleware
from mercato.api.session import router as session_routes
from mercato.api.settings import ApiSettings
from mercato.api.signin import SignIn
from mercato.chains.messages import Accounts
from mercato.chains.service import Indexer
from mercato.chains.settings import ChainSettings
from mercato.compute.attesting import Attestation
from mercato.compute.gateway.catalogue import listed
from mercato.compute.node.settings import NodeSettings
from mercato.compute.office.service import Office
from mercato.compute.service import Compute
from mercato.compute.settings import ComputeSettings
from mercato.compute.signing import signer
from mercato.core.clock import SystemClock
from mercato.core.errors import ConfigError, Conflict
from mercato.core.settings import Settings, load
from mercato.kit.desk.opening import open_desk
from mercato.kit.settings import KitSettings
from mercato.lab.service import Lab
from mercato.launch.following.feed import Feed, source_of
from mercato.launch.opening import open_room
from mercato.launch.season.local import Local, open_local
from mercato.launch.season.progress import Listener
from mercato.launch.season.settings import SeasonSettings
from mercato.launch.service import Launches
from mercato.launch.settings import LaunchSettings
from mercato.market.connectors.documents.settings import DocumentSettings
from mercato.market.connectors.settings import SourceSettings
from mercato.market.model import SIMULATED
from mercato.market.service import Market
from mercato.market.settings import MarketSettings
from mercato.store import Store, StoreSettings, migrate
from mercato.store.history import head, present
from mercato.store.model import Schedule
from mercato.store.worker import Handler, Worker

FIGURES = "/market/figures"  # where a figure id leads: the room that has figures shows them there
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SECTIONS = (
    ApiSettings, StoreSettings, ChainSettings, MarketSettings, SourceSettings, DocumentSettings, LaunchSettings,
    SeasonSettings, KitSettings, ComputeSettings, NodeSettings,
)  # fmt: skip


@dataclass(frozen=True)
class Room:
    """A room as the application sees it: its name, its service, and the parts that it offers."""

    name: str
    service: object

    def part(self, name: str) -> ModuleType | None:
        """Returns a part of the room, such as its `pages`; None where the room has no such file."""
        full = f"mercato.{self.name}.{name}"
        return import_module(full) if find_spec(full) else None


def open_store(settings: Settings) -> Store:
    """Returns the database, brought to the present shape; the data folder is made where it is missing."""
    settings.home.mkdir(parents=True, exist_ok=True)
    store = Store(settings.of(StoreSettings).address(settings.home))
    migrate(store)
    return store


def rooms(store: Store, settings: Settings, local: Local | None = None) -> tuple[Room, ...]:
    """Returns every room of this installation, opened on the store, and on a local economy where there is one.

    A chain that only this process knows, and that ends with it, is not indexed.
    """
    market = Market(store, settings.home, SystemClock(), settings.of(MarketSettings))
    found = [Room("market", market), Room("launch", local.launches if local else open_room(store, settings))]
    url = store.url.render_as_string(hide_password=False)
    opened = found[1].service
    wanted = settings.of(ComputeSettings)
    chain = opened.chain.name.reference if isinstance(opened, Launches) else ""
    compute = Compute(
        url, SystemClock(), signer(settings.home), operators=wanted.operators, listed=listed(wanted.upstreams),
        sign_in_chain=chain, attest=Attestation(url, settings.home, wanted, SystemClock()).check,
    )  # fmt: skip
    found.append(Room("compute", Office(compute)))
    found.append(Room("lab", Lab(settings.home, opened if isinstance(opened, Launches) else None)))
    if isinstance(opened, Launches):
        shared = local is not None or bool(settings.of(ChainSettings).rpc)
        found.append(Room("kit", open_desk(store, settings, opened.chain, market, opened.clock, shared=shared)))
    if local:
        found += [Room("chains", local.indexer), Room("launch.following", local.feed(market))]
        return (*found, Room("launch.season", local.board))
    launches = found[1].service
    if settings.of(ChainSettings).rpc and isinstance(launches, Launches):
        indexer, source = Indexer(store, launches.chain), source_of(int(launches.chain.name.reference))
        found += [Room("chains", indexer), Room("launch.following", Feed(market, indexer, launches, source=source))]
    return tuple(found)


def create_app(settings: Settings, store: Store, parts: Sequence[Room], *, worker: bool = True) -> FastAPI:
    """Returns the application that serves the rooms; opening and closing the store stays with the caller.

    While it runs it follows the outbox, so that what other processes commit reaches open pages. `worker` lets it do
    jobs too.
    """
    wanted, signin = settings.of(ApiSettings), sign_in(store, parts)
    metrics = api.Metrics()
    hub = api.Hub(limit=wanted.subscribers, metrics=metrics)
    site = web.Site(
        rooms=[room.name for room in parts if room.part("pages")],
        nav=[web.Link(path, label) for room in parts if (own := room.part("pages")) for path, label in own.NAV],
        version=version("mercato"),
        figures=FIGURES,
    )

    site.notices += notices(parts, site)

    def problem_page(problem: Problem) -> Response:
        words = {"detail": "", "hint": "", **problem}
        return site.render("web/problem.html", problem=words, status=problem["status"])

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        follower = create_worker(store, parts, threads=2 if worker else 0)
        relay = api.Relay(hub, asyncio.get_running_loop(), renderers(parts, site), metrics)
        follower.feed.subscribe(relay)
        follower.start()
        beating = [asyncio.create_task(one.run(hub)) for one in pulses(parts, site)]
        try:
            yield
        finally:
            for task in beating:
                task.cancel()
            await asyncio.to_thread(follower.stop)

    app = api.create(
        version=version("mercato"),
        hub=hub,
        metrics=metrics,
        health=api.Health({"database": lambda: check(store)}),
        limits=api.Limits(wanted.body_octets, wanted.seconds),
        origins=wanted.origins,
        page=problem_page,
        lifespan=lifespan,
        outer=_outer(wanted, signin),
    )
    if signin:
        app.include_router(session_routes(signin, named="*" not in _names(wanted)))
    app.state.hub = hub
    for room in parts:
        if gauges := room.part("gauges"):
            gauges.collect(room.service, metrics.registry)
        if routes := room.part("routes"):
            app.include_router(routes.router(room.service), prefix=f"/api/{room.name}", tags=[room.name])
        if pages := room.part("pages"):
            app.include_router(pages.pages(room.service, site.render), include_in_schema=False)
    app.include_router(web.router(site, lambda: api.operations(app)))
    return app


def sign_in(store: Store, parts: Sequence[Room]) -> SignIn | None:
    """Returns how visitors sign in: with accounts of the chain on which launches happen; None without launches."""
    launches = next((room.service for room in parts if isinstance(room.service, Launches)), None)
    return SignIn(store, launches.clock, Accounts(launches.chain)) if launches else None


def create_worker(store: Store, parts: Sequence[Room], *, threads: int = 2) -> Worker:
    """Returns a worker for every room's jobs; with no threads it only lets events out and tells live readers."""
    handlers: dict[str, Handler] = {}
    subscriptions: dict[str, list[str]] = {}
    schedules: list[Schedule] = []
    for room in parts:
        if jobs := room.part("jobs"):
            handlers |= jobs.handlers(room.service)
            schedules += jobs.SCHEDULES
            for event, kinds in jobs.SUBSCRIPTIONS.items():
                subscriptions.setdefault(event, []).extend(kinds)
    return Worker(
        store, handlers, subscriptions=subscriptions, schedules=schedules, threads=threads, poll=timedelta(seconds=0.5)
    )


def renderers(parts: Sequence[Room], site: web.Site) -> Mapping[str, api.Renderer]:
    """Returns what each room makes new on its pages for an event."""
    offered = [(room, pages) for room in parts if (pages := room.part("pages")) and hasattr(pages, "live")]
    return {event: make for room, pages in offered for event, make in pages.live(room.service, site.text).items()}


def pulses(parts: Sequence[Room], site: web.Site) -> list[api.Pulse]:
    """Returns what rooms make anew every few seconds."""
    offered = [(room, pages) for room in parts if (pages := room.part("pages")) and hasattr(pages, "pulse")]
    return [api.Pulse(room.name, *pages.pulse(room.service, site.text)) for room, pages in offered]


def notices(parts: Sequence[Room], site: web.Site) -> list[Callable[[], str]]:
    """Returns what rooms say at the head of every page, asked anew for each."""
    offered = [(room, pages) for room in parts if (pages := room.part("pages")) and hasattr(pages, "notice")]
    return [pages.notice(room.service, site.text) for room, pages in offered]


def check(store: Store) -> None:
    """Raises where the database cannot be reached, or is not in the shape that this release needs."""
    with store.read() as session:
        found = present(session)
    if found != head():
        raise Conflict(f"database was at step {found!r}, not {head()!r}", hint="run `mercato up` to migrate it")


def _outer(wanted: ApiSettings, signin: SignIn | None) -> tuple[Middleware, ...]:
    """Returns what stands before the rooms: names that we answer to, the page at hand, and who is signed in."""
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=list(_names(wanted)), www_redirect=False)
    who = (Middleware(SessionMiddleware, signin=signin),) if signin else ()
    return (hosts, Middleware(web.PageMiddleware), *who)


def _names(wanted: ApiSettings) -> tuple[str, ...]:
    """Returns the names that we answer to; `*` is any."""
    return wanted.hosts or (LOOPBACK if wanted.host in LOOPBACK else ("*",))


class Server(uvicorn.Server):
    """Says where it listens once everything has started, and then what else there is to say."""

    also: Sequence[str] = ()

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override] # uvicorn types its sockets more narrowly than it uses them
        """Starts, then prints the address."""
        await super().startup(sockets=sockets)  # type: ignore[arg-type] # as above
        if not self.should_exit:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            typer.echo(f"Mercato is at http://{shown}:{port}")
            for line in self.also:
                typer.echo(line)


def run(
    *,
    host: str | None = None,
    port: int | None = None,
    worker: bool = True,
    local: bool = False,
    season: bool | None = None,
    seed: int | None = None,
    listener: Listener = lambda progress: None,
) -> None:
    """Serves until a signal ends it: migrations first, then pages, API and, with `worker`, jobs.

    With `local`, and no node in the settings, the chain of this data folder lives in this process. `season` and `seed`
    win over the settings; `listener` hears how far the season is.
    """
    settings = load(*SECTIONS)
    wanted = settings.of(ApiSettings)
    configure(wanted.log)
    place = _listen(host or wanted.host, wanted.port if port is None else port)
    _ended_by_signal()  # the server handles signals while it runs, then sends itself what it got: it ends here
    with ExitStack() as opened:
        opened.callback(place.close)
        store = open_store(settings)
        opened.callback(store.close)
        economy = None
        if local and not settings.of(ChainSettings).rpc:
            origins = [f"http://{name}:{place.getsockname()[1]}" for name in LOOPBACK[:2]]
            wants = season if season is not None else unmixed(store, settings)
            economy = open_local(
                store, settings, season=wants, seed=seed, origins=origins, listener=listener, say=typer.echo
            )
        parts = rooms(store, settings, economy)
        app = create_app(settings, store, parts, worker=worker)
        server = Server(_config(app))
        if economy:
            hub, feed = app.state.hub, next(room.service for room in parts if isinstance(room.service, Feed))
            opened.callback(economy.stop)
            economy.start(feed, looks=lambda: len(hub) > 0)
            server.also = [f"The local chain (id {economy.economy.chain.chain_id}) is at {economy.facade.url}"]
        server.run(sockets=[place])


def unmixed(store: Store, settings: Settings) -> bool | None:
    """Returns False, and says so, where a season would mix made-up tokens into somebody's own data; else None."""
    market = Market(store, settings.home, SystemClock())
    others = sorted({item.source for item in market.segments() if item.source.partition(":")[0] != SIMULATED})
    if not others:
        return None
    typer.echo(f"This folder holds data from {', '.join(others)}, so no season is lived; say --season to mix them.")
    return False


def work() -> None:
    """Runs jobs until a signal ends it: migrations first; running jobs are waited for."""
    settings = load(*SECTIONS)
    configure(settings.of(ApiSettings).log)
    store = open_store(settings)
    ended = _ended_by_signal()
    worker = create_worker(store, rooms(store, settings), threads=4)
    worker.start()
    typer.echo("Mercato works; stop it with Ctrl-C.")
    ended.wait()
    worker.stop()
    store.close()


def _ended_by_signal() -> threading.Event:
    """Returns what is set once someone asks this process to end."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    return ended


def _listen(host: str, port: int) -> socket.socket:
    """Returns a socket that listens; ConfigError where the address is not ours or not free."""
    try:
        made = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        # Connections inherit it. Without it, the second part of an answer waits 40 ms for the browser's receipt.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(
            f"address was {host}:{port}: {reason}", hint="choose another with --host and --port"
        ) from None


def _config(app: FastAPI) -> uvicorn.Config:
    """Returns how the server runs: our own log, bounded headers (h11), small WebSocket messages, 5 s to end."""
    return uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, http="h11", loop="asyncio",
        timeout_graceful_shutdown=5, ws_max_size=4096, limit_concurrency=4000,
    )  # fmt: skip
