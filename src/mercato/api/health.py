"""Whether the process lives (`/healthz`), whether it can serve (`/readyz`), and its counts (`/metrics`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog
from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from mercato.api.metrics import MEDIA_TYPE, Metrics

log = structlog.get_logger("mercato.health")

Check = Callable[[], None]
"""Returns where all is well, and raises where it is not. It runs in a thread."""


@dataclass(frozen=True)
class Health:
    """The checks behind `/readyz`, by name, and the longest that all of them may take together."""

    checks: Mapping[str, Check] = field(default_factory=dict)
    seconds: float = 3.0

    async def failures(self) -> dict[str, str]:
        """Returns what is not ready, with the reason in the words of the error's class."""
        found: dict[str, str] = {}
        for name, check in self.checks.items():
            try:
                async with asyncio.timeout(self.seconds):
                    await asyncio.to_thread(check)
            except Exception as error:
                log.warning("not ready", check=name, error=str(error))
                found[name] = type(error).__name__
        return found


def router(health: Health, metrics: Metrics) -> APIRouter:
    """Returns the routes of health and metrics, outside the documented API."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @routes.get("/readyz")
    async def readyz() -> Response:
        failed = await health.failures()
        body = {"status": "ready" if not failed else "not ready", "failed": failed}
        return JSONResponse(body, 503 if failed else 200)

    @routes.get("/metrics")
    async def prometheus() -> Response:
        text = await asyncio.to_thread(metrics.text)  # rooms may ask the database
        return Response(text, media_type=MEDIA_TYPE)

    return routes
