"""`mercato chains serve` is a node until it is stopped."""

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx

from mercato.chains.testing import ACCOUNTS

PROGRAM = [str(Path(sys.executable).with_name("mercato")), "chains", "serve"]


def test_a_fresh_chain_is_served_until_a_signal_ends_it() -> None:
    with subprocess.Popen(
        [*PROGRAM, "--port", "0", "--chain-id", "4242"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        first = process.stdout.readline()
        (url,) = re.findall(r"http://127\.0\.0\.1:\d+", first)
        balance = {"jsonrpc": "2.0", "id": 1, "method": "eth_getBalance", "params": [ACCOUNTS[9], "latest"]}
        answer = httpx.post(url, json=balance).json()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()

    assert "Simulated chain eip155:4242" in first
    assert int(answer["result"], 16) == 10_000 * 10**18
    assert all(account in rest for account in ACCOUNTS)
    assert process.returncode == 0


def refused(*arguments: str) -> str:
    ran = subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 2
    return ran.stderr


def test_what_it_cannot_do_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "choose another port" in refused("--port", str(taken.getsockname()[1]))
    assert "engine was 'other'" in refused("--engine", "other")
