"""A real WebSocket server that plays a script, as Jetstream would."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from websockets.sync.server import Server, ServerConnection, serve

DID = "did:plc:"
BASE = 1_739_534_400_000_000  # 2025-02-14T12:00:00Z


def event(number: int, collection: str, record: object, who: str = "ada") -> str:
    """Returns one create event, `number` seconds after noon of 2025-02-14."""
    commit = {"rev": f"r{number}", "operation": "create", "collection": collection, "rkey": f"k{number}"}
    body = {"did": DID + who, "time_us": BASE + number * 1_000_000, "kind": "commit"}
    return json.dumps({**body, "commit": {**commit, "record": record}})


def post(number: int, text: str, who: str = "ada", parent: str = "") -> str:
    """Returns a post, an answer where `parent` is given."""
    record: dict[str, object] = {"$type": "app.bsky.feed.post", "createdAt": "2025-02-14T12:00:00.000Z", "text": text}
    return event(number, "app.bsky.feed.post", record | ({"reply": {"parent": {"uri": parent}}} if parent else {}), who)


def like(number: int, uri: str, who: str = "bob") -> str:
    """Returns a like of the post at `uri`."""
    return event(number, "app.bsky.feed.like", {"subject": {"uri": uri, "cid": "c"}, "createdAt": "x"}, who)


def uri(number: int, who: str = "ada") -> str:
    """Returns the address of the post that `post(number, ..., who)` made."""
    return f"at://{DID}{who}/app.bsky.feed.post/k{number}"


@dataclass
class Stream:
    """What the server did: the address of each connection. Each connection plays the next part of the script."""

    script: list[Sequence[str | bytes]]
    paths: list[str] = field(default_factory=list)
    url: str = ""

    def play(self, socket: ServerConnection) -> None:
        """Plays one part and hangs up without a goodbye."""
        assert socket.request is not None
        self.paths.append(socket.request.path)
        for message in self.script.pop(0):
            socket.send(message)
        socket.socket.shutdown(2)


@contextmanager
def streaming(*script: Sequence[str | bytes]) -> Iterator[Stream]:
    """Gives a running server that plays these parts, one for each connection; later ones are refused."""
    stream = Stream(list(script))
    server: Server = serve(stream.play, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    stream.url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}/subscribe"
    try:
        yield stream
    finally:
        server.shutdown()
        thread.join()
