"""The alerts' tables and every query on them: what each rule remembers, and what was told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import sqlalchemy as sa

from mercato.market.alerts.model import Alert, Effect, Memory, State
from mercato.store import JSON, Instant, Read, Transaction, metadata

memories = sa.Table(
    "market_alert_memory",
    metadata,
    sa.Column("rule", sa.String(64), primary_key=True),
    sa.Column("entity", sa.String(200), primary_key=True),
    sa.Column("body", JSON, nullable=False),
)

alerts = sa.Table(
    "market_alert",
    metadata,
    sa.Column("key", sa.String(400), primary_key=True),
    sa.Column("rule", sa.String(64), nullable=False),
    sa.Column("entity", sa.String(200), nullable=False),
    sa.Column("episode", sa.Integer, nullable=False),
    sa.Column("effect", sa.String(10), nullable=False),
    sa.Column("day", sa.String(10), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("value", sa.Text),
    sa.Column("figure_id", sa.String(40), nullable=False),
    sa.Column("raised_at", Instant, nullable=False),
    sa.Index("ix_market_alert_day", "day", "key"),
)


def recall(session: Read, rule: str) -> dict[str, Memory]:
    """Returns what a rule remembers, by entity."""
    query = sa.select(memories.c.entity, memories.c.body).where(memories.c.rule == rule)
    return {row.entity: _memory(row.body) for row in session.execute(query)}


def remember(tx: Transaction, rule: str, entity: str, memory: Memory) -> None:
    """Writes what a rule remembers of an entity."""
    body = {
        "state": memory.state.value,
        "run": memory.run,
        "episode": memory.episode,
        "since": memory.since and memory.since.isoformat(),
        "seen": memory.seen and memory.seen.isoformat(),
    }
    where = (memories.c.rule == rule) & (memories.c.entity == entity)
    if tx.execute(sa.update(memories).where(where).values(body=body)).rowcount == 0:
        tx.execute(sa.insert(memories).values(rule=rule, entity=entity, body=body))


def _memory(body: Mapping[str, object]) -> Memory:
    days = {name: date.fromisoformat(str(body[name])) if body[name] else None for name in ("since", "seen")}
    return Memory(State(str(body["state"])), int(str(body["run"])), int(str(body["episode"])), **days)


def add_alert(tx: Transaction, item: Alert, at: datetime) -> bool:
    """Writes an alert and returns True; False where one of its key is there already."""
    if tx.execute(sa.select(alerts.c.key).where(alerts.c.key == item.key)).first():
        return False
    row = {
        "key": item.key,
        "rule": item.rule,
        "entity": item.entity,
        "episode": item.episode,
        "effect": item.effect.value,
        "day": item.day.isoformat(),
        "title": item.title,
        "value": item.value,
        "figure_id": item.figure_id,
        "raised_at": at,
    }
    tx.execute(sa.insert(alerts).values(row))
    return True


def latest(session: Read, limit: int = 100) -> list[Alert]:
    """Returns the newest alerts first."""
    query = sa.select(alerts).order_by(alerts.c.day.desc(), alerts.c.raised_at.desc(), alerts.c.key).limit(limit)
    return [_alert(row) for row in session.execute(query)]


def alert(session: Read, key: str) -> Alert | None:
    """Returns the alert of a dedupe key."""
    row = session.execute(sa.select(alerts).where(alerts.c.key == key)).first()
    return _alert(row) if row else None


def _alert(row: sa.Row[tuple[object, ...]]) -> Alert:
    cell = row._mapping
    return Alert(
        rule=cell["rule"],
        entity=cell["entity"],
        episode=cell["episode"],
        effect=Effect(cell["effect"]),
        day=date.fromisoformat(cell["day"]),
        title=cell["title"],
        value=cell["value"],
        figure_id=cell["figure_id"],
    )


def firing(session: Read, states: Sequence[State] = (State.FIRING, State.EASING)) -> list[tuple[str, str, Memory]]:
    """Returns (rule, entity, memory) of every episode that is under way."""
    found = ((row.rule, row.entity, _memory(row.body)) for row in session.execute(sa.select(memories)))
    return sorted((item for item in found if item[2].state in states), key=lambda item: item[:2])
