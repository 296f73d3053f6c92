"""Small results that several expressions read: computed once, held in memory."""

from __future__ import annotations

import ibis

from mercato.store.analytics import Engine


def held(engine: Engine, table: ibis.Table) -> ibis.Table:
    """Returns the rows of an expression as a table of their own, so that what builds on it does not run it again."""
    return engine.table(engine.run(table), table.schema())
