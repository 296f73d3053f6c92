"""How the sources are doing: what pages show, what the schedule goes by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from mercato.core.errors import ConfigError, Conflict
from mercato.market.connectors.breaker import Breaker
from mercato.market.connectors.budget import Budget, BudgetState
from mercato.market.connectors.connector import Connector
from mercato.market.connectors.fetch import Desk, FetchReport, Progress, fetch, silent
from mercato.market.connectors.queue import Queue
from mercato.market.connectors.registry import CONNECTORS, connector


@dataclass(frozen=True, slots=True)
class Health:
    """How one source is doing. `missing` says what must be set before it can be fetched, empty where nothing is.

    `circuit` is closed, open or half-open. Times are None where there was no such event yet.
    """

    source: str
    title: str
    licence: str
    missing: str
    last_ok: datetime | None
    last_error: str
    last_error_at: datetime | None
    circuit: str
    budget: BudgetState
    next_due: datetime
    pending: int

    @property
    def state(self) -> str:
        """Returns one word: off (not set up), new, ok, late, failing or stopped."""
        if self.missing:
            return "off"
        if self.circuit == "open":
            return "stopped"
        if self.last_error:
            return "failing"
        return "ok" if self.last_ok else "new"


def health(desk: Desk) -> list[Health]:
    """Returns how every source is doing, in the order of the registry. Reads only; asks nobody."""
    return [_health(item, desk) for item in CONNECTORS.values()]


def _health(item: Connector, desk: Desk) -> Health:
    record = Queue(item.name, desk.notebook).record
    limits = item.limits(desk.settings)
    return Health(
        source=item.name,
        title=item.title,
        licence=item.licence,
        missing=item.missing(desk.settings),
        last_ok=_moment(record.last_ok),
        last_error=record.last_error,
        last_error_at=_moment(record.last_error_at),
        circuit=Breaker(item.account, desk.notebook, desk.clock).read().state,
        budget=Budget(item.account, limits.monthly_calls, desk.notebook, desk.clock).read(),
        next_due=_next_due(item, desk),
        pending=len(record.pending),
    )


def _next_due(item: Connector, desk: Desk) -> datetime:
    """Returns when a source is to be fetched next: at once where a run is unfinished and may go on."""
    record = Queue(item.name, desk.notebook).record
    retry = _moment(record.retry_at)
    if record.pending:
        return retry or desk.clock.now()
    last = _moment(record.last_ok)
    return last + item.every if last else desk.clock.now()


def _moment(text: str) -> datetime | None:
    """Returns the time of ISO text, None for no text."""
    return datetime.fromisoformat(text) if text else None


def due(desk: Desk) -> list[str]:
    """Returns the names of sources that can be fetched and whose time has come."""
    now = desk.clock.now()
    named = {item.name for item in CONNECTORS.values() if item.on_request}
    return [
        item.source for item in health(desk) if not item.missing and item.next_due <= now and item.source not in named
    ]


def fetch_due(desk: Desk) -> list[FetchReport]:
    """Fetches every source whose time has come, one after another: what a schedule calls every few minutes.

    A source that cannot be started, because another process is at it or a setting is wrong, does not stop the others.
    """
    return [fetch_or_say(name, desk) for name in due(desk)]


def fetch_or_say(name: str, desk: Desk) -> FetchReport:
    """Fetches a source; where it cannot be started, the report says why."""
    try:
        return fetch(connector(name), desk)
    except (Conflict, ConfigError) as error:
        return FetchReport(name, finished=False, reason=str(error))


def fetch_named(
    desk: Desk, names: Sequence[str], since: date | None = None, *, progress: Progress = silent
) -> list[FetchReport]:
    """Fetches the named sources, or all that are set up where none is named. NotFound lists the known ones."""
    wanted = [connector(name) for name in names] or [
        item for item in CONNECTORS.values() if not item.missing(desk.settings) and not item.on_request
    ]
    return [fetch(item, desk, since=since, progress=progress) for item in wanted]
