"""The market's JSON API: everything that a page shows, with the same figure ids, and CSV of every grid."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import PlainTextResponse, Response

from mercato.core.errors import NotFound
from mercato.core.spreadsheet import table
from mercato.market import model, shapes
from mercato.market.alerts import tables as alert_tables
from mercato.market.alerts.duty import rules_of
from mercato.market.alerts.model import Alert, Rule
from mercato.market.metrics import METRICS
from mercato.market.report.bundle import grid_csv
from mercato.market.report.document import document
from mercato.market.report.snapshot import Snapshot
from mercato.market.report.standalone import standalone
from mercato.market.views.shelf import Shelf
from mercato.market.views.sources import healths
from mercato.market.words import called

if TYPE_CHECKING:
    from mercato.market.service import Market

Day = Annotated[date | None, Query(description="The close to answer for; default: the newest snapshot's")]
Sector = Annotated[str, Query(description="`ai`, `all`, or one sector such as `ai-agents`", max_length=64)]
Figure = Annotated[str, Path(description="A figure id: `fig_` and 16 characters", pattern=r"^fig_[a-z2-7]{16}$")]
Days = Annotated[int | None, Query(ge=1, le=3660)]
Params = Annotated[list[str] | None, Query(description="A parameter as NAME=VALUE; may be given again")]


def router(market: Market) -> APIRouter:
    """Returns the routes of the API, to be mounted under `/api/market`."""
    routes, shelf = APIRouter(), Shelf(market)
    _metrics(routes, market, shelf)
    _reports(routes, market, shelf)
    _sources(routes, market)
    _alerts(routes, market)
    return routes


def _params(given: list[str] | None) -> dict[str, str]:
    return {key: value for key, _, value in (text.partition("=") for text in given or ())}


def _shown(shelf: Shelf, as_of: date | None) -> Snapshot:
    found = shelf.on(as_of) if as_of else shelf.current()
    if found is None:
        raise NotFound(
            "there is no snapshot yet", hint="import data with `mercato market import`, or name an as_of day"
        )
    return found


def _metrics(routes: APIRouter, market: Market, shelf: Shelf) -> None:
    @routes.get("/metrics", summary="The names of the metrics")
    def names() -> list[str]:
        return list(METRICS)

    @routes.get("/metrics/{name}", summary="One metric: figures, grids, coverage, flags and inputs")
    def metric(
        name: str,
        as_of: date,
        sector: Sector = "ai",
        days: Days = None,
        known_at: datetime | None = None,
        param: Params = None,
    ) -> dict[str, Any]:
        return shapes.result(market.metric(name, model.Query(as_of, sector, days, known_at, _params(param))))

    @routes.get("/metrics/{name}/{grid}.csv", summary="One grid of a metric as CSV")
    def metric_grid(
        name: str, grid: str, as_of: date, sector: Sector = "ai", days: Days = None, param: Params = None
    ) -> Response:
        result = market.metric(name, model.Query(as_of, sector, days, params=_params(param)))
        found = next((item for item in result.grids if item.name == grid), None)
        if found is None:
            there = ", ".join(item.name for item in result.grids)
            raise NotFound(f"grid was {grid!r}, which {name} does not have", hint=f"its grids: {there}")
        return _csv(found.name, grid_csv(found))

    @routes.get("/figures/{figure_id}", summary="One figure: definition, formula, inputs, hashes of the raw bytes")
    def figure(figure_id: Figure) -> dict[str, Any]:
        return dict(market.figure(figure_id))

    @routes.get("/grids/{figure_id}.csv", summary="A series or ranking of the newest snapshot as CSV")
    def grid(figure_id: Figure, as_of: Day = None) -> Response:
        found = _shown(shelf, as_of).grid(figure_id)
        if found is None:
            raise NotFound(f"grid was {figure_id!r}, which this snapshot does not hold", hint="add its as_of day")
        return _csv(found.name, grid_csv(found))


def _reports(routes: APIRouter, market: Market, shelf: Shelf) -> None:
    @routes.get("/report", summary="The report: claims with figure ids, exhibits and figures")
    def report(as_of: Day = None) -> dict[str, Any]:
        return document(_shown(shelf, as_of).report)

    @routes.get("/report.html", summary="The report as one self-contained page", response_class=Response)
    def page(as_of: Day = None) -> Response:
        found = _shown(shelf, as_of)
        name = f"mercato-report-{found.report.as_of}.html"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        with called(market.assets()):
            body = standalone(found.report)
        return Response(body, media_type="text/html", headers=headers)


def _sources(routes: APIRouter, market: Market) -> None:
    @routes.get("/assets", summary="The universe: every known asset")
    def assets() -> list[dict[str, Any]]:
        names = ("asset_id", "symbol", "name", "kind", "sector", "home_chain", "platform", "wraps")
        return [{name: getattr(item, name) for name in names} for item in market.assets()]

    @routes.get("/sources", summary="The health of the sources")
    def sources() -> list[dict[str, Any]]:
        found = healths(market.segments(), market.clock.now())
        return [{name: getattr(item, name) for name in item.__slots__} for item in found]

    @routes.get("/segments", summary="The raw documents in force and how they were read")
    def segments() -> list[dict[str, Any]]:
        return [shapes.segment(item) for item in market.segments()]

    @routes.get("/segments.csv", summary="The raw documents as CSV")
    def segments_csv() -> Response:
        return _csv("documents", table([shapes.segment(item) for item in market.segments()]))

    @routes.get("/quarantine", summary="Refused rows with file, row and reason")
    def quarantine(limit: Annotated[int, Query(ge=1, le=10_000)] = 1000) -> list[dict[str, Any]]:
        return [shapes.quarantined(item) for item in market.quarantine(limit=limit)]

    @routes.get("/quarantine.csv", summary="Refused rows as CSV")
    def quarantine_csv() -> Response:
        return _csv("quarantine", table([shapes.quarantined(item) for item in market.quarantine(limit=10_000)]))


def _alerts(routes: APIRouter, market: Market) -> None:
    def told(limit: int) -> list[dict[str, Any]]:
        with market.store.read() as session:
            return [_alert(item) for item in alert_tables.latest(session, limit)]

    @routes.get("/alerts", summary="What was told, newest first")
    def alerts(limit: Annotated[int, Query(ge=1, le=10_000)] = 100) -> list[dict[str, Any]]:
        return told(limit)

    @routes.get("/alerts.csv", summary="What was told, as CSV")
    def alerts_csv() -> Response:
        return _csv("alerts", table(told(10_000)))

    @routes.get("/alerts/rules", summary="The rules in force")
    def rules() -> list[dict[str, Any]]:
        return [_rule(item) for item in rules_of(market)[0]]


def _alert(item: Alert) -> dict[str, Any]:
    return {
        "key": item.key, "rule": item.rule, "entity": item.entity, "episode": item.episode, "effect": item.effect.value,
        "day": item.day.isoformat(), "title": item.title, "value": item.value, "figure": item.figure_id,
    }  # fmt: skip


def _rule(item: Rule) -> dict[str, Any]:
    body = {name: getattr(item, name) for name in item.__slots__}
    texts = {name: str(body[name]) for name in ("enter", "leave", "coverage", "fdr")}
    return {**body, **texts, "channels": list(item.channels)}


def _csv(name: str, text: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return PlainTextResponse(text, media_type="text/csv", headers=headers)
