"""A node dials only where its prompts are safe, pauses as it should, and goes when it is thrown out."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.compute.model import Standing
from mercato.compute.node.dial import FIRST, LONGEST_PAUSE, address, pause
from mercato.compute.testing import stub
from mercato.core.errors import ConfigError, Conflict
from tests.compute.node.world import gateway, known, until


@pytest.mark.parametrize(
    ("gateway", "url", "name"),
    [
        ("https://GW.example", "wss://GW.example/v1/tunnel", "gw.example"),
        ("https://gw.example:8443/", "wss://gw.example:8443/v1/tunnel", "gw.example:8443"),
        ("https://gw.example/compute", "wss://gw.example/compute/v1/tunnel", "gw.example"),
        ("http://127.0.0.1:8600", "ws://127.0.0.1:8600/v1/tunnel", "127.0.0.1:8600"),
        ("http://localhost:8600", "ws://localhost:8600/v1/tunnel", "localhost:8600"),
    ],
)
def test_a_gateway_is_dialled_at_its_tunnel_and_called_as_it_was_written(gateway: str, url: str, name: str) -> None:
    assert address(gateway) == (url, name)


@pytest.mark.parametrize(
    "gateway", ["gw.example", "ws://gw.example", "https://", "https://u:p@gw.example", "https://gw.example?a=1", ""]
)
def test_what_is_no_address_of_a_gateway_is_refused(gateway: str) -> None:
    with pytest.raises(ConfigError, match="gateway was"):
        address(gateway)


def test_prompts_cross_a_network_in_the_clear_only_where_the_owner_says_so() -> None:
    with pytest.raises(ConfigError, match="without TLS"):
        address("http://192.168.0.7:8600")
    assert address("http://192.168.0.7:8600", plain=True)[0] == "ws://192.168.0.7:8600/v1/tunnel"


@given(st.integers(0, 10_000), st.integers())
def test_pauses_grow_to_a_bound_and_are_never_nothing(tries: int, seed: int) -> None:
    seconds = pause(tries, Random(seed))

    assert FIRST / 2 <= seconds <= max(FIRST, min(LONGEST_PAUSE, FIRST * 2 ** min(tries, 10)))


@pytest.mark.parametrize("standing", [Standing.SUSPENDED, Standing.EXITING, Standing.PENDING])
def test_a_node_that_may_not_serve_stays_connected_and_is_not_asked(tmp_path: Path, standing: Standing) -> None:
    async def run(url: str) -> None:
        async with gateway() as met, known(met, tmp_path, url):
            await met.hub.judge(replace(met.hub.members()[0], standing=standing))
            assert met.hub.candidates() == []
            assert len(met.hub.members()) == 1

    with stub() as upstream:
        asyncio.run(run(upstream.url))


def test_a_node_that_is_ejected_is_hung_up_on_and_ends_with_the_reason(tmp_path: Path) -> None:
    async def run(url: str) -> None:
        async with gateway() as met, known(met, tmp_path, url) as (_, task):
            await met.hub.judge(replace(met.hub.members()[0], standing=Standing.EJECTED))
            with pytest.raises(Conflict, match="provider is ejected"):
                await task
            await until(lambda: met.hub.members() == [])

    with stub() as upstream:
        asyncio.run(run(upstream.url))
