"""The door for nodes, as the gateway's settings want it: who may dial in, by which names, and for which models."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from mercato.compute.books import Signer
from mercato.compute.books.till import Till
from mercato.compute.model import ModelSpec, ProviderId
from mercato.compute.node.enrolment import Enrolment
from mercato.compute.node.hub import Hub
from mercato.core.clock import SystemClock
from mercato.core.events import Json

if TYPE_CHECKING:
    from mercato.compute.settings import ComputeSettings


@asynccontextmanager
async def tunnels(wanted: ComputeSettings, url: str, place: socket.socket, signer: Signer) -> AsyncIterator[Hub]:
    """Gives the hub of one worker, which listens at `place`; its connections are closed at the end."""
    clock = SystemClock()
    roll = Enrolment(Till(url, clock, signer), welcome=wanted.nodes == "anyone", specs=specs(wanted), slash=_slash)
    hub = Hub(roll, names=names(wanted, place), signer=signer.public, clock=clock, beat=wanted.node_seconds,
              workers=wanted.workers)  # fmt: skip
    try:
        yield hub
    finally:
        await hub.close()
        await roll.close()


def _slash(till: Till, provider: ProviderId, first: Mapping[str, Json], second: Mapping[str, Json]) -> None:
    from mercato.compute.slashing import slash  # hardly ever needed, and not to be in every worker

    slash(till, provider, first, second)


def specs(wanted: ComputeSettings) -> dict[str, ModelSpec]:
    """Returns how models should be served, by id: what the settings say, field by field."""
    return {model: ModelSpec(model, **vars(one)) for model, one in wanted.specs.items()}


def names(wanted: ComputeSettings, place: socket.socket) -> frozenset[str]:
    """Returns what nodes may call this gateway: the names of the settings, and this machine's own with the port."""
    port = place.getsockname()[1]
    here = {f"{host}:{port}" for host in ("127.0.0.1", "localhost", "[::1]", place.getsockname()[0])}
    return frozenset(here | {name.lower() for name in wanted.names})
