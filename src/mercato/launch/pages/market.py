"""The market of a live token."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from mercato.launch.market import market
from mercato.launch.pages.press import Press
from mercato.launch.views.market import shown


def add(router: APIRouter, press: Press) -> None:
    """Adds the page of a token's market."""

    @router.get("/launch/{id}/token")
    def show_market(request: Request, id: str) -> Response:
        launch = press.room.launch(id)
        held = market(press.room.chain, launch)
        return press.page(request, "token.html", topic="launch chains", launch=launch, shown=shown(launch, held))
