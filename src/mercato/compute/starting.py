"""How the gateway starts: a place to listen, and a process that becomes its worker, or looks after several.

Nothing here imports what serves: whoever looks after workers needs none of it, and who becomes one starts afresh.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from typing import NoReturn

from mercato.compute.orders import Orders
from mercato.core.errors import ConfigError

BACKLOG = 2048
ENDS = (signal.SIGINT, signal.SIGTERM)
RESTART_SECONDS, ENDING_SECONDS = 1, 45


def listen(host: str, port: int) -> socket.socket:
    """Returns a socket that listens; ConfigError where the address is not ours or not free."""
    try:
        place = socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=BACKLOG
        )
    except OSError as error:
        raise ConfigError(f"address was {host}:{port}: {error.strerror or error}", hint="choose another") from None
    place.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return place


def here(place: socket.socket) -> str:
    """Returns where a socket listens, as it stands in an address."""
    host, port = place.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def become(orders: Orders, place: socket.socket) -> NoReturn:
    """Becomes the gateway at `place`, this process with its id: what it imported to read settings is left behind.

    Signals that would end it are kept until the program that follows takes them.
    """
    handle = orders.hand()
    for each in (handle, place.fileno()):
        os.set_inheritable(each, True)
    sys.stdout.flush()
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    command = _command(place, handle)
    os.execv(command[0], command)  # noqa: S606  # our own interpreter and words


def crew(place: socket.socket, handle: int, workers: int) -> None:
    """Runs workers that share one socket until a signal ends them; one that dies is followed by another."""
    ending = threading.Event()
    for sign in ENDS:
        signal.signal(sign, lambda *_: ending.set())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)
    children = [_child(place, handle, number) for number in range(workers)]
    while not ending.wait(RESTART_SECONDS):
        children = [child if child.poll() is None else _child(place, handle, at) for at, child in enumerate(children)]
    for child in children:
        child.terminate()
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.wait(ENDING_SECONDS)
        child.kill()
        child.wait()


def _child(place: socket.socket, handle: int, number: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*_command(place, handle), str(number)], pass_fds=[place.fileno(), handle])  # noqa: S603  # our own interpreter and words


def _command(place: socket.socket, handle: int) -> list[str]:
    # -P: no module is looked for in the folder that it happens to be started in
    return [sys.executable, "-P", "-m", "mercato.compute.worker", str(place.fileno()), str(handle)]
