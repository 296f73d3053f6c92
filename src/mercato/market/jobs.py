"""What the room does later: new figures and alerts after data arrived, and webhooks that failed before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

from mercato.core.errors import NotFound
from mercato.market.alerts import tables as alert_tables
from mercato.market.alerts.duty import rules_of, webhook_of
from mercato.market.alerts.watch import WEBHOOK, Asker, watch
from mercato.market.metrics.base import sector_filter
from mercato.market.model import Query, Result
from mercato.market.report.reporting import refresh
from mercato.market.report.snapshot import Snapshot
from mercato.market.source_jobs import FETCH, SCHEDULE, fetched
from mercato.store.model import Schedule
from mercato.store.run import Run
from mercato.store.worker import Handler

if TYPE_CHECKING:
    from mercato.market.service import Market

REFRESH = "market.refresh"
SUBSCRIPTIONS = {"market.MarketDataArrived": [REFRESH]}
#: Once a day after the close, so that a day without an import still ages what is shown.
SCHEDULES = (Schedule("market.daily", REFRESH, every=timedelta(days=1), offset=timedelta(minutes=10)), SCHEDULE)


def handlers(market: Market) -> Mapping[str, Handler]:
    """Returns what to do for each kind of job."""
    return {
        REFRESH: lambda run: refreshed(market, run),
        WEBHOOK: lambda run: posted(market, run),
        FETCH: lambda run: fetched(market, run),
    }


def refreshed(market: Market, run: Run) -> None:
    """Computes the newest day's figures, stores the snapshot and lets the rules look at it."""
    day = newest_day(market)
    if day is None:
        return
    run.check()
    snapshot = refresh(market, day)
    run.check()
    rules, _ = rules_of(market)
    watch(market, rules, day, webhook=webhook_of(market) is not None, ask=asker(market, snapshot))


def asker(market: Market, snapshot: Snapshot) -> Asker:
    """Returns who answers the rules: the snapshot where it was asked the same, else the metrics."""
    asked = {_question(item.metric, item.query): item for item in snapshot.book.results.values()}
    restated = snapshot.book.results.get("restatement")

    def ask(name: str, query: Query) -> Result:
        if name == "restatement":
            if restated is None:
                raise NotFound("no earlier report is stored", hint="`mercato market report` stores one a week")
            return restated
        return asked.get(_question(name, query)) or market.metric(name, query)

    return ask


def _question(name: str, query: Query) -> tuple[object, ...]:
    return name, query.as_of, query.sector, query.days, tuple(sorted(query.params.items()))


def newest_day(market: Market, sector: str = "ai") -> date | None:
    """Returns the last day on which a member of the sector has a price, at most yesterday; None without any."""
    yesterday = market.clock.now().date() - timedelta(days=1)
    with market.inputs(Query(yesterday, sector)) as inputs:
        panel = inputs.panel
        priced = panel.filter(sector_filter(panel, sector), panel.price_age == 0)
        found = inputs.engine.rows(priced.aggregate(day=priced.day.max()))
    day = found[0]["day"]
    return day if isinstance(day, date) else None


def posted(market: Market, run: Run) -> None:
    """Posts one alert to the webhook; the job table tries again where that may help."""
    hook, key = webhook_of(market), str(run.job.body["alert"])
    with market.store.read() as session:
        alert = alert_tables.alert(session, key)
    if alert is None:
        raise NotFound(f"alert was {key!r}, which is not stored", hint="it was removed since it was raised")
    if hook is not None:
        run.once("post", lambda: hook.send(alert, market.clock.now()))
