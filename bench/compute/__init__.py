"""The gateway's benchmark, beside LiteLLM's proxy and a bare pass-through: the same upstream, client and machine."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.compute import rivals
from bench.compute.load import Taken, load
from bench.compute.rivals import Serving

ROUNDS = 3
#: How many requests each gets: one at a time, sixteen at a time, streams; LiteLLM, which is slow, gets a twentieth.
SHAPE = {"one": 1_000, "many": 8_000, "streams": 400}
SLOW = 20
LONG = 100_000


@dataclass(frozen=True, slots=True)
class Run:
    """What one server did in one round."""

    ready: float
    one: Taken
    many: Taken
    streams: Taken
    cpu_one: float
    cpu_many: float
    cpu_stream: float
    memory: float


def suite(*, quick: bool) -> bool:
    """Prints the tables; returns whether every answer was right and our books came out to the micro-dollar."""
    shape = {name: max(16, count // (20 if quick else 1)) for name, count in SHAPE.items()}
    client, server = min(os.sched_getaffinity(0)), max(os.sched_getaffinity(0))
    whole = os.sched_getaffinity(0)
    folder = Path(".cache/bench").resolve() / "compute"
    folder.mkdir(parents=True, exist_ok=True)
    os.sched_setaffinity(0, {client})  # the client and the upstream share a core; each server has the other
    try:
        with _stub() as upstream:
            runs: dict[str, list[Run]] = {}
            for _ in range(1 if quick else ROUNDS):
                for name in ("upstream itself", "bare aiohttp", "mercato", "litellm"):
                    runs.setdefault(name, []).append(_round(name, folder, upstream, shape, server))
            sound, memory = _long(folder, upstream, LONG // (50 if quick else 1), server)
    finally:
        os.sched_setaffinity(0, whole)
    _print(runs, memory, LONG // (50 if quick else 1))
    right = all(
        taken.wrong == 0 for each in runs.values() for run in each for taken in (run.one, run.many, run.streams)
    )
    print(f"every answer was right: {'yes' if right else 'NO'}; our books came out to the micro-dollar: {sound}")
    return right and sound == "yes"


@contextmanager
def _stub() -> Iterator[int]:
    """Runs the upstream; gives its port once it listens."""
    port = rivals.free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.compute.stub", str(port)])
    try:
        while process.poll() is None:
            with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait()


def _round(name: str, folder: Path, upstream: int, shape: dict[str, int], core: int) -> Run:
    if name == "litellm":
        shape = {each: max(16, count // SLOW) for each, count in shape.items()}
    if name == "upstream itself":
        return _measure(Serving(upstream, os.getpid(), 0.0), "none", shape)
    port, home = rivals.free_port(), Path(tempfile.mkdtemp(dir=folder))
    key = rivals.KEY
    try:
        if name == "mercato":
            command, env, key = rivals.mercato(home / "home", upstream, port)
        elif name == "litellm":
            command, env = rivals.litellm(folder, upstream, port)
        else:
            command = [sys.executable, "-m", "bench.compute.bare", str(port), f"http://127.0.0.1:{upstream}"]
            env = dict(os.environ)
        with rivals.running(command, port, key, env=env, core=core, log=home / "log") as serving:
            return _measure(serving, key, shape)
    finally:
        shutil.rmtree(home)


def _measure(serving: Serving, key: str, shape: dict[str, int]) -> Run:
    asyncio.run(load(serving.port, key, max(16, shape["one"] // 5), 1))
    one, cpu_one = _loaded(serving, key, shape["one"], 1)
    many, cpu_many = _loaded(serving, key, shape["many"], 16)
    streams, cpu_stream = _loaded(serving, key, shape["streams"], 4, stream=True)
    return Run(serving.ready, one, many, streams, cpu_one, cpu_many, cpu_stream, serving.megabytes())


def _loaded(serving: Serving, key: str, count: int, at_once: int, *, stream: bool = False) -> tuple[Taken, float]:
    """Returns what the client saw, and the server's milliseconds of CPU for each request."""
    before = serving.seconds()
    taken = asyncio.run(load(serving.port, key, count, at_once, stream=stream))
    return taken, (serving.seconds() - before) / count * 1e3


