"""Looks at the figures of a day with every rule, writes down what was raised, and hands it to the channels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol

import structlog

from mercato.core.errors import MercatoError
from mercato.market.alerts import tables
from mercato.market.alerts.machine import step
from mercato.market.alerts.model import Alert, AlertRaised, Memory, Rule, Sample, Signal
from mercato.market.alerts.sampling import against, samples, signals
from mercato.market.model import Query, Result
from mercato.store.jobs import enqueue
from mercato.store.outbox import emit

if TYPE_CHECKING:
    from mercato.core.clock import Clock
    from mercato.store import Store, Transaction

WEBHOOK = "market.webhook"
CATCH_UP = 14

Asker = Callable[[str, Query], Result]
log = structlog.get_logger("mercato.alerts")


class Post(Protocol):
    """What watching needs of the market: its metrics, its database and its clock."""

    @property
    def store(self) -> Store:
        """Returns the database."""

    @property
    def clock(self) -> Clock:
        """Returns the clock."""

    def metric(self, name: str, query: Query) -> Result:
        """Returns the result of a metric; its figures are stored."""


def watch(
    post: Post, rules: Iterable[Rule], as_of: date, *, webhook: bool = False, ask: Asker | None = None
) -> list[Alert]:
    """Returns the alerts that the closes up to `as_of` raised; each is written once, however often this runs.

    `ask` answers metrics instead of the market's own `metric`, such as from a snapshot. Closes missed since a rule
    last looked, at most CATCH_UP of them, are looked at first, in order.
    """
    raised: list[Alert] = []
    for rule in rules:
        if rule.enabled:
            with post.store.read() as session:
                memories = tables.recall(session, rule.key)
            for day in due(memories.values(), as_of):
                raised += _look(post, ask or post.metric, rule, day, webhook=webhook)
    return raised


def due(memories: Iterable[Memory], as_of: date) -> list[date]:
    """Returns the closes to look at: those after the last one seen, or only `as_of` for a rule that never looked."""
    seen = [item.seen for item in memories if item.seen is not None]
    missed = (as_of - max(seen)).days if seen else 1
    return [as_of - timedelta(days=back) for back in range(min(missed, CATCH_UP) - 1, -1, -1)]


def _look(post: Post, ask: Asker, rule: Rule, day: date, *, webhook: bool) -> list[Alert]:
    try:
        heard = tuple(hear(ask, rule, day))
    except MercatoError as error:
        log.warning("a rule could not look", rule=rule.key, day=day.isoformat(), error=error.message)
        return []
    with post.store.transaction() as tx:
        alerts = _stepped(tx, rule, heard)
        fresh = [item for item in alerts if tables.add_alert(tx, item, post.clock.now())]
        for item in fresh:
            _tell(tx, post, rule, item, webhook=webhook)
    return fresh


def hear(ask: Asker, rule: Rule, day: date) -> Sequence[tuple[Sample, Signal]]:
    """Returns what a rule's metric says of each entity at one close."""
    seen = _samples(ask, rule, day)
    if rule.compare_days:
        then = _samples(ask, rule, day - timedelta(days=rule.compare_days))
        seen = against(seen, then)
    return tuple(signals(rule, seen))


def _samples(ask: Asker, rule: Rule, day: date) -> tuple[Sample, ...]:
    result = ask(rule.metric, Query(day, rule.sector, rule.days, params=dict(rule.params)))
    return samples(rule, result, day)


def _stepped(tx: Transaction, rule: Rule, heard: Sequence[tuple[Sample, Signal]]) -> list[Alert]:
    memories, raised = tables.recall(tx, rule.key), []
    for sample, said in heard:
        before = memories.get(sample.entity, Memory())
        after, alert = step(rule, before, sample, said)
        if after != before:
            tables.remember(tx, rule.key, sample.entity, after)
        raised += [alert] if alert else []
    return raised


def _tell(tx: Transaction, post: Post, rule: Rule, item: Alert, *, webhook: bool) -> None:
    """Hands an alert to the rule's channels, in the transaction that wrote it down."""
    now = post.clock.now()
    if "page" in rule.channels:
        emit(tx, AlertRaised(time=now, key=item.key, rule=item.rule, entity=item.entity,
                             effect=item.effect.value, title=item.title))  # fmt: skip
    if webhook and "webhook" in rule.channels:
        enqueue(tx, WEBHOOK, {"alert": item.key}, now=now, key=item.key)
    if "log" in rule.channels:
        log.info("alert", key=item.key, title=item.title, day=item.day.isoformat(), value=item.value,
                 figure=item.figure_id)  # fmt: skip
