"""The store's own tables: events on their way out, jobs, the steps they remember, and schedules."""

from __future__ import annotations

import sqlalchemy as sa

from mercato.store.instant import Instant
from mercato.store.schema import JSON, metadata

event = sa.Table(
    "store_event",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("time", Instant, nullable=False),
    sa.Column("body", JSON, nullable=False),
    # Given by the relay, one after the other, so that a reader who saw position 7 never misses a later 6.
    sa.Column("position", sa.BigInteger, unique=True),
)
sa.Index(
    "ix_store_event_waiting",
    event.c.id,
    sqlite_where=event.c.position.is_(None),
    postgresql_where=event.c.position.is_(None),
)

job = sa.Table(
    "store_job",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(120), nullable=False),
    sa.Column("key", sa.String(200), nullable=False),
    sa.Column("body", JSON, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    # When a worker may take it: for a waiting job when it is due, for a running one when its lease ends.
    sa.Column("due", Instant, nullable=False),
    sa.Column("owner", sa.String(40)),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("max_tries", sa.Integer, nullable=False),
    sa.Column("cancelling", sa.Boolean, nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("made", Instant, nullable=False),
    sa.Column("ended", Instant),
    sa.UniqueConstraint("kind", "key"),
)
OPEN = job.c.state.in_([sa.literal_column("'waiting'"), sa.literal_column("'running'")])
sa.Index("ix_store_job_open", job.c.due, job.c.id, sqlite_where=OPEN, postgresql_where=OPEN)
sa.Index("ix_store_job_state_ended", job.c.state, job.c.ended)

step = sa.Table(
    "store_step",
    metadata,
    sa.Column("job", sa.String(40), sa.ForeignKey(job.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("name", sa.String(120), primary_key=True),
    sa.Column("result", JSON),
)

schedule = sa.Table(
    "store_schedule",
    metadata,
    sa.Column("name", sa.String(120), primary_key=True),
    sa.Column("due", Instant, nullable=False),
)
