"""Asks the metrics, composes the report and keeps it: the verbs behind the command, the job and the pages."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from mercato.core.errors import MercatoError
from mercato.market.model import Query, Result
from mercato.market.report import tables
from mercato.market.report.book import Book
from mercato.market.report.compose import compose
from mercato.market.report.history import history
from mercato.market.report.model import Report, ReportComposed
from mercato.market.report.plan import queries
from mercato.market.report.restate import restate
from mercato.market.report.snapshot import Snapshot, read, written
from mercato.store.outbox import emit

if TYPE_CHECKING:
    from mercato.core.clock import Clock
    from mercato.market.metrics.base import Inputs
    from mercato.store import Store

Progress = Callable[[str], None]


class Desk(Protocol):
    """What reporting needs of the market: its metrics, its database and its clock."""

    @property
    def store(self) -> Store:
        """Returns the database."""

    @property
    def clock(self) -> Clock:
        """Returns the clock."""

    def inputs(self, query: Query) -> AbstractContextManager[Inputs]:
        """Gives what metrics read, cut at the query's as-of day and knowledge time."""

    def answer(self, inputs: Inputs, name: str, query: Query) -> Result:
        """Returns the result of a metric on open inputs; its figures are stored."""

    def keep(self, result: Result) -> Result:
        """Stores the figures of a result, and returns it."""


def gather(desk: Desk, as_of: date, sector: str, known_at: datetime | None, progress: Progress | None = None) -> Book:
    """Returns the results of every question of the report; what one refuses to answer is kept with its reason."""
    results: dict[str, Result] = {}
    failures: dict[str, str] = {}
    with desk.inputs(Query(as_of, sector, known_at=known_at)) as inputs:
        for key, (metric, query) in queries(as_of, sector, known_at).items():
            if progress:
                progress(metric)
            try:
                results[key] = desk.answer(inputs, metric, query)
            except MercatoError as error:
                failures[key] = error.message
        results["history"] = desk.keep(history(inputs, Query(as_of, sector, known_at=known_at)))
    return Book(results, failures)


def weekly(
    desk: Desk, as_of: date, *, sector: str = "ai", known_at: datetime | None = None, progress: Progress | None = None
) -> Report:
    """Returns the report on a day, compared with the last stored one before it, and keeps it as published.

    A report on past knowledge (`known_at`) is not kept, as it was never published; nor one that says nothing.
    """
    report, book = _composed(desk, as_of, sector, known_at, progress)
    if known_at is None and not report.empty:
        body, sha = written(report, book)
        with desk.store.transaction() as tx:
            last = tables.newest(tx, kind="weekly", sector=sector, as_of=as_of)
            if last is None or not _same(last, body):
                tables.add(tx, body, kind="weekly", sha=sha, at=desk.clock.now())
    return report


def _same(stored: dict[str, object], fresh: dict[str, object]) -> bool:
    """Says whether two reports have the same results, whenever they were composed."""
    return stored["results"] == fresh["results"]


def refresh(desk: Desk, as_of: date, sector: str = "ai", progress: Progress | None = None) -> Snapshot:
    """Computes every figure of a day anew, stores the snapshot and announces it; returns it."""
    report, book = _composed(desk, as_of, sector, None, progress)
    body, sha = written(report, book)
    with desk.store.transaction() as tx:
        tables.add(tx, body, kind="snapshot", sha=sha, at=desk.clock.now())
        emit(tx, ReportComposed(time=desk.clock.now(), as_of=as_of, sector=sector, sha=sha))
    return read(body, sha)


def _composed(
    desk: Desk, as_of: date, sector: str, known_at: datetime | None, progress: Progress | None
) -> tuple[Report, Book]:
    book = gather(desk, as_of, sector, known_at, progress)
    before = published(desk, as_of, sector)
    if before is not None:
        book = Book({**book.results, "restatement": _restated(desk, before, known_at)}, book.failures)
    moment = known_at or desk.clock.now()
    made = compose(book, as_of=as_of, known_at=moment, sector=sector, previous=before.report.as_of if before else None)
    return made, book


def published(desk: Desk, before: date, sector: str) -> Snapshot | None:
    """Returns the newest stored weekly report on a day before `before`, with the results it was written from."""
    with desk.store.read() as session:
        body = tables.newest(session, kind="weekly", sector=sector, before=before)
    return read(body, "") if body else None


def _restated(desk: Desk, before: Snapshot, known_at: datetime | None) -> Result:
    """Asks again, with what is known now, the questions that the report before was written from."""
    then = Query(before.report.as_of, before.report.sector, known_at=known_at)
    answers: dict[str, Result] = {}
    with desk.inputs(then) as inputs:
        for key, (metric, query) in queries(then.as_of, then.sector, known_at).items():
            if key in before.book.results:
                answers[key] = desk.answer(inputs, metric, query)
    return desk.keep(restate(before, answers, then))
