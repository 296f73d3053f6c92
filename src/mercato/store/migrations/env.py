"""Alembic's entry: runs on the connection and inside the transaction that `mercato.store.history` opened."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from sqlalchemy.engine import Connection

from mercato.store.history import VERSION_TABLE
from mercato.store.instant import Instant
from mercato.store.schema import metadata
from mercato.store.u256 import U256


def render(kind: str, item: object, autogenerate: Any) -> str | Literal[False]:
    """Returns how a new step writes the store's own column types; False leaves the rest to Alembic."""
    homes = {Instant: ("Instant", "instant"), U256: ("U256", "u256"), sa.JSON: ("JSON", "schema")}
    if kind != "type" or type(item) not in homes:
        return False
    name, home = homes[type(item)]
    autogenerate.imports.add(f"from mercato.store.{home} import {name}")
    return name if name == "JSON" else f"{name}()"


connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    transactional_ddl=True,
    compare_type=True,
    render_item=render,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
