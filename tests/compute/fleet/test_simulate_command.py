"""`mercato compute simulate` prints that it is simulated, and the same figures to programs and people."""

import json

from typer.testing import CliRunner

from mercato.compute.commands import app

SMALL = ["simulate", "--requests", "300", "--seeds", "1", "--tokens", "6000"]


def test_the_command_prints_tables_that_say_simulated() -> None:
    ran = CliRunner().invoke(app, SMALL)

    assert ran.exit_code == 0, ran.output
    assert ran.output.count("Simulated") == 2
    assert "ours" in ran.output
    assert "0 ejections in 6,000 audited tokens" in ran.output


def test_the_command_prints_json() -> None:
    body = json.loads(CliRunner().invoke(app, [*SMALL, "--json"]).output)

    assert body["simulated"] is True
    assert list(body["policies"]) == ["round robin", "cheapest", "inverse square + outage filter", "score", "ours"]
    assert body["detection"][0]["kind"] == "wrong model, always"
