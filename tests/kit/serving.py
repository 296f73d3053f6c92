"""Serves an application over HTTP on this machine."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """Gives the address of the tools of an application that listens on a free port."""
    place = socket.create_server(("127.0.0.1", 0))
    # As `mercato kit serve` runs it: with httptools, where something else installed it, blanks stay around values.
    running = uvicorn.Server(uvicorn.Config(app, log_config=None, http="h11", loop="asyncio"))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [place]})
    thread.start()
    while not running.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{place.getsockname()[1]}/mcp"
    finally:
        running.should_exit = True
        thread.join()
