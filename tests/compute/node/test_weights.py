"""A node knows which weights it serves, and does not serve others than its owner promised."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from mercato.compute.node.provide import ware
from mercato.compute.node.settings import Served
from mercato.compute.node.upstream import Upstream
from mercato.compute.node.weights import contradiction, hashed, told
from mercato.core.errors import ConfigError
from mercato.core.settings import Secret
from tests.compute.node.world import served

TENSORS = b"tensors" * 1000


def test_a_file_has_the_hash_that_hosts_of_models_publish(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(TENSORS)

    assert hashed(path) == hashlib.sha256(TENSORS).hexdigest()


def test_a_folder_has_the_hash_of_its_list_whatever_lies_beside_the_weights(tmp_path: Path) -> None:
    for name in ("b.safetensors", "a.safetensors"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "README.md").write_text("hello")
    listed = "".join(
        f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n" for name in ("a.safetensors", "b.safetensors")
    )

    assert hashed(tmp_path) == hashlib.sha256(listed.encode()).hexdigest()


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a file, or a folder"):
        hashed(tmp_path)


@pytest.mark.parametrize(
    ("entry", "fits"),
    [
        ({"id": "m"}, True),
        ({"digest": f"sha256:{'a' * 64}"}, True),
        ({"digest": f"sha256:{'b' * 64}"}, False),
        ({"sha256": "b" * 64}, False),
        ({"digest": "unreadable"}, True),
        ({"root": "/elsewhere/model"}, False),
        ({"root": "org/model"}, True),
        ({"meta": {"size": len(TENSORS)}}, True),
        ({"meta": {"size": len(TENSORS) - 70}}, True),
        ({"meta": {"size": len(TENSORS) - 71}}, False),
        ({"meta": {"size": len(TENSORS) + 1}}, False),
        ({"meta": {"size": "large"}}, True),
        ({"meta": [1]}, True),
    ],
)
def test_what_an_upstream_says_of_its_model_must_fit_the_file(
    tmp_path: Path, entry: dict[str, Any], fits: bool
) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(TENSORS)

    assert (contradiction(entry, path, "a" * 64) == "") is fits


def test_a_hash_is_told_in_either_spelling() -> None:
    assert told({"digest": f"sha256:{'a' * 64}"}) == told({"sha256": "a" * 64}) == "a" * 64
    assert told({"digest": "md5:1"}) == ""


async def looked(entry: dict[str, Any], promised: Served) -> str:
    async def answer(request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.json_response({"data": [{"id": "m"} | entry]})
        return web.json_response({"choices": [{"message": {"content": "hello"}}]})

    with served(answer) as url:
        upstream = Upstream(url, Secret(""))
        try:
            return (await ware(upstream, "m", promised, 4)).offer.weights
        finally:
            await upstream.close()


def test_a_node_offers_the_hash_that_it_measured(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(TENSORS)
    expect = hashlib.sha256(TENSORS).hexdigest()

    found = asyncio.run(looked({}, Served(prompt=1, completion=1, weights=str(path), expect=expect)))

    assert found == expect


@pytest.mark.parametrize(
    ("entry", "promised", "why"),
    [
        ({}, {"expect": "a" * 64}, "not known: name the file"),
        ({"digest": "b" * 64}, {"expect": "a" * 64}, "expected aaaa"),
        ({}, {"weights": "FILE", "expect": "a" * 64}, "expected aaaa"),
        ({"digest": "b" * 64}, {"weights": "FILE"}, "serves other weights"),
        ({}, {"weights": "NONE"}, "a file, or a folder"),
        ({}, {"upstream": "n"}, "had no model 'n'"),
    ],
)
def test_a_node_does_not_start_on_weights_that_were_not_promised(
    tmp_path: Path, entry: dict[str, Any], promised: dict[str, str], why: str
) -> None:
    (tmp_path / "FILE").write_bytes(TENSORS)
    places = {"weights": str(tmp_path / promised["weights"])} if "weights" in promised else {}

    with pytest.raises(ConfigError, match=why):
        asyncio.run(looked(entry, Served(prompt=1, completion=1, **(promised | places))))
