"""What is left to fetch of one source: a queue of requests that survives the process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from mercato.market.connectors.connector import Request
from mercato.market.connectors.state import Notebook

#: Addresses with a date in them never come back, so only the newest tags are kept.
KEPT_ETAGS = 500


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """What is remembered of a source. `pending` is not empty while a run is unfinished; times are ISO text.

    `marks` say how far each series was read, `etags` what the last answer to each request was called.
    """

    pending: Sequence[dict[str, Any]] = ()
    started: str = ""
    since: str = ""
    marks: dict[str, str] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    last_ok: str = ""
    last_error: str = ""
    last_error_at: str = ""
    retry_at: str = ""


class Queue:
    """The record of one source, saved at every change."""

    def __init__(self, source: str, notebook: Notebook) -> None:
        self._name, self._notebook = source, notebook
        kept = notebook.load(source)
        names = {item.name for item in fields(SourceRecord)}
        self.record = SourceRecord(**{key: value for key, value in kept.items() if key in names})

    def head(self) -> Request | None:
        """Returns the next request, None where nothing is left."""
        return Request.unpacked(self.record.pending[0]) if self.record.pending else None

    def plan(self, requests: Sequence[Request], now: datetime, since: str) -> None:
        """Starts a run."""
        packed = [request.packed() for request in requests]
        self._save(pending=packed, started=now.isoformat(), since=since, retry_at="")

    def done(self, request: Request, followers: Sequence[Request], etag: str) -> None:
        """Records that the head is committed; its followers come next."""
        etags = {**self.record.etags, request.text: etag} if etag else self.record.etags
        etags = dict(list(etags.items())[-KEPT_ETAGS:])
        rest = [*(item.packed() for item in followers), *self.record.pending[1:]]
        self._save(pending=rest, marks={**self.record.marks, **request.marks}, etags=etags)

    def failed(self, reason: str, now: datetime) -> None:
        """Drops the head, which cannot be had in this run, and remembers why. Its marks stay, so a later run asks."""
        self._save(pending=list(self.record.pending[1:]), last_error=reason, last_error_at=now.isoformat())

    def stopped(self, reason: str, now: datetime, retry_at: str) -> None:
        """Remembers why a run stopped with requests left, and when it may go on."""
        self._save(last_error=reason, last_error_at=now.isoformat(), retry_at=retry_at)

    def finished(self, now: datetime, *, clean: bool) -> None:
        """Ends a run; a clean one clears the last error."""
        error = {"last_error": "", "last_error_at": ""} if clean else {}
        self._save(pending=[], started="", last_ok=now.isoformat(), retry_at="", **error)

    def _save(self, **changes: Any) -> None:
        self.record = replace(self.record, **changes)
        self._notebook.save(self._name, asdict(self.record))
