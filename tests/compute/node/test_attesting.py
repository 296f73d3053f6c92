"""Weights that an offer names are asked for only once its node attested them; a lie that was signed is the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from websockets.asyncio.server import ServerConnection

from mercato.compute.model import Provider, ProviderId, Standing
from mercato.compute.node.attesting import Parts, Question, attested, read
from mercato.compute.node.keyfile import NodeKey
from mercato.compute.node.provide import prepared
from mercato.compute.node.settings import NodeSettings
from mercato.compute.statements import contradiction
from mercato.compute.testing import MemoryRoll, stub
from mercato.core.errors import InvalidInput
from tests.compute.node.documents import GATEWAY, KEY, NOW, OTHER, offer
from tests.compute.node.test_rogue import rogue
from tests.compute.node.world import Gateway, Node, gateway, made, running, served, until

GOOD, BAD = "a" * 64, "b" * 64
ASKED = Question(GATEWAY, "0" * 64, "1" * 128)


def known(key: NodeKey) -> MemoryRoll:
    roll = MemoryRoll()
    roll.providers[key.public] = Provider(ProviderId("prov_1"), "node", Standing.ACTIVE, key=key.public)
    return roll


@asynccontextmanager
async def met(folder: Path, url: str, tokenizers: Mapping[str, str]) -> AsyncIterator[tuple[Gateway, Node]]:
    """A gateway, and a node that offers `toy` with the good weights and tokenizer, and looks at these tokenizers."""
    async with gateway(0.2, roll=known(KEY)) as here:
        node = made(folder, url, here.url, offer("toy", weights=GOOD, tokenizer=GOOD), offer("bare"), key=KEY)

        async def look() -> Mapping[str, Parts]:
            return {model: {"weights": GOOD, "tokenizer": hash} for model, hash in tokenizers.items()}

        node.serving.look = look
        async with running(node):
            yield here, node


def names(here: Gateway) -> set[str]:
    return {one.model for _, one in here.hub.candidates()}


def test_an_offer_that_names_its_parts_is_asked_for_once_they_were_attested(tmp_path: Path) -> None:
    async def run(url: str) -> None:
        tokenizers = {"toy": BAD}
        async with met(tmp_path, url, tokenizers) as (here, node):
            await until(lambda: [line for line in node.said if line["what"] == "not attested"])
            assert names(here) == {"bare"}
            tokenizers["toy"] = GOOD
            await until(lambda: names(here) == {"bare", "toy"})
            assert here.roll.contradictions == []

    with stub() as upstream:
        asyncio.run(run(upstream.url))


@pytest.mark.parametrize("part", ["weights", "tokenizer"])
def test_whoever_signs_another_part_than_it_offered_is_out_with_the_proof_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """A node whose program was changed to sign whatever it serves."""

    async def lie(self: Any, wire: Any, asked: Question) -> None:
        document = attested(KEY, asked, {"toy": {part: BAD}}, NOW)
        await wire.send(json.dumps({"type": "attested", "document": document}))

    monkeypatch.setattr("mercato.compute.node.dial.Dialler._attest", lie)

    async def run(url: str) -> list[Any]:
        async with met(tmp_path, url, {}) as (here, _):
            await until(lambda: here.roll.contradictions)
            await until(lambda: not here.hub.members())
            return here.roll.contradictions

    with stub() as upstream:
        found = asyncio.run(run(upstream.url))
    provider, first, second = found[0]

    assert provider == "prov_1"
    assert contradiction(first, second, KEY.public) == f"it attested other {part} of 'toy' than it offered"


@pytest.mark.parametrize(
    "name", ["key", "nonce", "offers", "gateway", "weights", "template", "at", "signature", "more"]
)
def test_an_attestation_that_was_changed_or_is_of_another_question_is_refused(name: str) -> None:
    parts = {"m": {"weights": GOOD, "template": BAD}, "n": {"tokenizer": GOOD}}
    body = attested(KEY, ASKED, parts, NOW)
    other: dict[str, Any] = {"weights": {"m": BAD}, "template": {}, "at": 5, "more": 1}
    changed = {**body, name: other.get(name, "2" * 64)}

    assert read(body, key=KEY.public, asked=ASKED, gateways=frozenset({GATEWAY})) == parts
    with pytest.raises(InvalidInput):
        read(changed, key=KEY.public, asked=ASKED, gateways=frozenset({GATEWAY}))


def test_an_attestation_of_before_tells_weights_only_and_is_read_as_ever() -> None:
    body = attested(KEY, ASKED, {"m": {"weights": GOOD}}, NOW)

    assert set(body) == {"kind", "gateway", "key", "nonce", "offers", "at", "weights", "signature"}
    assert read(body, key=KEY.public, asked=ASKED, gateways=frozenset({GATEWAY})) == {"m": {"weights": GOOD}}


@pytest.mark.parametrize("part", ["weights", "tokenizer", "template"])
@pytest.mark.parametrize("hashes", [{"m": "short"}, {"m": 5}, {str(at): GOOD for at in range(65)}], ids=str)
def test_parts_that_are_no_hashes_or_too_many_are_refused(part: str, hashes: Any) -> None:
    body = attested(KEY, ASKED, {model: {part: hash} for model, hash in hashes.items()}, NOW)

    with pytest.raises(InvalidInput, match=f"{part} were"):
        read(body, key=KEY.public, asked=ASKED, gateways=frozenset({GATEWAY}))


def test_an_attestation_by_another_key_is_refused() -> None:
    body = attested(OTHER, ASKED, {}, NOW)

    with pytest.raises(InvalidInput, match="another question"):
        read(body, key=KEY.public, asked=ASKED, gateways=frozenset({GATEWAY}))


def test_a_gateway_gets_no_word_on_offers_that_were_not_made_to_it(tmp_path: Path) -> None:
    """Else it could ask about an old document, and have what is served now contradict that."""
    heard: list[dict[str, Any]] = []

    async def script(socket: ServerConnection) -> None:
        offered = json.loads(await socket.recv())["document"]
        for signature in ("0" * 128, offered["signature"]):
            await socket.send(json.dumps({"type": "attest", "nonce": "1" * 64, "offers": signature}))
            await asyncio.sleep(0.2)
        while True:
            heard.append(json.loads(await socket.recv()))

    async def run(upstream: str) -> None:
        async with rogue(script) as address:
            node = made(tmp_path, upstream, address, offer("toy", weights=GOOD))
            async with running(node):
                await until(lambda: [said for said in heard if said["type"] == "attested"])

    with stub() as upstream:
        asyncio.run(run(upstream.url))
    words = [said["document"] for said in heard if said["type"] == "attested"]

    assert [(it["offers"] != "0" * 128, it["weights"]) for it in words] == [(True, {"toy": GOOD})]


def test_a_node_looks_at_its_server_before_it_attests(tmp_path: Path) -> None:
    models = [{"id": "a", "digest": f"sha256:{GOOD}"}, {"id": "b", "digest": GOOD}]

    async def answer(request: web.Request) -> web.Response:
        body: Any = {"choices": [{"message": {"content": "hello"}}]}
        return web.json_response({"data": models} if request.method == "GET" else body)

    async def run(url: str) -> list[Mapping[str, Parts]]:
        each = {"prompt": 1, "completion": 1, "synced": True}
        wanted = NodeSettings(upstream=url, gateways=("http://127.0.0.1:9",), models={"a": each, "b": each})
        node = await prepared(wanted, tmp_path, lambda what, **facts: None)
        found = [await node.serving.parts()]
        assert all("seed_gumbel_1" in offer.features for offer in node.serving.offers.values())
        models[0] = {"id": "a", "digest": BAD}
        del models[1]
        found.append(await node.serving.parts())
        await node.serving.upstream.close()
        node.serving.daybook.close()
        return found

    with served(answer) as url:
        assert asyncio.run(run(url)) == [{"a": {"weights": GOOD}, "b": {"weights": GOOD}}, {}]
