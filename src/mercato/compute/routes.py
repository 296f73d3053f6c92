"""The room as JSON: who serves and how well for everybody, what was asked and spent for operators."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from mercato.compute.office import shapes
from mercato.compute.office.service import Office
from mercato.core.spreadsheet import table
from mercato.visits import account

__all__ = ["router"]

Before = Annotated[
    str, Query(description="Only requests made before this one: `before` of a page", pattern=r"^(req_[0-9a-z]{26})?$")
]


Who = Annotated[str, Depends(account)]


def router(office: Office) -> APIRouter:
    """Returns the routes, to be mounted under `/api/compute`."""
    routes = APIRouter()
    _public(routes, office)

    def operators_only(who: Who) -> None:
        office.require(who)

    private = APIRouter(dependencies=[Depends(operators_only)])
    _private(private, office)
    routes.include_router(private)
    return routes


def _public(routes: APIRouter, office: Office) -> None:
    @routes.get("/fleet", summary="Who serves, and what goes on")
    def fleet() -> dict[str, Any]:
        """Returns providers with price, quality, latency and share of the last day, and the gateway's present load."""
        return shapes.fleet(office.fleet())

    @routes.get("/providers.csv", summary="Providers as CSV", response_class=Response)
    def providers_csv() -> Response:
        """Returns one line for each provider and model."""
        return Response(table(shapes.lines(office.fleet())), media_type="text/csv; charset=utf-8")

    @routes.get("/providers/{id}", summary="One provider")
    def provider(id: str) -> dict[str, Any]:
        """Returns a provider with every change of its standing, its newest audits and its disputes."""
        return shapes.profile(office.profile(id))

    @routes.get("/checks", summary="Audits, disputes and epochs")
    def checks() -> dict[str, Any]:
        """Returns what was audited last, every dispute, and the roots of closed epochs."""
        return shapes.checks(*office.checks())


def _private(routes: APIRouter, office: Office) -> None:
    @routes.get("/receipts", summary="Receipts, newest first")
    def receipts(before: Before = "") -> dict[str, Any]:
        """Returns a page of receipts; `before` asks for the next one, null after the last."""
        lines, more = office.receipts(before)
        return {"items": [shapes.line(it) for it in lines], "before": more or None}

    @routes.get("/receipts/{request}", summary="One receipt with its proof")
    def receipt(request: str) -> dict[str, Any]:
        """Returns a receipt, what a check of it found, and the proof that its epoch's root counts it."""
        return shapes.shown(office.shown(request))

    @routes.get("/money", summary="What is reserved, and what a day came to")
    def money() -> dict[str, Any]:
        """Returns the sums of all accounts and providers in micro-dollars."""
        return shapes.money(office.fleet())

    @routes.get("/spend", summary="What was spent by day, account and key")
    def spend() -> list[dict[str, Any]]:
        """Returns the last thirty days in micro-dollars."""
        return [shapes.spent(it) for it in office.spent()]

    @routes.get("/spend.csv", summary="Spend as CSV", response_class=Response)
    def spend_csv() -> Response:
        """Returns the last thirty days by day, account and key."""
        return Response(table([shapes.spent(it) for it in office.spent()]), media_type="text/csv; charset=utf-8")
