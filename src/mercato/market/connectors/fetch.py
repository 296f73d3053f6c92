"""One run of one source: plan, fetch, commit, remember; a killed run goes on where it was.

Order of what happens to each document: the answer is whole -> it is spooled -> the market commits it -> the queue
moves on -> the spool forgets it. Whatever the moment of death, the next run finds either the request still at the head
with its answer spooled (committed again, which is a no-op), or the queue moved on. Nothing is lost, nothing doubled,
and no document is fetched again once it is whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from mercato.core.clock import Clock
from mercato.core.errors import ConfigError, SourceError
from mercato.market.connectors.bucket import TokenBucket
from mercato.market.connectors.connector import Connector, Context, Request
from mercato.market.connectors.errors import Postponed, UnsafeAnswer
from mercato.market.connectors.http import Answer, Client
from mercato.market.connectors.queue import Queue
from mercato.market.connectors.settings import SourceSettings
from mercato.market.connectors.spool import Spool
from mercato.market.connectors.state import Notebook
from mercato.market.model import Asset, RawDocument, Receipt

#: A run left unfinished for longer than this is planned anew.
STALE = timedelta(days=2)
LARGEST_FILE = 64_000_000


class Room(Protocol):
    """What a run needs of the market."""

    def assets(self) -> Sequence[Asset]:
        """Returns the universe."""
        ...

    def ingest(self, raw: RawDocument) -> Receipt:
        """Commits a raw document; one that is known already changes nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """Where runs happen: the market, what is remembered, settings, time, and a folder for answers on their way.

    `buckets` are shared by all runs at one desk, so that sources of one account keep its limit together.
    """

    room: Room
    notebook: Notebook
    settings: SourceSettings
    clock: Clock
    folder: Path
    buckets: dict[str, TokenBucket] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a run and what became of it. `rows` and `rejected` are 0 where nothing was committed."""

    request: str
    outcome: str
    rows: int = 0
    rejected: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FetchReport:
    """What a run did. `finished` is False where requests are left; `retry_at` says when to go on."""

    source: str
    steps: tuple[Step, ...] = ()
    finished: bool = True
    retry_at: str = ""
    reason: str = ""

    def count(self, outcome: str) -> int:
        """Returns how many requests ended so: committed, known, unchanged, refused, failed."""
        return sum(step.outcome == outcome for step in self.steps)

    @property
    def rows(self) -> int:
        """Returns the observations that were committed."""
        return sum(step.rows for step in self.steps)

    @property
    def rejected(self) -> int:
        """Returns the rows that were quarantined."""
        return sum(step.rejected for step in self.steps)


Progress = Callable[[Step, int], None]


def silent(step: Step, left: int) -> None:
    """Tells nobody about a step."""


@dataclass
class Run:
    """One run of one source, with what it holds open."""

    connector: Connector
    desk: Desk
    client: Client
    queue: Queue
    spool: Spool
    progress: Progress
    steps: list[Step] = field(default_factory=list)

    def go(self) -> FetchReport:
        """Works through the queue. Never raises for what a source does; the report says it.

        What the market itself raises comes through, with the answer still spooled and the queue where it was.
        """
        while (request := self.queue.head()) is not None:
            try:
                step = self._one(request)
            except Postponed as error:
                return self._stop(error, str(error.facts["retry_at"]))
            except SourceError as error:
                if error.facts.get("status") in (401, 403):  # the key or the client is unwelcome: do not insist
                    return self._stop(error, "")
                step = self._drop(request, error)
            self.steps.append(step)
            self.progress(step, len(self.queue.record.pending))
        clean = all(step.outcome not in ("failed", "refused") for step in self.steps)
        self.queue.finished(self.desk.clock.now(), clean=clean)
        return FetchReport(self.connector.name, tuple(self.steps))

    def _one(self, request: Request) -> Step:
        answer = self.spool.take(request.text)
        if answer is None:
            answer = self._ask(request)
            if answer.unchanged:
                self.queue.done(request, (), "")
                return Step(request.text, "unchanged")
            self.spool.put(request.text, answer)
        receipt = self.desk.room.ingest(self._document(request, answer))
        rows = sum(count for table, count in receipt.rows.items() if table != "skipped")
        if receipt.rejected and not rows:  # the bytes are kept, but say nothing: ask again in a later run
            reason = "; ".join(sorted(receipt.reasons)) or "the document was refused"
            self.queue.failed(f"{request.text}: {reason}", self.desk.clock.now())
            outcome = Step(request.text, "refused", 0, receipt.rejected, reason)
        else:
            followers = self.connector.follow(request, answer.content)
            self.queue.done(request, followers, str(answer.headers.get("etag", "")))
            outcome = Step(request.text, "committed" if receipt.fresh else "known", rows, receipt.rejected)
        self.spool.drop(request.text)
        return outcome

    def _ask(self, request: Request) -> Answer:
        if request.url.startswith("file:"):
            return read_file(Path(unquote(urlsplit(request.url).path)), self.desk.clock.now())
        etag = self.queue.record.etags.get(request.text, "")
        return self.client.get(request.url, request.params, accept=request.accept, etag=etag)

    def _document(self, request: Request, answer: Answer) -> RawDocument:
        return RawDocument(
            content=answer.content,
            source=self.connector.observed_as,
            parser=request.parser,
            observed_at=answer.observed_at,
            request=request.text,
            media_type=str(answer.headers.get("content-type", "")),
            headers=answer.headers,
            licence=self.connector.licence,
            options=request.options,
        )

    def _drop(self, request: Request, error: SourceError) -> Step:
        self.queue.failed(f"{request.text}: {error}", self.desk.clock.now())
        self.spool.drop(request.text)
        return Step(request.text, "failed", reason=str(error))

    def _stop(self, error: SourceError, retry_at: str) -> FetchReport:
        self.queue.stopped(str(error), self.desk.clock.now(), retry_at)
        return FetchReport(self.connector.name, tuple(self.steps), finished=False, retry_at=retry_at, reason=str(error))


def fetch(connector: Connector, desk: Desk, *, since: date | None = None, progress: Progress = silent) -> FetchReport:
    """Runs a source until its plan is done or it asks to be left alone; goes on with an unfinished run.

    Raises ConfigError where a setting is missing, Conflict where another process is at it. `since` sets how far back
    histories go, and starts a new plan where the unfinished one had another.
    """
    if gap := connector.missing(desk.settings):
        raise ConfigError(f"source {connector.name!r} cannot be fetched: {gap}", hint="see the page on market sources")
    spool = Spool(desk.folder / connector.name)
    with spool.held(connector.name), open_client(connector, desk) as client:
        queue = Queue(connector.name, desk.notebook)
        if not _resumable(queue, desk.clock.now(), since):
            spool.clear()  # answers of an earlier run are of an earlier time
            _plan(connector, desk, queue, since)
        return Run(connector, desk, client, queue, spool, progress).go()


def _resumable(queue: Queue, now: datetime, since: date | None) -> bool:
    record = queue.record
    if not record.pending or (since is not None and record.since != since.isoformat()):
        return False
    return now - datetime.fromisoformat(record.started) < STALE


def _plan(connector: Connector, desk: Desk, queue: Queue, since: date | None) -> None:
    now = desk.clock.now()
    context = Context(desk.room.assets(), desk.settings, now, queue.record.marks, since)
    queue.plan(connector.plan(context), now, since.isoformat() if since else "")


def open_client(connector: Connector, desk: Desk) -> Client:
    """Returns a polite client for a connector's account."""
    limits = connector.limits(desk.settings)
    if connector.account not in desk.buckets:
        desk.buckets[connector.account] = TokenBucket(limits.per_minute, limits.burst, desk.clock)
    return Client(
        connector.account,
        limits,
        desk.notebook,
        desk.clock,
        user_agent=desk.settings.user_agent,
        secrets=connector.secrets(desk.settings),
        bucket=desk.buckets[connector.account],
    )


def read_file(path: Path, now: datetime) -> Answer:
    """Returns a local file as an answer. Raises UnsafeAnswer where it is too large, SourceError where it is gone."""
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= LARGEST_FILE else b""
    except OSError as error:
        raise SourceError(f"{str(path)!r} could not be read: {error.strerror}") from error
    if size > LARGEST_FILE:
        raise UnsafeAnswer(f"{str(path)!r} was larger than {LARGEST_FILE} bytes", hint="split it, or import it")
    return Answer(content, path.as_uri(), now, {"content-type": "text/csv"})
