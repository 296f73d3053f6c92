"""A node that answers whatever a test wants, also what no honest node would."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[[BaseHTTPRequestHandler, Any], None]


class Node:
    """An HTTP server whose answer a test sets: `reply` writes it, `results` are results by method."""

    def __init__(self) -> None:
        self.reply: Reply = self.by_method
        self.results: dict[str, Any] = {"eth_chainId": "0x7a69"}
        self.asked: list[Any] = []
        node = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                node.asked.append(asked)
                node.reply(self, asked)

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/secret-key"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def by_method(self, handler: BaseHTTPRequestHandler, asked: Any) -> None:
        one = self.one(asked) if isinstance(asked, dict) else [self.one(item) for item in asked]
        send(handler, json.dumps(one).encode())

    def one(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = self.results.get(asked["method"], {"error": {"code": -32601, "message": "no such method"}})
        found = found(asked["params"]) if callable(found) else found
        answer = found if isinstance(found, dict) and "error" in found else {"result": found}
        return {"jsonrpc": "2.0", "id": asked["id"], **answer}


def send(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"content-length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def body(text: bytes, status: int = 200, **headers: str) -> Reply:
    return lambda handler, asked: send(handler, text, status, **headers)


def drip(handler: BaseHTTPRequestHandler, asked: Any) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        try:
            handler.wfile.write(b" ")
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.05)


def silence(handler: BaseHTTPRequestHandler, asked: Any) -> None:
    time.sleep(1.5)


def broken(handler: BaseHTTPRequestHandler, asked: Any) -> None:
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(b"{")


#: Answers after which another try may help.
LATER = {
    "drip": drip, "silence": silence, "broken": broken, "overload": body(b"slow down", 429), "failure": body(b"", 503),
}  # fmt: skip
