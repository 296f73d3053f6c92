"""`mercato compute attest`, and what `providers` shows: with Intel's root, as everybody has it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mercato.compute.commands import app
from mercato.compute.fleet.confidential import Confidential, Vault
from mercato.compute.tee.testing import Maker
from mercato.core.clock import SystemClock


def test_a_machine_that_intel_does_not_vouch_for_proves_nothing_and_the_command_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MERCATO_HOME", str(tmp_path))
    maker = Maker(SystemClock().now())
    with Confidential(maker) as one, Vault(maker) as vault:
        (tmp_path / "mercato.toml").write_text(
            f'[compute.upstreams.safe]\nurl = "{one.url}"\nprivate = true\ntee = {{}}\nmodels.toy = {{ prompt = 1 }}\n'
            f'[compute.tee]\npccs = "{vault.url}"\nprivate = true\n'
        )
        ran = CliRunner().invoke(app, ["attest", "--json"])
        shown = CliRunner().invoke(app, ["attest"]).output
    (found,) = json.loads(ran.output)

    assert ran.exit_code == 1
    assert (found["name"], found["model"], found["level"], found["signers"]) == ("safe", "toy", "none", [])
    assert "quote was refused" in found["why"]
    assert "name  model  machine" in shown


def test_without_anybody_to_check_the_command_says_so_and_is_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MERCATO_HOME", str(tmp_path))
    ran = CliRunner().invoke(app, ["attest"])

    assert (ran.exit_code, ran.output.split()) == (0, ["name", "model", "machine", "until", "why"])
