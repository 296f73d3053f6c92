"""The store room: one relational database for every room, with an outbox and jobs that commit with the change.

    with store.transaction() as tx:
        tables.save(tx, grant)
        emit(tx, GrantApproved(time=clock.now(), grant=grant.id))
        enqueue(tx, "treasury.pay_grant", {"grant": grant.id}, key=grant.id, now=clock.now())

SQLite is built in, PostgreSQL is a URL. Each room declares its tables on `metadata` in its own tables.py and keeps
its queries there. `store.analytics` is the other half: ibis expressions over files, never a source of truth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mercato.core.doors import lazily as _lazily

if TYPE_CHECKING:
    from mercato.store.engine import Read, Store, Transaction
    from mercato.store.history import migrate
    from mercato.store.instant import Instant
    from mercato.store.jobs import enqueue
    from mercato.store.model import Delivered, Schedule
    from mercato.store.outbox import emit
    from mercato.store.run import Run
    from mercato.store.schema import JSON, metadata
    from mercato.store.settings import StoreSettings
    from mercato.store.u256 import U256
    from mercato.store.worker import Worker

__all__ = [
    "JSON",
    "U256",
    "Delivered",
    "Instant",
    "Read",
    "Run",
    "Schedule",
    "Store",
    "StoreSettings",
    "Transaction",
    "Worker",
    "emit",
    "enqueue",
    "metadata",
    "migrate",
]

_HOMES = {
    "JSON": "schema",
    "U256": "u256",
    "Delivered": "model",
    "Instant": "instant",
    "Read": "engine",
    "Run": "run",
    "Schedule": "model",
    "Store": "engine",
    "StoreSettings": "settings",
    "Transaction": "engine",
    "Worker": "worker",
    "emit": "outbox",
    "enqueue": "jobs",
    "metadata": "schema",
    "migrate": "history",
}

__getattr__ = _lazily(__name__, _HOMES)
