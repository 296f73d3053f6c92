"""Upstreams of the settings: what could never be asked is told of at the start."""

from __future__ import annotations

import asyncio
import logging

import pytest
from aiohttp import web
from pydantic import ValidationError

from mercato.compute.gateway.discovery import discover
from mercato.compute.opening import Upstreams
from mercato.compute.settings import Listed, Upstream
from mercato.core.settings import Secret
from tests.compute.node.world import served


@pytest.mark.parametrize("name", ["", " m", "m ", "qwen-ü", "a\nb", "x" * 201])
def test_a_model_that_nobody_can_ask_for_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="ASCII"):
        Upstream(url="https://host/v1", models={name: Listed(prompt=1)})


@pytest.mark.parametrize("name", ["m", "Qwen/Qwen3-32B", "gpt 4 (new)", "x" * 200])
def test_other_names_are_fine(name: str) -> None:
    assert name in Upstream(url="https://host/v1", models={name: Listed(prompt=1)}).models


def test_of_what_an_endpoint_lists_only_what_can_be_asked_for_is_taken() -> None:
    async def listed(request: web.Request) -> web.StreamResponse:
        return web.json_response({"data": [{"id": "m"}, {"id": "ü"}, {"id": ""}, {"id": 7}]})

    with served(listed) as url:
        found = asyncio.run(discover(url, Secret("")))

    assert list(found.models) == ["m"]


@pytest.mark.parametrize(
    ("url", "private", "told"),
    [("http://127.0.0.1:1/v1", False, 1), ("http://127.0.0.1:1/v1", True, 0), ("https://name.example/v1", False, 0)],
)
def test_an_address_that_will_not_be_connected_to_is_told_of_at_the_start(
    url: str, private: bool, told: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def start() -> None:
        await Upstreams({"garage": Upstream(url=url, private=private)}, 1).close()

    with caplog.at_level(logging.WARNING, "mercato.compute.gateway"):
        asyncio.run(start())

    assert ["garage" in line and "private = true" in line for line in caplog.messages] == [True] * told
