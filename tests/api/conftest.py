"""An application with a few routes that misbehave on purpose, and a real server for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, Query, Request
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from mercato.api import Health, Hub, Limits, Metrics, create
from mercato.api.testing import serve
from mercato.core.errors import Conflict, NotFound

FAULTS: list[str] = []


class Order(BaseModel):
    symbol: str
    size: int


def database() -> None:
    for reason in FAULTS:
        raise Conflict(reason)


def application(hub: Hub, metrics: Metrics) -> FastAPI:
    app = create(
        version="1.2.3", hub=hub, metrics=metrics, health=Health({"database": database}),
        limits=Limits(body_octets=1000, seconds=2), origins=("https://friend.example",),
    )  # fmt: skip

    @app.get("/api/tokens/{token}")
    def token(token: str, days: Annotated[int, Query(ge=1)] = 7) -> dict[str, object]:
        raise NotFound(f"token was {token!r}, which is unknown", hint="see /tokens", token=token, known={"b": 1})

    @app.post("/api/orders")
    async def order(order: Order) -> dict[str, int]:
        return {"size": order.size}

    @app.post("/api/raw")
    async def raw(request: Request) -> dict[str, int]:
        return {"octets": len(await request.body())}

    @app.get("/api/bug")
    def bug() -> None:
        raise ZeroDivisionError("the secret is 1234")

    @app.get("/api/slow")
    async def slow() -> None:
        await asyncio.sleep(60)

    @app.get("/api/large")
    def large() -> StreamingResponse:
        return StreamingResponse(iter(["x" * 100_000]), media_type="text/plain")

    return app


@pytest.fixture(scope="module")
def hub() -> Hub:
    return Hub()


@pytest.fixture(scope="module")
def client(hub: Hub) -> Iterator[httpx.Client]:
    with serve(application(hub, Metrics())) as address, httpx.Client(base_url=address, timeout=60) as made:
        yield made
