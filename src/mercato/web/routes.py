"""The routes of the web floor itself: static files and the theme that a visitor chose."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from mercato.web.page import COOKIE, Theme
from mercato.web.site import Site

_YEAR = 31_536_000


def router(site: Site) -> APIRouter:
    """Returns the routes that serve the site's own files and settings."""
    routes = APIRouter(include_in_schema=False)
    routes.add_api_route("/static/{name}", site.assets.serve, methods=["GET", "HEAD"])

    @routes.get("/favicon.ico")
    async def icon() -> Response:
        return RedirectResponse(site.assets.url("mark.svg") or "/", 307)

    @routes.post("/theme")
    async def theme(request: Request, theme: Annotated[Theme, Form()]) -> Response:
        fetched = request.headers.get("x-requested-with") == "fetch"
        answer = Response(status_code=204) if fetched else RedirectResponse(_back(request), 303)
        answer.set_cookie(
            COOKIE, theme, max_age=_YEAR, httponly=True, samesite="lax", secure=request.url.scheme == "https"
        )
        return answer

    return routes


def _back(request: Request) -> str:
    """Returns the path that the visitor came from; never another site."""
    came = urlsplit(request.headers.get("referer", ""))
    if came.netloc != request.headers.get("host") or not came.path.startswith("/") or came.path.startswith("//"):
        return "/"
    return came.path + (f"?{came.query}" if came.query else "")
