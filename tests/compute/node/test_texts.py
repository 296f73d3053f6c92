"""A node knows which tokenizer and chat template its model's files hold, and does not serve others than promised."""

from __future__ import annotations

import asyncio
import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from typer.testing import CliRunner

from mercato.compute import commands
from mercato.compute.model import Offer
from mercato.compute.node import gguf
from mercato.compute.node.provide import prepared, ware
from mercato.compute.node.settings import NodeSettings, Served
from mercato.compute.node.texts import Sources, Texts, hashed, of
from mercato.compute.node.upstream import Upstream
from mercato.core.errors import ConfigError
from mercato.core.settings import Secret
from tests.compute.node.world import served

TEMPLATE = "{% for message in messages %}{{ message.content }}{% endfor %}é"
ARRAY, STRING, UINT32, BOOL = 9, 8, 4, 7


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


LISTED = f"{sha('{}')}  vocab.json\n{sha('a b')}  merges.txt\n"


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def pair(name: str, kind: int, value: bytes) -> bytes:
    return text(name) + struct.pack("<I", kind) + value


def words(*all: str) -> bytes:
    return struct.pack("<IQ", STRING, len(all)) + b"".join(map(text, all))


TOKENS = pair("tokenizer.ggml.tokens", ARRAY, words("the", "a"))
KINDS = pair("tokenizer.ggml.token_type", ARRAY, struct.pack("<IQ2I", UINT32, 2, 1, 1))
BOS = pair("tokenizer.ggml.add_bos_token", BOOL, b"\1")
NAME = pair("general.name", STRING, text("toy"))
CHAT = pair("tokenizer.chat_template", STRING, text(TEMPLATE))


def model(*pairs: bytes, version: int = 3, magic: bytes = b"GGUF") -> bytes:
    return struct.pack("<4sIQQ", magic, version, 0, len(pairs)) + b"".join(pairs) + b"tensors"


def file(folder: Path, *pairs: bytes, **more: Any) -> Path:
    path = folder / "model.gguf"
    path.write_bytes(model(*pairs, **more))
    return path


def chat(template: Any) -> str:
    return json.dumps({"chat_template": template})


def folder(where: Path, **files: str) -> Path:
    for name, content in files.items():
        (where / name.replace("__", ".")).write_text(content, encoding="utf-8")
    return where


def test_a_gguf_file_tells_its_tokenizer_and_template_in_whatever_order(tmp_path: Path) -> None:
    first = gguf.texts(file(tmp_path, NAME, TOKENS, KINDS, CHAT, BOS))
    second = gguf.texts(file(tmp_path, BOS, CHAT, KINDS, TOKENS, version=2))

    assert first == second == (hashlib.sha256(BOS + KINDS + TOKENS).hexdigest(), TEMPLATE)


@pytest.mark.parametrize(
    "other", [(TOKENS, KINDS), (pair("tokenizer.ggml.tokens", ARRAY, words("a", "the")), KINDS, BOS)]
)
def test_another_vocabulary_or_another_setting_of_it_has_another_hash(tmp_path: Path, other: tuple[bytes, ...]) -> None:
    assert gguf.texts(file(tmp_path, *other)) != gguf.texts(file(tmp_path, TOKENS, KINDS, BOS))


def test_a_gguf_file_without_a_tokenizer_tells_none(tmp_path: Path) -> None:
    assert of(file(tmp_path, NAME)) == Texts()


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"GGUF", model(TOKENS, magic=b"FUGG"), model(TOKENS, version=1), model(TOKENS)[:60],
        model(pair("x", 77, b"")), model(pair("x", STRING, struct.pack("<Q", 2**63))),
        model(pair("x", ARRAY, struct.pack("<IQ", UINT32, 2**62))), struct.pack("<4sIQQ", b"GGUF", 3, 0, 2**40),
        model(pair("x", ARRAY, struct.pack("<IQ", ARRAY, 1) * 5_000)),
    ],
    ids=lambda raw: f"{len(raw)} octets",
)  # fmt: skip
def test_what_is_no_gguf_or_breaks_off_is_refused(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(raw)

    with pytest.raises(ConfigError, match="no GGUF that can be read"):
        gguf.texts(path)


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"tokenizer__json": "{}", "tokenizer__model": "x"}, Texts(sha("{}"))),
        ({"vocab__json": "{}", "merges__txt": "a b"}, Texts(sha(LISTED))),
        ({"vocab__json": "{}"}, Texts()),
        ({"tokenizer_config__json": chat(TEMPLATE)}, Texts("", sha(TEMPLATE))),
        ({"tokenizer_config__json": chat([{"name": "tool_use", "template": "x"},
                                          {"name": "default", "template": "y"}])}, Texts("", sha("y"))),
        ({"tokenizer_config__json": "{}", "chat_template__json": chat("y")}, Texts("", sha("y"))),
        ({"chat_template__jinja": "z", "tokenizer_config__json": chat("y")}, Texts("", sha("z"))),
        ({"README__md": "nothing"}, Texts()),
    ],
)  # fmt: skip
def test_a_folder_tells_by_the_files_that_hosts_of_models_publish(
    tmp_path: Path, files: dict[str, str], found: Texts
) -> None:
    assert of(folder(tmp_path, **files)) == found


