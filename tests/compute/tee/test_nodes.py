"""A node behind a tunnel passes on what proves its upstream's machine: a job asks, a worker brings, a job judges."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from mercato.compute import roster
from mercato.compute.attesting import Attestation
from mercato.compute.fleet.confidential import Confidential, Vault
from mercato.compute.gateway.sealing import Sealed
from mercato.compute.model import Offer, ProviderId
from mercato.compute.settings import ComputeSettings, Software
from mercato.compute.tee import challenges
from mercato.compute.tee.courier import Courier
from mercato.compute.tee.testing import Maker
from mercato.compute.tee.words import Finding, Level, Signer
from mercato.compute.verify.signature import Place, Signatures
from mercato.core.clock import HandClock
from mercato.store.bare import Bare
from mercato.store.testing import sqlite_store
from tests.compute.node.documents import offer
from tests.compute.node.world import JSON, PATIENCE, Gateway, joined, read, way
from tests.compute.tee.machines import ACCEPTED, clock
from tests.compute.verify.test_protocol import RECEIPT

TRUSTED = offer("toy", upstream="engine", features=frozenset({"tee"}))
TOY = ACCEPTED.model_copy(update={"models": frozenset({"toy"})})
BODY = json.dumps({"model": "engine", "messages": [{"role": "user", "content": "What?"}], "max_tokens": 3}).encode()


@dataclass
class World:
    """A gateway with a node whose upstream says that it is in a trusted machine, and the store between both jobs."""

    met: Gateway
    one: Confidential
    url: str
    clock: HandClock
    job: Attestation

    @property
    def provider(self) -> ProviderId:
        return self.met.hub.members()[0].id

    def check(self) -> list[Finding]:
        """Runs the job, which has a loop of its own."""
        return self.job.check()

    async def checked(self) -> list[Finding]:
        return await asyncio.to_thread(self.check)

    async def bring(self) -> int:
        """Runs the courier of the worker that the node dialled."""
        return await Courier(self.url, self.met.hub.line, "ecdsa").turn()


@asynccontextmanager
async def world(home: Path, offered: Offer = TRUSTED, accepted: Software = TOY) -> AsyncIterator[World]:
    sqlite_store(home).close()
    url, hand = f"sqlite:///{home / 'mercato.db'}", clock()
    maker = Maker(hand.now())
    with Confidential(maker, models=("engine",)) as one, Vault(maker) as vault:
        told = {"pccs": vault.url, "private": True, "nodes": "ecdsa", "software": {"house-1": accepted}}
        job = Attestation(url, home, ComputeSettings.model_validate({"tee": told}), hand, root=maker.root)
        async with joined(home, one.url, offered) as (met, _):
            provider = met.hub.members()[0]
            with Bare(url) as bare, bare.transaction():
                roster.save(bare, provider, hand.now())
                roster.offer(bare, provider.id, [replace(offered, provider=provider.id, until=None)])
            yield World(met, one, url, hand, job)


def test_a_node_is_asked_by_the_worker_that_it_dialled_and_judged_by_the_job(tmp_path: Path) -> None:
    async def run() -> tuple[list[Finding], int, list[Finding], list[str]]:
        async with world(tmp_path) as here:
            return await here.checked(), await here.bring(), await here.checked(), here.one.nonces

    posed, brought, (found,), nonces = asyncio.run(run())

    assert (posed, brought) == ([], 1)
    assert (found.level, found.software, found.model) == (Level.ATTESTED, "house-1", "toy")
    assert nonces == [found.nonce]


@pytest.mark.parametrize("models", [frozenset[str](), frozenset({"another"})])
def test_software_that_may_serve_another_model_proves_nothing_of_a_nodes_own(
    tmp_path: Path, models: frozenset[str]
) -> None:
    async def run() -> list[Finding]:
        async with world(tmp_path, accepted=ACCEPTED.model_copy(update={"models": models})) as here:
            await here.checked()
            await here.bring()
            return await here.checked()

    assert [it.level for it in asyncio.run(run())] == [Level.HARDWARE]


def test_a_node_that_shows_nothing_in_time_has_proven_nothing(tmp_path: Path) -> None:
    async def run() -> list[Finding]:
        async with world(tmp_path) as here:
            await here.checked()
            here.clock.move(challenges.PATIENCE + timedelta(seconds=1))
            return await here.checked()

    (found,) = asyncio.run(run())

    assert found.level is Level.NOTHING
    assert "no report in time" in found.why


def test_a_node_is_asked_once_until_it_has_answered_and_not_again_before_it_is_due(tmp_path: Path) -> None:
    async def run() -> list[int]:
        async with world(tmp_path) as here:
            await here.checked()
            await here.checked()
            brought = [await here.bring(), await here.bring()]
            await here.checked()
            await here.checked()
            return [*brought, await here.bring()]

    assert asyncio.run(run()) == [1, 0, 0]


def test_an_offer_that_claims_nothing_is_not_asked_and_its_node_shows_nothing(tmp_path: Path) -> None:
    plain = offer("toy", upstream="engine")

    async def run() -> tuple[list[Finding], int, int]:
        async with world(tmp_path, plain) as here:
            path = f"/attestation/report?model=toy&nonce={'ab' * 32}&signing_algo=ecdsa"
            return await here.checked(), await here.bring(), (await read(way(here.met), b"", path))[0]

    assert asyncio.run(run()) == ([], 0, 404)


@pytest.mark.parametrize(
    "path",
    [
        "/models",
        "/attestation/report",
        "/attestation/../models?model=toy",
        "/signature/a/b?model=toy",
        "/signature/?m=1",
    ],
)
def test_a_node_passes_on_no_other_look_at_its_upstream(tmp_path: Path, path: str) -> None:
    async def run() -> int:
        async with world(tmp_path) as here:
            return (await read(way(here.met), b"", path))[0]

    assert asyncio.run(run()) == 404


def test_the_signature_of_a_nodes_answer_comes_through_its_tunnel(tmp_path: Path) -> None:
    async def run() -> tuple[Signer | None, bytes]:
        async with world(tmp_path) as here:
            line = way(here.met)
            sealed = Sealed(await line.open("/chat/completions", BODY, JSON, deadline=PATIENCE), BODY)
            assert [piece async for piece in sealed.chunks()]
            seal = sealed.seal()
            assert seal is not None
            signatures = Signatures(lambda provider: line, {}, Place("/signature", "ecdsa", {}))
            receipt = replace(RECEIPT, provider=here.provider, model="toy")
            return await signatures.fetched(seal, receipt), here.one.signer

    signer, key = asyncio.run(run())

    assert signer == Signer("ecdsa", key)