def _long(folder: Path, upstream: int, count: int, core: int) -> tuple[str, list[float]]:
    """Sends very many requests through our gateway; returns whether its books are right, and its memory on the way."""
    from mercato.compute.books.till import Till
    from mercato.compute.signing import signer
    from mercato.core.clock import SystemClock

    port, home = rivals.free_port(), Path(tempfile.mkdtemp(dir=folder))
    try:
        command, env, key = rivals.mercato(home / "home", upstream, port)
        with rivals.running(command, port, key, env=env, core=core, log=home / "log") as serving:
            memory = []
            for _ in range(10):
                asyncio.run(load(serving.port, key, count // 10, 16))
                memory.append(serving.megabytes())
        till = Till(f"sqlite:///{home / 'home' / 'mercato.db'}", SystemClock(), signer(home / "home"))
        held = till.balance(rivals.ACCOUNT)
        (answered,), (charged,) = (
            till.bare.run("SELECT count(*) FROM compute_receipt"),
            till.bare.run("SELECT sum(charged) FROM compute_receipt"),
        )
        till.bare.close()
        # one more: the request that told that the server was ready
        right = held.reserved == 0 and answered[0] == count + 1 and rivals.FUNDS - held.free == charged[0]
        return "yes" if right else f"NO ({answered[0]} receipts of {count + 1}, {held})", memory
    finally:
        shutil.rmtree(home)


def _middle(values: list[float]) -> float:
    return statistics.median(values)


def _print(runs: dict[str, list[Run]], memory: list[float], count: int) -> None:
    print(
        "\n# compute: one worker on one core, client and upstream on another; the median of",
        len(runs["mercato"]),
        "rounds\n",
    )
    print("| server | ready s | 1 at a time: p50 / p99 ms | CPU ms | 16 at a time: requests/s | p50 / p99 ms | CPU ms"
          " | 100-event stream: CPU ms | first byte p50 ms | PSS MB |")  # fmt: skip
    print("|---|" + "---:|" * 9)
    for name, each in runs.items():
        cells = [
            f"{_middle([run.ready for run in each]):.2f}",
            f"{_middle([run.one.p(50) for run in each]):.2f} / {_middle([run.one.p(99) for run in each]):.2f}",
            f"{_middle([run.cpu_one for run in each]):.2f}",
            f"{_middle([run.many.count / run.many.seconds for run in each]):,.0f}",
            f"{_middle([run.many.p(50) for run in each]):.2f} / {_middle([run.many.p(99) for run in each]):.2f}",
            f"{_middle([run.cpu_many for run in each]):.2f}",
            f"{_middle([run.cpu_stream for run in each]):.2f}",
            f"{_middle([run.streams.p(50, first=True) for run in each]):.2f}",
            f"{_middle([run.memory for run in each]):.0f}",
        ]
        if name == "upstream itself":
            cells = ["", cells[1], "", cells[3], cells[4], "", "", cells[7], ""]
        print(f"| {name} | " + " | ".join(cells) + " |")
    _ratios(runs, memory, count)


def _ratios(runs: dict[str, list[Run]], memory: list[float], count: int) -> None:
    def of(name: str, what: str) -> float:
        return _middle([getattr(run, what) for run in runs[name]])

    added = _middle([run.one.p(50) for run in runs["mercato"]]) - _middle(
        [run.one.p(50) for run in runs["upstream itself"]]
    )
    rate = _middle([run.many.count / run.many.seconds for run in runs["mercato"]])
    print(f"\nadded to one request's p50: {added:.2f} ms (wanted: 1.0 at most)")
    print(f"CPU of a request, 16 at a time: {of('mercato', 'cpu_many'):.2f} ms (0.5 at most)")
    print(f"that of litellm: {of('litellm', 'cpu_many') / of('mercato', 'cpu_many'):.1f} times ours (15 at least)")
    print(f"that of bare aiohttp: {of('bare aiohttp', 'cpu_many') / of('mercato', 'cpu_many'):.2f} times ours")
    print(f"requests a second, 16 at a time: {rate:,.0f} (1,500 at least)")
    print(f"CPU of a stream of 100 events: {of('mercato', 'cpu_stream'):.2f} ms (2 at most)")
    print(f"memory after the round: {of('mercato', 'memory'):.0f} MB (60 at most)")
    print(f"memory over {count:,} requests, a tenth at a time, MB: {', '.join(f'{one:.0f}' for one in memory)}")
    print(f"ready in {of('mercato', 'ready'):.2f} s (2 at most)")