def test_a_template_is_the_same_in_a_folder_and_in_a_gguf_file(tmp_path: Path) -> None:
    inside = of(file(tmp_path, TOKENS, CHAT))
    beside = of(folder(tmp_path, tokenizer_config__json=chat(TEMPLATE)))

    assert inside.template == beside.template == hashed(TEMPLATE)
    assert inside.tokenizer == beside.tokenizer


@pytest.mark.parametrize("content", ["{", "[]", '{"chat_template": [5]}', "[" * 200_000])
def test_a_configuration_that_cannot_be_read_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(ConfigError, match="no tokenizer's configuration"):
        of(folder(tmp_path, tokenizer_config__json=content))


def test_a_tokenizers_file_stands_for_itself_and_other_files_for_nothing(tmp_path: Path) -> None:
    where = folder(tmp_path, tokenizer__json="{}", weights__safetensors="x")

    assert of(where / "tokenizer.json") == Texts(sha("{}"))
    assert of(where / "weights.safetensors") == Texts()


def test_a_template_of_its_own_goes_before_the_models(tmp_path: Path) -> None:
    (tmp_path / "own.jinja").write_text("own")
    where = folder(tmp_path, tokenizer__json="{}", chat_template__jinja="z")

    assert Sources(where, tmp_path / "own.jinja").read() == Texts(sha("{}"), sha("own"))
    with pytest.raises(ConfigError, match="not readable"):
        Sources(where, tmp_path / "none.jinja").read()


def answering(props: dict[str, Any]) -> Any:
    """A server with OpenAI's API that tells more of itself beside it, as llama.cpp does."""

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/props":
            return web.json_response(props, status=200 if props else 404)
        if request.method == "GET":
            return web.json_response({"data": [{"id": "m"}]})
        return web.json_response({"choices": [{"message": {"content": "hello"}}]})

    return answer


async def looked(url: str, promised: Served) -> Offer:
    upstream = Upstream(url, Secret(""))
    try:
        return (await ware(upstream, "m", promised, 4)).offer
    finally:
        await upstream.close()


def test_a_node_offers_the_hashes_of_its_files_and_what_its_owner_tells_of_the_engine(tmp_path: Path) -> None:
    path = file(tmp_path, TOKENS, CHAT)
    expect = {"expect_tokenizer": hashlib.sha256(TOKENS).hexdigest(), "expect_template": sha(TEMPLATE)}

    with served(answering({"chat_template": TEMPLATE})) as url:
        promised = Served(prompt=1, completion=1, weights=str(path), engine={"kv_cache_dtype": "fp8"}, **expect)
        found = asyncio.run(looked(url, promised))

    assert (found.tokenizer, found.template) == (expect["expect_tokenizer"], expect["expect_template"])
    assert (found.weights, found.engine) == (
        hashlib.sha256(path.read_bytes()).hexdigest(),
        (("kv_cache_dtype", "fp8"),),
    )


@pytest.mark.parametrize(
    ("promised", "props", "why"),
    [
        ({"expect_tokenizer": "a" * 64}, {}, "tokenizer of 'm' was .*, expected aaaa"),
        ({"expect_template": "a" * 64}, {}, "template of 'm' was .*, expected aaaa"),
        ({"weights": "", "expect_tokenizer": "a" * 64}, {}, "not known: name the model's folder"),
        ({}, {"chat_template": "another"}, "uses another chat template than its files have, 'another'"),
        ({"weights": "", "expect_template": sha("x")}, {"chat_template": "another"}, "template of 'm' was"),
        ({"tokenizer": "/nowhere"}, {}, "which is not there"),
    ],
)
def test_a_node_does_not_start_on_texts_that_were_not_promised(
    tmp_path: Path, promised: dict[str, str], props: dict[str, Any], why: str
) -> None:
    given = {"weights": str(file(tmp_path, TOKENS, CHAT))} | promised

    with served(answering(props)) as url, pytest.raises(ConfigError, match=why):
        asyncio.run(looked(url, Served(prompt=1, completion=1, **given)))


def test_a_node_that_is_asked_reads_its_files_again(tmp_path: Path) -> None:
    path = file(tmp_path, TOKENS, CHAT)

    async def run(url: str) -> list[Any]:
        each = {"prompt": 1, "completion": 1, "weights": str(path)}
        node = await prepared(
            NodeSettings(upstream=url, gateways=("http://127.0.0.1:9",), models={"m": each}), tmp_path / "node",
            lambda what, **facts: None,
        )  # fmt: skip
        found = [await node.serving.parts()]
        path.write_bytes(model(BOS, CHAT))
        found.append(await node.serving.parts())
        path.unlink()
        found.append(await node.serving.parts())
        await node.serving.upstream.close()
        node.serving.daybook.close()
        return found

    with served(answering({})) as url:
        first, changed, gone = asyncio.run(run(url))

    assert first["m"]["tokenizer"] == hashlib.sha256(TOKENS).hexdigest()
    assert changed["m"] == first["m"] | {"tokenizer": hashlib.sha256(BOS).hexdigest()}
    assert gone == {}


def test_a_command_prints_the_hashes_for_the_settings(tmp_path: Path) -> None:
    path = file(tmp_path, TOKENS)
    done = CliRunner().invoke(commands.app, ["node", "hashes", str(path)])

    assert done.output.splitlines() == [
        f"weights    {hashlib.sha256(path.read_bytes()).hexdigest()}",
        f"tokenizer  {hashlib.sha256(TOKENS).hexdigest()}",
        "template   not there",
    ]
