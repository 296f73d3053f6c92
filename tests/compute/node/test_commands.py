"""The node's commands say what is wrong in words, before anything is offered."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mercato.compute import commands
from mercato.compute.node.keyfile import opened
from mercato.compute.testing import stub
from mercato.core.errors import ConfigError, InvalidInput


def mercato(*arguments: str) -> str:
    """What a command prints, or the error that it ends with, for which the command line exits with 2."""
    done = CliRunner().invoke(commands.app, arguments)
    assert done.exception is None or isinstance(done.exception, ConfigError | InvalidInput), done.exception
    return f"{done.output}{done.exception or ''}"


def provide(upstream: str, *more: str, gateway: str = "http://127.0.0.1:9") -> str:
    return mercato("provide", "--upstream", upstream, "--gateway", gateway, "--model", "toy", *more)


def test_a_key_is_made_once_and_shown_without_its_secret(home: Path) -> None:
    first, second = mercato("node", "key"), mercato("node", "key")
    public = opened(home / "node" / "key.pem").public

    assert [first.strip(), second.strip()] == [public, public]


def test_a_check_tells_what_the_server_shows(home: Path) -> None:
    with stub() as upstream:
        told = mercato("node", "check", "--upstream", upstream.url, "--model", "toy")

    assert "features: embeddings, json_schema, seed, tools" in told
    assert "tokens a second" in told


@pytest.mark.parametrize(
    ("more", "gateway", "said"),
    [
        (("--expect", "a" * 64), "http://127.0.0.1:9", "weights of 'toy' were not known"),
        (("--upstream-model", "none"), "http://127.0.0.1:9", "had no model 'none'"),
        (("--expect", "short"), "http://127.0.0.1:9", "models.toy.expect was wrong"),
        ((), "http://10.0.0.1", "without TLS"),
        ((), "ftp://gateway.example", "gateway was 'ftp://gateway.example'"),
        ((), "https://user:word@gateway.example", "expected"),
    ],
)
def test_a_node_that_is_set_up_wrongly_does_not_start(
    home: Path, more: tuple[str, ...], gateway: str, said: str
) -> None:
    with stub() as upstream:
        told = provide(upstream.url, *more, gateway=gateway)
        asked = [one.path for one in upstream.asked]

    assert said.replace("expected", "such as https://") in told
    assert len(asked) <= 20


def test_a_node_without_its_three_parts_says_so(home: Path) -> None:
    told = mercato("provide")

    assert "needs an upstream, a gateway and a model" in told


def test_settings_of_a_file_are_taken_and_the_command_line_wins(home: Path) -> None:
    text = """
        [node]
        upstream = "http://127.0.0.1:9/v1"
        gateways = ["http://127.0.0.1:9"]
        [node.models.toy]
        prompt = 1
        completion = 1
    """
    (home / "mercato.toml").write_text(text)

    assert "upstream 'http://127.0.0.1:9/v1' told no models" in mercato("provide")
    assert "upstream 'http://127.0.0.1:7/v1'" in mercato("provide", "--upstream", "http://127.0.0.1:7/v1")


def test_a_secret_of_the_upstream_is_in_no_message(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCATO_NODE_UPSTREAM_KEY", "sk-secret-word")
    with stub(key="another") as upstream:
        told = provide(upstream.url)

    assert "sk-secret-word" not in told


def test_only_a_key_is_approved(home: Path) -> None:
    assert "key was 'nonsense'" in mercato("node", "approve", "nonsense")
