"""For whoever tests against a real server: an application on a free port of this machine, while a block runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp


@contextmanager
def serve(app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serves an application and yields its address, such as `http://127.0.0.1:43210`; RuntimeError where it fails."""
    config = uvicorn.Config(
        app, host=host, port=port, log_config=None, access_log=False, server_header=False, http="h11", loop="asyncio",
        timeout_graceful_shutdown=2,
    )  # fmt: skip
    server = _Server(config)
    thread = threading.Thread(target=server.run, name="server", daemon=True)
    thread.start()
    try:
        if not server.ready.wait(30) or not server.started:
            raise RuntimeError("the server did not start; its log says why")
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        thread.join(15)


class _Server(uvicorn.Server):
    """A server that says when its start has ended, well or not."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override] # uvicorn types its sockets more narrowly than it uses them
        """Starts, and says so."""
        try:
            await super().startup(sockets=sockets)  # type: ignore[arg-type] # as above
        finally:
            self.ready.set()
