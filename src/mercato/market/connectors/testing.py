"""Doubles for tests of connectors: a real HTTP server that replays answers and faults, and a market in a folder."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from mercato.market.layers.parsers import parser
from mercato.market.model import Asset, Parsed, RawDocument, Receipt


@dataclass(frozen=True, slots=True)
class Reply:
    """One scripted answer. The faults: `delay` seconds before anything, `drip` seconds between bytes, `cut` bytes.

    A `cut` reply announces its whole length, sends that many bytes and hangs up.
    """

    body: bytes = b"{}"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    zipped: bool = False
    delay: float = 0.0
    drip: float = 0.0
    cut: int | None = None


def reply(value: object, **more: Any) -> Reply:
    """Returns a reply with that value as JSON."""
    return Reply(json.dumps(value).encode(), **more)


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that the server received; header names are in lower case."""

    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]


class QuietServer(ThreadingHTTPServer):
    """A server that does not complain where a client hangs up early: clients here do so on purpose."""

    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing."""


class RecordedSource:
    """A source on loopback, as a context manager. Each path plays its replies in order; the last one repeats."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self._replies: dict[str, list[Reply]] = {}
        self._lock = threading.Lock()
        self._server = QuietServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Returns the base address, without a slash at its end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def play(self, path: str, *replies: Reply) -> None:
        """Sets what a path answers. Any other path answers 404."""
        self._replies[path] = list(replies)

    def paths(self) -> list[str]:
        """Returns the paths that were asked for, in order."""
        return [item.path for item in self.seen]

    def __enter__(self) -> RecordedSource:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _next(self, path: str) -> Reply:
        with self._lock:
            waiting = self._replies.get(path, [Reply(b'{"error":"no such path"}', status=404)])
            return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        source = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                headers = {name.lower(): value for name, value in self.headers.items()}
                source.seen.append(Seen(parts.path, parse_qs(parts.query), headers))
                answer = source._next(parts.path)
                time.sleep(answer.delay)
                try:
                    self._send(answer)
                except OSError:  # the client hung up, as it should on a bad answer
                    self.close_connection = True

            def _send(self, answer: Reply) -> None:
                body = gzip.compress(answer.body) if answer.zipped else answer.body
                self.send_response(answer.status)
                self.send_header("content-type", answer.media_type)
                self.send_header("content-length", str(0 if answer.status == 304 else len(body)))
                for name, value in ({"content-encoding": "gzip"} if answer.zipped else {}).items():
                    self.send_header(name, value)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                step = 1 if answer.drip else max(1, len(body))
                sent = b"" if answer.status == 304 else body[: answer.cut]
                for start in range(0, len(sent), step):
                    self.wfile.write(sent[start : start + step])
                    self.wfile.flush()
                    time.sleep(answer.drip)
                self.close_connection = answer.cut is not None

            def log_message(self, format: str, *args: object) -> None:
                return None

        return Handler


class FolderNotebook:
    """A Notebook in a folder of JSON files, so that it survives a killed process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def load(self, name: str) -> Mapping[str, Any]:
        """Returns what was saved under that name, or an empty mapping."""
        path = self._folder / f"{name.replace(':', '_')}.json"
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def save(self, name: str, value: Mapping[str, Any]) -> None:
        """Replaces what is kept under that name."""
        path = self._folder / f"{name.replace(':', '_')}.json"
        temporary = path.with_suffix(".part")
        temporary.write_text(json.dumps(value))
        temporary.replace(path)


class FolderRoom:
    """A market that keeps each raw document as one file by its hash, and parses it: the rules of ingestion, no more."""

    def __init__(self, folder: Path, assets: Sequence[Asset]) -> None:
        self._folder, self._assets = folder, assets
        self.documents: list[RawDocument] = []
        self.parsed: list[Parsed] = []
        folder.mkdir(parents=True, exist_ok=True)

    def assets(self) -> Sequence[Asset]:
        """Returns the universe."""
        return self._assets

    def ingest(self, raw: RawDocument) -> Receipt:
        """Keeps the document unless it is known; returns what became of it."""
        name = hashlib.sha256(f"{raw.source}{raw.parser}{raw.sha}".encode()).hexdigest()
        parsed = parser(raw.parser)(raw)
        self.documents.append(raw)
        self.parsed.append(parsed)
        path = self._folder / name
        fresh = not path.exists()
        if fresh:
            temporary = self._folder / f"{name}.part"
            temporary.write_bytes(raw.content)
            temporary.replace(path)
        reasons: dict[str, int] = {}
        for item in parsed.rejected:
            kind = item.reason.partition(":")[0]
            reasons[kind] = reasons.get(kind, 0) + 1
        rows = {table: found.num_rows for table, found in parsed.tables.items()} | {"skipped": parsed.skipped}
        return Receipt(name, raw.source, raw.sha, fresh, rows, len(parsed.rejected), reasons)

    def rows(self) -> list[tuple[str, str, str, float]]:
        """Returns asset, field, time and value of everything that was ingested, in order."""
        found = [row for parsed in self.parsed for row in parsed.tables["observations"].to_pylist()]
        return [(row["asset_id"], row["field"], row["valid_time"].isoformat(), row["value"]) for row in found]
