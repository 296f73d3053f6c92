"""A provider's machine behind a NAT: processes in a network namespace of their own, with a router that carries
connections outwards only.

The namespace has a loopback and no route to anywhere. The router holds one listening socket of that namespace, which a
process inside handed to it, and connects from outside for each connection that it takes: what a NAT does for those who
dial out, and nothing for those who would dial in.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

UNSHARE = ("unshare", "--user", "--map-root-user", "--net")


def allowed() -> bool:
    """Whether this machine lets us make a network namespace."""
    return (
        shutil.which("unshare") is not None and not subprocess.run([*UNSHARE, "true"], capture_output=True).returncode
    )


@contextlib.contextmanager
def behind(port: int, folder: Path, *arguments: str, apart: bool) -> Iterator[subprocess.Popen[str]]:
    """Runs `inside` with these arguments: apart behind a router to `port` of this machine, else beside us."""
    door = folder / "door"
    with socket.socket(socket.AF_UNIX) as waiting:
        waiting.bind(str(door))
        waiting.listen()
        command = [sys.executable, "-m", "tests.compute.node.inside", str(door) if apart else "", str(port), *arguments]
        output = (folder / "log").open("w")
        process = subprocess.Popen(
            [*(UNSHARE if apart else ()), *command],
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
            start_new_session=True,
        )
        router: contextlib.AbstractContextManager[object] = (
            _router(waiting, port) if apart else contextlib.nullcontext()
        )
        try:
            with router:
                yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            output.close()


@contextlib.contextmanager
def _router(waiting: socket.socket, port: int) -> Iterator[None]:
    waiting.settimeout(30)
    handing, _ = waiting.accept()
    with handing:
        _, (handle,), _, _ = socket.recv_fds(handing, 16, 1)
    inner = socket.socket(fileno=handle)
    routing = threading.Thread(target=_route, args=(inner, port), daemon=True)
    routing.start()
    try:
        yield
    finally:
        inner.shutdown(socket.SHUT_RDWR)
        routing.join(10)
        inner.close()


def _route(inner: socket.socket, port: int) -> None:
    with contextlib.suppress(OSError):
        while True:
            here, _ = inner.accept()
            threading.Thread(target=_join, args=(here, socket.create_connection(("127.0.0.1", port)))).start()


def _join(here: socket.socket, there: socket.socket) -> None:
    with here, there:
        back = threading.Thread(target=_carry, args=(there, here))
        back.start()
        _carry(here, there)
        back.join()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
