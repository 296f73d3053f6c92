from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from mercato.chains.evm.local import LocalChain
from mercato.chains.facade import Facade
from mercato.cli.root import main

MAIN = "import sys; from mercato.cli import main; main(sys.argv[1:])"


@contextmanager
def running(home: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A Mercato in a process of its own, killed at the end where it did not stop by itself."""
    environment = {**os.environ, "MERCATO_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-c", MAIN, *arguments]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    """Reads what a process prints until a line matches."""
    assert process.stdout is not None
    for line in process.stdout:
        match = re.search(pattern, line)
        if match:
            return match
    raise AssertionError(f"the process never printed {pattern!r}")


@pytest.mark.parametrize("arguments", [["up"], ["up", "--no-worker"], ["serve"]])
def test_it_migrates_serves_by_its_own_name_alone_and_stops_when_asked(home: Path, arguments: list[str]) -> None:
    with running(home, *arguments, "--port", "0") as process:
        address = said(process, r"http://127\.0\.0\.1:\d+").group()
        ready = httpx.get(f"{address}/readyz").json()
        page = httpx.get(address, headers={"accept": "text/html"}, follow_redirects=True)
        foreign = httpx.get(f"{address}/healthz", headers={"host": "rebound.example"})
        process.send_signal(signal.SIGTERM)
        ended = process.wait(60)

    assert ready == {"status": "ready", "failed": {}}
    assert (page.status_code, "<h1>" in page.text) == (200, True)
    assert foreign.status_code == 400
    assert (home / "mercato.db").exists()
    assert ended == 0


def test_the_worker_alone_starts_and_stops_when_asked(home: Path) -> None:
    with running(home, "work") as process:
        said(process, "Mercato works")
        process.send_signal(signal.SIGINT)

        assert process.wait(60) == 0


def test_a_port_that_is_taken_is_named_with_what_to_do(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running(home, "up", "--port", str(port)) as process:
            output, _ = process.communicate(timeout=60)

    assert process.returncode == 2
    assert f"127.0.0.1:{port}" in output
    assert "--port" in output


def test_a_wrong_setting_is_named_with_its_place(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "mercato.toml").write_text("[api]\nport = 'many'\n")
    with pytest.raises(SystemExit) as stop:
        main(["up"])
    said = capsys.readouterr().err

    assert stop.value.code == 2
    assert "api.port was 'many'" in said
    assert "hint:" in said


def asked(url: str, method: str) -> object:
    """What the chain answers over JSON-RPC."""
    return httpx.post(url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": []}).json()["result"]


def test_the_local_chain_answers_where_it_is_said_to_be(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCATO_CHAINS_FACADE_PORT", "0")
    with running(home, "up", "--no-season", "--port", "0") as process:
        url = said(process, r"The local chain \(id 31337\) is at (http://127\.0\.0\.1:\d+)").group(1)
        chain_id = asked(url, "eth_chainId")
        process.send_signal(signal.SIGTERM)

        assert (chain_id, process.wait(60)) == ("0x7a69", 0)
    assert (home / "economy" / "chain.jsonl").exists()


def test_a_season_is_lived_told_and_stopped_in_its_middle_when_asked(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MERCATO_SEASON_SIZE", "small")
    with running(home, "up", "--season", "--season-seed", "3", "--port", "0") as process:
        said(process, r"Simulated season: day \d+ of 36")
        process.send_signal(signal.SIGTERM)
        stopped = process.wait(60)
    with running(home, "up", "--season", "--season-seed", "4", "--port", "0") as process:
        said(process, r"The local economy is live")
        process.send_signal(signal.SIGTERM)

        assert (stopped, process.wait(60)) == (0, 0)


def test_a_node_in_the_settings_takes_the_place_of_the_local_chain(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Facade(LocalChain(), 0) as node:
        monkeypatch.setenv("MERCATO_CHAINS_RPC", node.url)
        with running(home, "up", "--season", "--port", "0") as process:
            address = said(process, r"http://127\.0\.0\.1:\d+").group()
            page = httpx.get(f"{address}/launch")
            process.send_signal(signal.SIGTERM)
            process.wait(60)

    assert page.status_code == 200
    assert not (home / "economy").exists()


def test_no_season_is_mixed_into_data_of_ones_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCATO_SEASON_ENABLED", "true")
    (home / "prices.csv").write_text("asset_id,field,valid_time,value\nbitcoin,price_usd,2025-01-01,94000\n")
    with pytest.raises(SystemExit) as stop:
        main(["market", "import", str(home / "prices.csv"), "--source", "mine"])
    assert not stop.value.code
    with running(home, "up", "--port", "0") as process:
        said(process, "holds data from mine, so no season is lived")
        said(process, "Mercato is at")
        process.send_signal(signal.SIGTERM)
        process.wait(60)

    assert '"stage": "none"' in (home / "economy" / "season.json").read_text()
