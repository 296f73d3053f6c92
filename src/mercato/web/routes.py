"""The routes of the web floor itself: static files and the theme that a visitor chose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from mercato.core.errors import InvalidInput
from mercato.web.page import COOKIE
from mercato.web.site import Site

_YEAR = 31_536_000


def router(site: Site, operations: Callable[[], Sequence[Mapping[str, Any]]] = tuple) -> APIRouter:
    """Returns the site's own routes; `operations` lists what the JSON API offers, for the page about it."""
    routes = APIRouter(include_in_schema=False)
    routes.add_api_route("/static/{name}", site.assets.serve, methods=["GET", "HEAD"])

    @routes.get("/favicon.ico")
    async def icon() -> Response:
        return RedirectResponse(site.assets.url("mark.svg") or "/", 307)

    @routes.post("/theme")
    async def theme(request: Request) -> Response:
        (chosen,) = parse_qs((await request.body()).decode("ascii", "replace")).get("theme", [""])[:1]
        if chosen not in ("light", "dark"):
            raise InvalidInput(f"theme was {chosen!r}", hint="light or dark")
        fetched = request.headers.get("x-requested-with") == "fetch"
        answer = Response(status_code=204) if fetched else RedirectResponse(_back(request), 303)
        answer.set_cookie(
            COOKIE, chosen, max_age=_YEAR, httponly=True, samesite="lax", secure=request.url.scheme == "https"
        )
        return answer

    @routes.get("/")
    async def start() -> Response:
        return RedirectResponse(site.nav[0].path, 307) if site.nav else site.render("web/start.html")

    @routes.get("/api")
    async def interface() -> Response:
        return site.render("web/api.html", operations=operations())

    return routes


def _back(request: Request) -> str:
    """Returns the path that the visitor came from; never another site."""
    came = urlsplit(request.headers.get("referer", ""))
    if came.netloc != request.headers.get("host") or not came.path.startswith("/") or came.path.startswith("//"):
        return "/"
    return came.path + (f"?{came.query}" if came.query else "")
