"""The market's pages. Each is filled from the newest snapshot in memory; `?as_of=` shows another day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Protocol
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from mercato.market.report.notice import NOTICES
from mercato.market.report.snapshot import Snapshot
from mercato.market.views import alerts, chains, figure, overview, scenario, sources, token, tokens
from mercato.market.views.shelf import Shelf
from mercato.market.words import called, cell, label, said

if TYPE_CHECKING:
    from mercato.market.service import Market

NAV = (
    ("/", "Overview"),
    ("/market/tokens", "Tokens"),
    ("/market/chains", "Chains"),
    ("/market/mindshare", "Mindshare"),
    ("/market/builders", "Builders"),
    ("/market/scenarios", "Scenarios"),
    ("/market/sources", "Sources"),
    ("/market/alerts", "Alerts"),
    ("/market/report", "Report"),
)

Day = Annotated[date | None, Query(description="The close to show; default: the newest")]
Context = Mapping[str, Any]
View = Callable[[Snapshot | None], Context]


class Render(Protocol):
    """Fills a template of this room or of the floor; given by the web floor."""

    def __call__(self, template: str, /, *, status: int = 200, **context: Any) -> HTMLResponse:
        """Returns the filled template."""


class Press:
    """Prints pages: the body of a snapshot's page is filled once and kept; the frame is filled for each request."""

    def __init__(self, market: Market, render: Render) -> None:
        self.market, self.shelf, self._render = market, Shelf(market), render
        self._bodies: dict[tuple[str, str], tuple[Snapshot, Markup]] = {}

    def snapshot(self, as_of: date | None) -> Snapshot | None:
        """Returns the newest snapshot, or that of a day."""
        return self.shelf.on(as_of) if as_of else self.shelf.current()

    def kept(self, path: str, template: str, view: View, as_of: date | None) -> Response:
        """Returns a page whose body depends on the snapshot only."""
        snapshot = self.snapshot(as_of)
        title = TITLES[path]
        if snapshot is None:
            return self.fresh(path, template, lambda: view(None), title)
        key = (path, as_of.isoformat() if as_of else "")
        held = self._bodies.get(key)
        if held is None or held[0] is not snapshot:
            if len(self._bodies) > 64:
                self._bodies.clear()
            held = (snapshot, self.body(template, lambda: {"path": path, **view(snapshot)}))
            self._bodies[key] = held
        return self.page(path if as_of is None else f"{path}?as_of={as_of}", held[1], title)

    def fresh(self, path: str, template: str, view: Callable[[], Context], title: str = "") -> Response:
        """Returns a page that is filled anew for each request; `title` and `status` may be given by its context."""
        found: dict[str, Any] = {}

        def filled() -> Context:
            found.update({"path": path, "waiting": bool(self.market.segments()), **view()})
            return found

        body = self.body(template, filled)
        return self.page(path, body, str(found.get("title") or title), int(found.get("status", 200)))

    def body(self, template: str, view: Callable[[], Context]) -> Markup:
        """Returns a filled fragment in which assets are called by their names."""
        with called(self.market.assets()):
            filled = self._render(f"market/{template}", said=said, cell=cell, label=label, notices=NOTICES, **view())
        return Markup(bytes(filled.body).decode())  # noqa: S704 - our own template, which escaped what it was given

    def page(self, address: str, body: Markup, title: str, status: int = 200) -> Response:
        """Returns a body in the frame of the site."""
        summary = SUMMARIES.get(address.partition("?")[0], SUMMARIES["/"])
        return self._render(
            "market/page.html", status=status, title=title, summary=summary, address=address, body=body, topic="market"
        )


TITLES = {
    "/": "Crypto-AI market",
    "/market/tokens": "Tokens",
    "/market/chains": "Chains and platforms",
    "/market/mindshare": "Mindshare",
    "/market/builders": "Builders",
    "/market/report": "Weekly report",
}
SUMMARIES = {
    "/": "How large tokenized open-source AI is, what moved it, who leads and who keeps building.",
    "/market/tokens": "The members of the AI sector with their caps, supplies and the state of their data.",
    "/market/chains": "Which chain and which platform leads, under named ways of attribution.",
    "/market/mindshare": "The share of attention of AI, DeFi and DeFAI, with intervals.",
    "/market/builders": "Who keeps building, by month, and whether it is up only.",
}


def pages(market: Market, render: Render) -> APIRouter:
    """Returns the routes of the pages."""
    router, press = APIRouter(default_response_class=HTMLResponse), Press(market, render)
    _snapshots(router, press)
    _tokens(router, press)
    _figures(router, press)

    @router.get("/market/scenarios")
    def show_scenarios(request: Request) -> Response:
        path = f"/market/scenarios?{request.query_params}" if request.query_params else "/market/scenarios"
        given = dict(request.query_params)
        return press.fresh(
            path, "scenario.html", lambda: scenario.context(market, press.shelf.current(), given), "Scenarios"
        )

    @router.get("/market/sources")
    def show_sources() -> Response:
        return press.fresh("/market/sources", "sources.html", lambda: sources.context(market), "Sources")

    @router.get("/market/alerts")
    def show_alerts() -> Response:
        return press.fresh("/market/alerts", "alerts.html", lambda: alerts.context(market), "Alerts")

    return router


def _snapshots(router: APIRouter, press: Press) -> None:
    """Adds the pages that are filled from a snapshot and nothing else."""

    @router.get("/market")
    @router.get("/")
    def show_overview(as_of: Day = None) -> Response:
        return press.kept("/", "overview.html", overview.context, as_of)

    @router.get("/market/chains")
    def show_chains(as_of: Day = None) -> Response:
        return press.kept("/market/chains", "sections.html", chains.context, as_of)

    @router.get("/market/mindshare")
    def show_mindshare(as_of: Day = None) -> Response:
        return press.kept("/market/mindshare", "sections.html", chains.mindshare, as_of)

    @router.get("/market/builders")
    def show_builders(as_of: Day = None) -> Response:
        return press.kept("/market/builders", "sections.html", chains.builders, as_of)

    @router.get("/market/report")
    def show_report(as_of: Day = None) -> Response:
        return press.kept("/market/report", "sections.html", chains.report, as_of)


def _tokens(router: APIRouter, press: Press) -> None:
    @router.get("/market/tokens")
    def show_tokens(as_of: Day = None) -> Response:
        view = partial(tokens.context, press.market)
        return press.kept("/market/tokens", "tokens.html", view, as_of)

    @router.get("/market/tokens/{asset_id:path}")
    def show_token(asset_id: str, as_of: Day = None) -> Response:
        path = f"/market/tokens/{quote(asset_id, safe=':/')}" + (f"?as_of={as_of}" if as_of else "")
        view = partial(token.context, press.market, press.snapshot(as_of), asset_id, as_of)
        return press.fresh(path, "token.html", view)


def _figures(router: APIRouter, press: Press) -> None:
    @router.get("/market/figures/{figure_id}")
    def show_figure(figure_id: str) -> Response:
        view = partial(figure.context, press.market, press.shelf.current(), figure_id)
        return press.fresh(f"/market/figures/{figure_id}", "figure.html", view, f"Figure {figure_id}")

    @router.get("/figures/{figure_id}")
    def trace(figure_id: str) -> Response:
        return RedirectResponse(f"/market/figures/{figure_id}", status_code=308)
