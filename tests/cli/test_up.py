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
def test_it_migrates_serves_and_stops_when_asked(home: Path, arguments: list[str]) -> None:
    with running(home, *arguments, "--port", "0") as process:
        address = said(process, r"http://127\.0\.0\.1:\d+").group()
        ready = httpx.get(f"{address}/readyz").json()
        page = httpx.get(address, headers={"accept": "text/html"}, follow_redirects=True)
        process.send_signal(signal.SIGTERM)
        ended = process.wait(60)

    assert ready == {"status": "ready", "failed": {}}
    assert (page.status_code, "<h1>" in page.text) == (200, True)
    assert (home / "mercato.db").exists()
    assert ended == 0


def test_the_worker_alone_starts_and_stops_when_asked(home: Path) -> None:
    with running(home, "work") as process:
        said(process, "Mercato works")
        process.send_signal(signal.SIGINT)

        assert process.wait(60) == 0


def test_a_name_of_another_site_is_not_answered(home: Path) -> None:
    with running(home, "serve", "--port", "0") as process:
        address = said(process, r"http://127\.0\.0\.1:\d+").group()
        answer = httpx.get(f"{address}/healthz", headers={"host": "rebound.example"})

    assert answer.status_code == 400


def test_a_port_that_is_taken_is_named_with_what_to_do(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running(home, "up", "--port", str(port)) as process:
            output, _ = process.communicate(timeout=60)

    assert process.returncode == 2
    assert f"127.0.0.1:{port}" in output
    assert "--port" in output


def test_a_wrong_setting_is_named_with_its_place(home: Path) -> None:
    (home / "mercato.toml").write_text("[api]\nport = 'many'\n")
    with running(home, "up") as process:
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 2
    assert "api.port was 'many'" in output
    assert "hint:" in output
