"""A provider that never stops writing, for as long as somebody takes it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_EVENT = {"choices": [{"index": 0, "delta": {"content": "word " * 800}, "finish_reason": None}]}
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


@contextmanager
def endless(gap: float = 0.0) -> Iterator[str]:
    """Yields the address of a provider on loopback whose stream has no end, with a pause between events."""
    place = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_serve, args=(place, gap), name="endless", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{place.getsockname()[1]}/v1"
    finally:
        place.shutdown(socket.SHUT_RDWR)
        place.close()
        thread.join(10)


def _serve(place: socket.socket, gap: float) -> None:
    event = b"data: " + json.dumps(_EVENT).encode() + b"\n\n"
    with suppress(OSError):
        while True:
            made, _ = place.accept()
            with made, suppress(OSError):
                made.settimeout(10)
                made.recv(1 << 20)
                made.sendall(_HEAD)
                while True:
                    made.sendall(event)
                    time.sleep(gap)
