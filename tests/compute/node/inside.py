"""What runs on the provider's machine: a stub model server and `mercato compute provide`, as processes.

    python -m tests.compute.node.inside DOOR PORT GAP NAME=VALUE...

Prints what can be seen from in here as a line of JSON once the node serves, and the node's exit status at the end.
"""

from __future__ import annotations

import fcntl
import json
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import psutil

from mercato.compute.testing import stub

SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1


def raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def hand_over(door: str, port: int) -> None:
    """Gives the router a socket that listens in here as the gateway does out there."""
    with socket.create_server(("127.0.0.1", port)) as listening, socket.socket(socket.AF_UNIX) as handing:
        handing.connect(door)
        socket.send_fds(handing, [b"door"], [listening.fileno()])


def seen(node: subprocess.Popen[bytes], upstream: str) -> dict[str, object]:
    listening = [one for one in psutil.Process(node.pid).net_connections() if one.status == psutil.CONN_LISTEN]
    routes = Path("/proc/net/route").read_text().splitlines()[1:]
    return {"listening": len(listening), "routes": len(routes), "upstream": upstream, "node": node.pid}


def say(facts: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def main(door: str, port: int, gap: float, log: Path) -> None:
    if door:
        raise_loopback()
        hand_over(door, port)
    with stub(gap=gap) as upstream:
        program, address = str(Path(sys.executable).with_name("mercato")), f"http://127.0.0.1:{port}"
        command = [
            program, "compute", "provide", "--upstream", upstream.url, "--gateway", address, "--model", "toy",
            "--prompt-price", "1000000", "--completion-price", "2000000",
        ]  # fmt: skip
        with log.open("w") as output:
            node = subprocess.Popen(command, stderr=output)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: node.send_signal(signal.SIGTERM))
        while '"probation"' not in log.read_text() and node.poll() is None:
            time.sleep(0.05)
        say(seen(node, upstream.url))
        say({"status": node.wait()})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4]))
