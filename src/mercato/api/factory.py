"""The application: errors as problems, limits, headers, health, metrics, live. Rooms add their routers to it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from mercato.api import health as health_routes
from mercato.api import problems
from mercato.api.health import Health
from mercato.api.hub import Hub
from mercato.api.live import Live
from mercato.api.metrics import Metrics
from mercato.api.middleware import BodyLimit, LastResort, RequestContext, SameOrigin, SecurityHeaders, TimeLimit

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one request may cost: bytes of body, seconds until an answer begins."""

    body_octets: int = 1_000_000
    seconds: float = 30.0


def create(
    *,
    version: str,
    hub: Hub,
    metrics: Metrics | None = None,
    health: Health | None = None,
    limits: Limits | None = None,
    origins: tuple[str, ...] = (),
    page: problems.PageRenderer | None = None,
    lifespan: Lifespan | None = None,
    outer: tuple[Middleware, ...] = (),
) -> FastAPI:
    """Returns an application without rooms. `page` renders problems for browsers; `outer` wraps everything within."""
    metrics, limits = metrics or Metrics(), limits or Limits()
    app = FastAPI(
        title="Mercato",
        version=version,
        summary="The open market for tokenized open-source AI agents",
        docs_url=None,  # the usual pages load scripts from elsewhere, which our policy forbids
        redoc_url=None,
        lifespan=lifespan,
        responses={
            "default": {"description": "A problem", "content": {problems.MEDIA_TYPE: {"schema": problems.SCHEMA}}}
        },
        middleware=[
            Middleware(RequestContext, metrics=metrics),
            Middleware(SecurityHeaders),
            Middleware(LastResort, page=page),
            Middleware(SameOrigin, origins=origins),
            *outer,
            Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5),
            Middleware(TimeLimit, seconds=limits.seconds),
            Middleware(BodyLimit, octets=limits.body_octets),
        ],
    )
    problems.install(app, page)
    app.include_router(health_routes.router(health or Health(), metrics))
    app.add_api_websocket_route("/live", Live(hub, origins=origins).endpoint)
    return app


def operations(app: FastAPI) -> list[dict[str, Any]]:
    """Returns the documented operations: method, path, summary, description, parameters, in the order of paths."""
    found = []
    for path, item in app.openapi().get("paths", {}).items():
        for method, operation in item.items():
            found.append({"method": method.upper(), "path": path, **operation})
    return sorted(found, key=lambda operation: (operation["path"], operation["method"]))
