"""What is measured: each a server of its own on one core, between the same client and the same upstream."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

LITELLM = "litellm[proxy]==1.106.2"
KEY = "sk-bench"
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that runs: its port, its first process, and the seconds until it answered."""

    port: int
    pid: int
    ready: float

    def seconds(self) -> float:
        """Returns the processor's seconds of all its processes so far."""
        found = 0
        for pid in self._family():
            parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            found += int(parts[11]) + int(parts[12])
        return found / _TICK

    def megabytes(self) -> float:
        """Returns the memory of all its processes, what is shared with others in parts (PSS)."""
        lines = [Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() for pid in self._family()]
        return sum(int(line.split()[1]) for one in lines for line in one if line.startswith("Pss:")) / 1000

    def _family(self) -> list[int]:
        found = [self.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        return found


def free_port() -> int:
    """Returns a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str], port: int, key: str, *, env: dict[str, str], core: int, log: Path
) -> Iterator[Serving]:
    """Runs a server until the block ends. Ready is when it answers a first chat request."""
    pin = f"import os,sys; os.sched_setaffinity(0, {{{core}}}); os.execvp(sys.argv[1], sys.argv[1:])"
    start = time.perf_counter()
    with log.open("wb") as out:
        server = subprocess.Popen([sys.executable, "-c", pin, *command], env=env, stdout=out, stderr=out)
    try:
        _wait(port, key, server, log)
        yield Serving(port, server.pid, time.perf_counter() - start)
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait(port: int, key: str, server: subprocess.Popen[bytes], log: Path) -> None:
    body = {"model": "toy", "messages": [{"role": "user", "content": "Ready?"}], "max_tokens": 40}
    headers = {"authorization": f"Bearer {key}"}
    until = time.monotonic() + 120
    while time.monotonic() < until and server.poll() is None:
        try:
            found = httpx.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=body, headers=headers, timeout=30)
            if found.status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.02)
    raise RuntimeError(f"server did not answer; its last words: {log.read_text()[-600:]}")


def litellm(folder: Path, upstream: int, port: int) -> tuple[list[str], dict[str, str]]:
    """Returns how LiteLLM's proxy is started, from an environment of its own that is made once; no database."""
    place = folder.parent / "litellm"
    program = place / "bin" / "litellm"
    if not program.exists():
        uv = str(Path(sys.executable).parent / "uv")
        subprocess.run([uv, "venv", "-q", "--clear", "--python", sys.executable, str(place)], check=True)
        subprocess.run([uv, "pip", "install", "-q", "--python", str(place / "bin" / "python"), LITELLM], check=True)
    config = folder / "litellm.yaml"
    config.write_text(
        "model_list:\n  - model_name: toy\n    litellm_params:\n      model: openai/toy\n"
        f"      api_base: http://127.0.0.1:{upstream}/v1\n      api_key: none\n"
        f"general_settings:\n  master_key: {KEY}\n"
    )
    # Nothing is asked of the network: its price list comes with the package.
    env = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    return [
        str(program),
        "--config",
        str(config),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--telemetry",
        "False",
    ], env


def mercato(home: Path, upstream: int, port: int) -> tuple[list[str], dict[str, str], str]:
    """Returns how our gateway is started, on a fresh SQLite with a tokenizer, and a key whose account has money."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    from bench.compute.stub import WHOLE
    from mercato.compute.books import keys
    from mercato.compute.books.till import Till
    from mercato.compute.installation import SECTIONS, prepared
    from mercato.compute.signing import signer
    from mercato.core.clock import SystemClock
    from mercato.core.settings import load

    home.mkdir(parents=True)
    counts = Tokenizer(models.BPE(unk_token="[UNK]"))
    counts.pre_tokenizer = pre_tokenizers.ByteLevel()
    counts.train_from_iterator(
        [WHOLE.decode()] * 10, trainers.BpeTrainer(vocab_size=400, special_tokens=["[UNK]"], show_progress=False)
    )
    counts.save(str(home / "tokenizer.json"))
    (home / "mercato.toml").write_text(
        f'[compute.upstreams.stub]\nurl = "http://127.0.0.1:{upstream}/v1"\nprivate = true\n'
        "[compute.upstreams.stub.models.toy]\nprompt = 200000\ncompletion = 400000\n"
        'tokenizer = "tokenizer.json"\nconcurrency = 64\n'
    )
    env = {**os.environ, "MERCATO_HOME": str(home)}
    os.environ["MERCATO_HOME"] = str(home)
    url = prepared(load(*SECTIONS, partial=True))
    till = Till(url, SystemClock(), signer(home))
    till.deposit(ACCOUNT, FUNDS, name="funds")
    _, secret = keys.make(till.bare, SystemClock(), ACCOUNT)
    till.bare.close()
    program = str(Path(sys.executable).parent / "mercato")
    return [program, "compute", "serve", "--port", str(port)], env, secret


ACCOUNT, FUNDS = "bench", 10**12
