"""The warm overview page on one core, the bytes of a first load, and the start of the command, beside bare floors."""

from __future__ import annotations

import gzip
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

BIN = Path(sys.executable).parent
BARE = """
import sys
import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
app = FastAPI()
page = "<p>" + "x" * int(sys.argv[2])
app.get("/market", response_class=HTMLResponse)(lambda: page)
uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
"""


def report(*, quick: bool) -> None:
    """Prints the three measures on a made-up market."""
    count = 20 if quick else 300
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "MERCATO_HOME": home}
        days = ["--days", "60" if quick else "180", "--until", "2025-10-31"]
        subprocess.run([BIN / "mercato", "market", "example", *days], env=environment, check=True, stdout=sys.stderr)
        port = _free_port()
        with _serving([str(BIN / "mercato"), "up", "--no-season", "--port", str(port)], port, environment):
            _wait_for_figures(port)
            ours = _latencies(port, count)
            plain, packed, files = _first_load(port)
        with _serving([sys.executable, "-c", BARE, str(port), str(plain)], port, dict(os.environ)):
            floor = _latencies(port, count)
    print("\n# market: pages and start\n")
    print(f"warm overview page: p50 {_ms(ours, 50)}, p99 {_ms(ours, 99)}, server on one core, {count} requests")
    print(f"bare FastAPI page of the same size: p50 {_ms(floor, 50)}, p99 {_ms(floor, 99)}")
    print(f"ratio of the p50: {statistics.median(ours) / statistics.median(floor):.2f}")
    print(f"first load: {packed / 1000:.1f} kB gzipped in {files} files")
    _start(5 if quick else 15)


def _ms(seconds: list[float], percentile: int) -> str:
    return f"{statistics.quantiles(seconds, n=100)[percentile - 1] * 1000:.1f} ms"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _serving(command: list[str], port: int, environment: dict[str, str]) -> Iterator[None]:
    """Runs a server on one core, the last one, until the block ends."""
    core = max(os.sched_getaffinity(0))
    pin: Callable[[], None] = lambda: os.sched_setaffinity(0, {core})  # noqa: E731 - a field's default, not a name
    server = subprocess.Popen(command, env=environment, stdout=sys.stderr, preexec_fn=pin)
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)


def _wait_for_figures(port: int) -> None:
    """Waits until the refresh job has made the first snapshot."""
    for _ in range(600):
        page = httpx.get(f"http://127.0.0.1:{port}/market", timeout=60).text
        if "/market/figures/" in page:
            return
        time.sleep(0.5)
    raise RuntimeError("the overview page showed no figure within 5 minutes")


def _latencies(port: int, count: int) -> list[float]:
    """Returns the seconds of each request over one kept connection, after a warm-up."""
    found = []
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        for number in range(count + 10):
            start = time.perf_counter()
            client.get("/market").raise_for_status()
            if number >= 10:
                found.append(time.perf_counter() - start)
    return found


def _first_load(port: int) -> tuple[int, int, int]:
    """Returns the page's size, the gzipped size of the page and of all that it names, and the number of files."""
    base = f"http://127.0.0.1:{port}"
    page = httpx.get(f"{base}/market", timeout=60).content
    names = sorted(set(re.findall(rb'(?:src|href)="(/static/[^"]+)"', page)))
    bodies = [page, *(httpx.get(base + name.decode(), timeout=60).content for name in names)]
    return len(page), sum(len(gzip.compress(body, 6)) for body in bodies), len(bodies)


def _start(count: int) -> None:
    commands = {
        "mercato --help": [str(BIN / "mercato"), "--help"],
        "python -c pass": [sys.executable, "-c", "pass"],
        "python -c 'import typer'": [sys.executable, "-c", "import typer"],
    }
    medians = {name: statistics.median(_seconds(command) for _ in range(count)) for name, command in commands.items()}
    for name, seconds in medians.items():
        print(f"{name}: median {seconds * 1000:.0f} ms of {count}")


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start
